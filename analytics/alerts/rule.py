"""A rule of alerts, as the reader wrote it, and where it stands on one pair."""

import math
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from analytics.signals import Signal

When = Literal[
    "zscore",
    "signal",
    "correlation",
    "pvalue",
    "half_life",
    "beta",
    "stale",
    "gap",
    "recorder",
    "disk",
    "clock",
    "engine",
    "channel",
    "find",
]
Crosses = Literal["above", "below", "outside", "inside"]
StateName = Literal["normal", "pending", "firing", "no data"]

WHENS: Final[tuple[When, ...]] = get_args(When)
CROSSES: Final[tuple[Crosses, ...]] = get_args(Crosses)
# What is of a pair, at each of its bars; the rest is of the desk as a whole.
PAIR_WHENS: Final = frozenset(
    ("zscore", "signal", "correlation", "pvalue", "half_life", "beta", "stale", "gap")
)
# What is known of a bar from its reading, and of now and then from the tests.
READING_WHENS: Final = frozenset(("zscore", "signal", "correlation", "beta"))
TESTS_WHENS: Final = frozenset(("pvalue", "half_life"))
# What has no level: it is so, or it is not.
WITHOUT_LEVEL: Final = frozenset(("signal", "find"))


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When to tell whom of what.

    Attributes
    ----------
    name
        Of its own among the rules.
    list, y, x
        The list of pairs it looks at, or one pair; neither for all lists, or for what is of the
        desk as a whole.
    when
        What it looks at: z-score, signal, correlation, p-value, half-life (bars), β (moved by
        `level` of its errors since it last fired), stale (seconds since a leg traded), gap (seconds
        a gap is open), recorder (seconds without recording), disk (GB free), clock (ms of skew),
        engine (seconds behind), channel (failures in a row), find (a pair that a scan found and
        holds).
    crosses, level
        At or above, at or below, outside ±level, or back inside of it.
    rearm
        It can fire again once the value is back past this; None for the level itself.
    to
        For ``"signal"``: the signals it tells of.
    for_bars
        Bars in a row that it must hold before it fires: until then it is pending.
    hold_bars
        Bars that it keeps firing at least, however the value moves.
    cooldown_s
        Seconds of market time between two alerts of one pair.
    once
        It ends with its first alert of a pair.
    expires_us
        It looks at no bar that opens from here on, µs since the epoch; None for never.
    quiet_hours
        ``"22:00-06:30"``, UTC: what would fire then is kept in the log, and not sent.
    gated
        It fires only while the pair's gates are open.
    forming
        It looks at the bar that still forms, too, and says so.
    tells_resolved
        It says when it is over.
    channels
        Names of those it is sent to; the open pages show every alert.
    message
        Template of the words, with ``{pair} {rule} {zscore} …``; None for the usual ones.
    enabled
        Off, it looks at nothing; on again, it begins anew, and knows when it fired last.
    """

    name: str
    when: When = "zscore"
    crosses: Crosses = "outside"
    level: float = 2.0
    rearm: float | None = None
    list: str | None = None
    y: str | None = None
    x: str | None = None
    to: tuple[Signal, ...] = ("BUY", "SELL")
    for_bars: int = 1
    hold_bars: int = 0
    cooldown_s: float = 0.0
    once: bool = False
    expires_us: int | None = None
    quiet_hours: str | None = None
    gated: bool = False
    forming: bool = False
    tells_resolved: bool = False
    channels: tuple[str, ...] = ()
    message: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RuleState:
    """Where a rule stands on one pair, or on the desk: kept from bar to bar and over a restart.

    Attributes
    ----------
    name
        normal, pending, firing, or no data.
    since_us
        Bar at which it came to be so; 0 before the first.
    bars
        Bars in a row for which it holds, while pending; no more than the rule's `for_bars`.
    is_armed
        Whether a crossing would fire.
    fired_us
        Bar of the last alert; 0 before the first.
    fired
        How many there were.
    anchor
        What the next is compared to: β, the place of a signal, or the time of the tests looked at
        last, µs; NaN before the first, and where nothing is compared.
    seen_us
        Latest closed bar looked at. Not a part of what makes two states equal: it is stored with
        what else changed, and is known otherwise up to which bar a pair was evaluated.
    was_quiet
        Whether the last alert was kept for quiet hours, and not sent.
    """

    name: StateName = "normal"
    since_us: int = 0
    bars: int = 0
    is_armed: bool = True
    fired_us: int = 0
    fired: int = 0
    anchor: float = field(default=math.nan)
    seen_us: int = field(default=0, compare=False)
    was_quiet: bool = False
