"""The recorder's state in one line: a word and a sign as well as a colour."""

import math
from dataclasses import dataclass
from typing import Final

from ingest.status import RecorderStatus, ReplayStatus
from pages.ui.parts import formats
from pages.ui.parts.markup import Tone

STALE_AFTER_S: Final = 10.0
US_PER_S: Final = 1_000_000

WORDS: Final[dict[str, tuple[str, str, Tone]]] = {
    "live": ("●", "LIVE", "good"),
    "bars only": ("▮", "BARS ONLY", "good"),
    "quiet": ("◑", "QUIET", "good"),
    "stale": ("◐", "STALE", "wait"),
    "connecting": ("○", "CONNECTING", "wait"),
    "reconnecting": ("◌", "OFFLINE", "bad"),
    "no data": ("◇", "NO DATA", "bad"),
    "blocked": ("⊘", "BLOCKED", "bad"),
    "paused": ("‖", "PAUSED", "wait"),
    "stopped": ("■", "STOPPED", "muted"),
    "failed": ("✕", "FAILED", "bad"),
    "off": ("–", "NOT RECORDING", "muted"),
    "unstored": ("⊗", "NOT STORED", "bad"),
    "other venue": ("⊠", "OTHER EXCHANGE", "bad"),
    "ids start over": ("↺", "IDS START OVER", "bad"),
    "refused": ("⊖", "REFUSED", "bad"),
    "login page": ("⊙", "LOGIN PAGE", "bad"),
    "proxy": ("⊜", "PROXY", "bad"),
    "replay": ("▷", "REPLAY", "wait"),
    "no replay": ("▷", "NO REPLAY", "muted"),
    "file": ("▤", "FILE", "muted"),
}


@dataclass(frozen=True)
class Pill:
    """A state as it is shown: its sign, its word, the number that goes with it, and a tone."""

    sign: str
    word: str
    number: str
    tone: Tone


FILE_PILL: Final = Pill(*WORDS["file"][:2], "", WORDS["file"][2])
# The recording may go on all the same: it is not what is looked at.
NO_REPLAY_PILL: Final = Pill(*WORDS["no replay"][:2], "", WORDS["no replay"][2])


def health(status: RecorderStatus | None, now_us: int) -> str:
    """Name the state; a live feed silent for 10 s is stale, unless the exchange is quiet too.

    Trades that come and are not stored make it no live one. Where bars alone are recorded it is
    stale once the newest one is late.
    """
    if status is None:
        return "off"
    if status.refusal is not None:
        return status.refusal.kind
    if status.write_error is not None or unstored(status, now_us, STALE_AFTER_S):
        return "unstored"
    if status.state == "reconnecting" and status.between is not None:
        return status.between
    return _live(status, now_us) if status.state == "live" else status.state


def _live(status: RecorderStatus, now_us: int) -> str:
    """Name the state of a connection that stands: by what it brings."""
    if status.is_bars_only:
        return "stale" if _bars_are_late(status, now_us) else "bars only"
    silent_s = _silent_s(status, now_us)
    if silent_s is None or silent_s <= STALE_AFTER_S:
        return status.state
    states = {each.state for each in status.per_symbol.values()}
    return "quiet" if states == {"quiet"} else "stale"


def unstored(status: RecorderStatus, now_us: int, over_s: float) -> tuple[str, float] | None:
    """Find a symbol whose trades have come for longer and none was stored, and for how long."""
    if status.state != "live":
        return None
    waits = [
        ((now_us - each.unstored_since_us) / US_PER_S, symbol)
        for symbol, each in status.per_symbol.items()
        if each.unstored_since_us is not None
    ]
    longest_s, symbol = max(waits, default=(0.0, ""))
    return (symbol, longest_s) if longest_s > over_s else None


def pill_of(status: RecorderStatus | None, now_us: int) -> Pill:
    """Say the state with the one number that goes with it: an age, or how often it was tried."""
    name = health(status, now_us)
    if status is not None and status.replay is not None and name != "failed":
        sign, word, tone = WORDS["replay"]
        return Pill(sign, word, _speed(status.replay), tone)
    sign, word, tone = WORDS[name]
    number = ""
    if status is not None and name in {"live", "quiet", "stale", "bars only"}:
        silent_s = _silent_s(status, now_us)
        number = "" if silent_s is None else formats.age(silent_s)
    elif status is not None and name in {"reconnecting", "login page", "proxy"}:
        number = f"retry {max(retries(status), 1)}"
    return Pill(sign, word, number, tone)


def _speed(replay: ReplayStatus) -> str:
    if replay.is_loading or replay.has_ended or replay.is_paused:
        return "reading" if replay.is_loading else "ended" if replay.has_ended else "paused"
    return f"× {replay.speed:g}" if math.isfinite(replay.speed) else "at full speed"


def retries(status: RecorderStatus) -> int:
    """Count how often a connection was lost or refused since the last one that stood."""
    kinds = [each.kind for each in status.history if each.kind in {"connected", "lost"}]
    return next((ago for ago, kind in enumerate(reversed(kinds)) if kind != "lost"), len(kinds))


def feed_words(status: RecorderStatus | None) -> list[str]:
    """Say in short what the recorder did so far, as the live page needs it."""
    if status is None:
        return ["Nothing is being recorded: this is what the database holds."]
    return _counts(status)


def last_error(status: RecorderStatus | None) -> str:
    """Return the last error while it matters; one that is over stands on the Feed page."""
    if status is None or status.last_error is None or status.state == "live":
        return ""
    return status.last_error


def bars_age_s(status: RecorderStatus, now_us: int) -> float | None:
    """How long ago the newest bar ended that is stored; None before the first, or without any."""
    universe = status.universe
    if universe is None or universe.newest_us is None:
        return None
    return (now_us - universe.newest_us) / US_PER_S


def _bars_are_late(status: RecorderStatus, now_us: int) -> bool:
    age_s = bars_age_s(status, now_us)
    length_s = 1 if status.universe is not None and status.universe.length == "1s" else 60
    return age_s is not None and age_s > length_s + 2 * STALE_AFTER_S


def _silent_s(status: RecorderStatus, now_us: int) -> float | None:
    if status.is_bars_only:
        return bars_age_s(status, now_us)
    if status.last_received_us is None:
        return None
    return (now_us - status.last_received_us) / US_PER_S


def _counts(status: RecorderStatus) -> list[str]:
    if status.is_bars_only and (universe := status.universe) is not None:
        stored = formats.count(universe.received + universe.fetched, "bar")
        return [
            f"{stored} of {universe.length} stored since the start, bars only",
            f"{universe.missing:,} to be fetched",
            formats.count(status.reconnects, "reconnect"),
        ]
    open_gaps = sum(each.open_gaps for each in status.per_symbol.values())
    counts = [
        f"{formats.count(status.stored, 'trade')} stored since the start",
        formats.count(open_gaps, "open gap"),
        f"{status.rejected:,} rejected",
        formats.count(status.reconnects, "reconnect"),
    ]
    if status.conflicts:
        counts.append(formats.count(status.conflicts, "conflicting id"))
    if status.refused:
        counts.append(f"{status.refused:,} refused, queue full")
    return counts
