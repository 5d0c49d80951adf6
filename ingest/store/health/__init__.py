"""Is the database sound, do its bars agree with its trades: checks, copies, what is set aside."""

from ingest.store.health.database_health import (
    PAUSE_FREE_BYTES,
    WARN_FREE_BYTES,
    Check,
    Damage,
    back_up,
    files_of,
    free_bytes,
    is_damage,
    quick_check,
    refuse_network_filesystem,
    remembered,
    set_aside,
    without_own_rows,
)
from ingest.store.health.later_check import CheckProgress, LaterCheck
from ingest.store.health.verification import verify

__all__ = [
    "PAUSE_FREE_BYTES",
    "WARN_FREE_BYTES",
    "Check",
    "CheckProgress",
    "Damage",
    "LaterCheck",
    "back_up",
    "files_of",
    "free_bytes",
    "is_damage",
    "quick_check",
    "refuse_network_filesystem",
    "remembered",
    "set_aside",
    "verify",
    "without_own_rows",
]
