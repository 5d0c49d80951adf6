"""What a channel is sent: the JSON of an alert, and its words where a channel takes text only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ingest.watch.model import SECOND_US, Alert

_MOST_LINES: Final = 20
_SENT_AGAIN: Final = " (sent again)"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An alert as it goes out.

    `public_id` is the same on a repeat; `is_repeated` says that an earlier attempt may have
    arrived, `is_test` that nothing happened in the market.
    """

    alert: Alert
    public_id: str
    is_repeated: bool = False
    is_test: bool = False


def alert_document(outgoing: Outgoing) -> dict[str, object]:
    """JSON of an alert. Times in ISO 8601, UTC; what is no number is null."""
    alert = outgoing.alert
    return {
        "id": outgoing.public_id,
        "kind": "test" if outgoing.is_test else alert.kind,
        "rule": alert.rule,
        "y": alert.y,
        "x": alert.x,
        "interval": alert.interval,
        "bar": iso_utc(alert.bar_us),
        "zscore": _finite(alert.zscore),
        "value": _finite(alert.value),
        "level": _finite(alert.level),
        "signal": alert.signal,
        "words": alert.words,
        "forming": alert.is_forming,
        "fired": iso_utc(alert.fired_us),
        "repeated": outgoing.is_repeated,
    }


def title(outgoing: Sequence[Outgoing]) -> str:
    """Head of a message: its rule and pair, or how many alerts it holds."""
    if len(outgoing) > 1:
        return f"Pairdesk: {len(outgoing)} alerts"
    alert = outgoing[0].alert
    pair = f"{alert.y}/{alert.x}" if alert.x else alert.y
    over = " is over" if alert.kind == "resolved" else ""
    return f"Pairdesk: {alert.rule}{over} {pair}".rstrip()


def text(outgoing: Sequence[Outgoing]) -> str:
    """Words of some alerts, a line each."""
    return "\n".join(map(_line, outgoing))


def together(outgoing: Sequence[Outgoing], most_chars: int) -> int:
    """How many from the first on fit into one message of text; at least one."""
    chars = 0
    for number, each in enumerate(outgoing[:_MOST_LINES]):
        chars += len(_line(each)) + 1
        if number and chars > most_chars:
            return number
    return min(len(outgoing), _MOST_LINES)


def iso_utc(time_us: int) -> str:
    """Write a time as ``2026-01-31T12:00:00Z``; what is below a second is cut off."""
    moment = datetime.fromtimestamp(time_us // SECOND_US, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _line(outgoing: Outgoing) -> str:
    return outgoing.alert.words + (_SENT_AGAIN if outgoing.is_repeated else "")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
