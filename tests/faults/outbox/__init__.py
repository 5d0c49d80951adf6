"""Alerts on their way out: processes killed, and receivers that fail in every way for a while."""

from faults.outbox.killed_engine import kill_while_watching
from faults.outbox.scenarios import kill_while_sending, receivers_down

__all__ = ["kill_while_sending", "kill_while_watching", "receivers_down"]
