"""The recorder's state in one line: a word and a sign as well as a colour."""

from typing import Final

from ingest.status import RecorderStatus
from pages.ui import formats
from pages.ui.markup import Tone, block, labelled, pill, text

STALE_AFTER_S: Final = 10.0
US_PER_S: Final = 1_000_000

WORDS: Final[dict[str, tuple[str, str, Tone]]] = {
    "live": ("●", "LIVE", "good"),
    "quiet": ("◑", "QUIET", "good"),
    "stale": ("◐", "STALE", "wait"),
    "connecting": ("○", "CONNECTING", "wait"),
    "reconnecting": ("◌", "RECONNECTING", "wait"),
    "no data": ("◇", "NO DATA", "bad"),
    "blocked": ("⊘", "BLOCKED", "bad"),
    "paused": ("‖", "PAUSED", "wait"),
    "stopped": ("■", "STOPPED", "muted"),
    "failed": ("✕", "FAILED", "bad"),
    "off": ("–", "NOT RECORDING", "muted"),
}


def health(status: RecorderStatus | None, now_us: int) -> str:
    """Name the state; a live feed silent for 10 s is stale, unless the exchange is quiet too."""
    if status is None:
        return "off"
    silent_s = _silent_s(status, now_us)
    if status.state == "live" and silent_s is not None and silent_s > STALE_AFTER_S:
        states = {each.state for each in status.per_symbol.values()}
        return "quiet" if states == {"quiet"} else "stale"
    return status.state


def state_pill(status: RecorderStatus | None, now_us: int) -> str:
    """Show the state with the one number that goes with it: an age, or the wait for a retry."""
    name = health(status, now_us)
    sign, word, tone = WORDS[name]
    number = ""
    if status is not None and name in {"live", "quiet", "stale"}:
        silent_s = _silent_s(status, now_us)
        number = "" if silent_s is None else formats.age(silent_s)
    elif status is not None and status.retry_in_s is not None:
        number = f"retry in {formats.age(status.retry_in_s)}"
    return pill(sign, word, number, tone)


def strip(status: RecorderStatus | None, now_us: int) -> str:
    """Lay the recorder's state and counts out in one line, with its last error below."""
    state = state_pill(status, now_us)
    if status is None:
        return block(state, text("Showing what the database holds."), css="pd-strip")
    pieces = [state, *(labelled(name, value) for name, value in _counts(status))]
    if status.last_error:
        # An error that is over is worth a line, not an alarm.
        tone = "muted" if status.state == "live" else "bad"
        pieces.append(f'<span class="pd-{tone}">{labelled("last error", status.last_error)}</span>')
    return block(*pieces, css="pd-strip")


def _silent_s(status: RecorderStatus, now_us: int) -> float | None:
    if status.last_received_us is None:
        return None
    return (now_us - status.last_received_us) / US_PER_S


def _counts(status: RecorderStatus) -> list[tuple[str, str]]:
    counts = [
        ("received", status.received),
        ("stored", status.stored),
        ("duplicates", status.duplicates),
        ("rejected", status.rejected),
        ("reconnects", status.reconnects),
    ]
    open_gaps = sum(each.open_gaps for each in status.per_symbol.values())
    unusual = [
        ("open gaps", open_gaps),
        ("conflicting ids", status.conflicts),
        ("refused, queue full", status.refused),
    ]
    counts += [(name, number) for name, number in unusual if number]
    return [(name, f"{number:,}") for name, number in counts]
