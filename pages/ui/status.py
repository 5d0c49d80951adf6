"""The recorder's state in one line: a word and a sign as well as a colour."""

from typing import Final

from ingest.recorder import RecorderStatus
from pages.ui import formats
from pages.ui.markup import Tone, block, labelled, text

STALE_AFTER_S: Final = 10.0
US_PER_S: Final = 1_000_000

WORDS: Final[dict[str, tuple[str, str, Tone]]] = {
    "live": ("●", "LIVE", "good"),
    "stale": ("◐", "STALE", "wait"),
    "connecting": ("○", "CONNECTING", "wait"),
    "reconnecting": ("◌", "RECONNECTING", "wait"),
    "stopped": ("■", "STOPPED", "muted"),
    "failed": ("✕", "FAILED", "bad"),
    "off": ("–", "NOT RECORDING", "muted"),
}


def health(status: RecorderStatus | None, now_us: int) -> str:
    """Name the state; a live feed that has been silent for 10 s is stale."""
    if status is None:
        return "off"
    if status.state == "live" and status.last_received_us is not None:
        silent_s = (now_us - status.last_received_us) / US_PER_S
        return "stale" if silent_s > STALE_AFTER_S else "live"
    return status.state


def strip(status: RecorderStatus | None, now_us: int) -> str:
    """Lay the recorder's state and counts out in one line, with its last error below."""
    sign, word, tone = WORDS[health(status, now_us)]
    state = f'<span class="pd-state pd-{tone}"><span aria-hidden="true">{sign}</span> {word}</span>'
    if status is None:
        return block(state, text("Showing what the database holds."), css="pd-strip")
    pieces = [state, *(labelled(name, value) for name, value in _facts(status, now_us))]
    if status.last_error:
        pieces.append(f'<span class="pd-bad">{labelled("last error", status.last_error)}</span>')
    return block(*pieces, css="pd-strip")


def _facts(status: RecorderStatus, now_us: int) -> list[tuple[str, str]]:
    facts = []
    if status.last_received_us is not None:
        silent_s = (now_us - status.last_received_us) / US_PER_S
        facts.append(("last trade", f"{formats.age(silent_s)} ago"))
    if status.retry_in_s is not None:
        facts.append(("retry in", formats.age(status.retry_in_s)))
    counts = ("received", "stored", "duplicates", "rejected", "reconnects")
    facts += [(name, f"{getattr(status, name):,}") for name in counts]
    unusual = (("conflicting ids", status.conflicts), ("refused, queue full", status.refused))
    facts += [(name, f"{number:,}") for name, number in unusual if number]
    return facts
