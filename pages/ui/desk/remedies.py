"""Why a figure lacks bars, and what brings them: decided here, in plain values, drawn elsewhere.

That waiting helps is said only where it does: at the newest end of a running recording, where each
bar that closes is one of those that lack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from analytics.frames import INTERVALS, parse_interval
from analytics.outcome import NotEnough
from analytics.pair import PairParams
from ingest.repair import KlineName
from pages.ui.parts import formats
from pages.ui.state import choices
from pages.ui.state.choices import WHOLE, Number, Value

# How a lack is counted where a longer stretch of bars makes it good.
COUNTED_IN_BARS: Final = ("bars", "bars in a row", "complete rows", "known bars in a row")
SECOND_US: Final = 1_000_000
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
MOST_HOURS: Final = 48
KLINE_WORDS: Final[Mapping[KlineName, str]] = {"1s": "1-s", "1m": "1-min", "5m": "5-min"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the reader stands.

    Attributes
    ----------
    params
        Of the analysis that lacks something.
    stored_bars
        Bars of both legs there are, the warm-up too.
    gap
        The newest missing bar in words, and how many bars before the latest it is; or None.
    grows
        Whether each bar that closes is recorded now: "live", by a "replay", or "" for neither.
    idle
        What to do where nothing grows, without the full stop.
    fetches
        Whether this process can ask the exchange for older bars.
    is_file
        Whether a file is looked at.
    nothing_earlier
        That the exchange was asked and has no bars before those there are, without the full stop.
    begins
        The day from which on bars are wanted, where they can be fetched or imported; or "".
    """

    params: PairParams
    stored_bars: int
    gap: tuple[str, int] | None = None
    grows: Literal["live", "replay", ""] = ""
    idle: str = ""
    fetches: bool = False
    is_file: bool = False
    nothing_earlier: str = ""
    begins: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all bars that were asked for are there."""
        reach = self.params.reach
        return reach is not None and self.stored_bars >= reach


@dataclass(frozen=True, slots=True)
class Fetch:
    """Older bars to ask the exchange for."""

    kline: KlineName
    span_s: int

    @property
    def words(self) -> str:
        """In words: "24 h of 1-min klines"."""
        hours = self.span_s // HOUR_S
        span = f"{hours} h" if hours <= MOST_HOURS else f"{hours // 24} days"
        return f"{span} of {KLINE_WORDS[self.kline]} klines"


@dataclass(frozen=True, slots=True)
class Action:
    """A button: what it says, and what it chooses or fetches."""

    label: str
    choose: tuple[tuple[str, Value], ...] = ()
    fetch: Fetch | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """What lacks and why, what helps, and the buttons that do it.

    `import_words` name what the Data page can bring; "" for nothing.
    """

    cause: str
    remedy: str
    actions: tuple[Action, ...] = ()
    import_words: str = ""


def too_long(interval: str, seconds: int, key: str) -> Advice | None:
    """Refuse a range of more bars than a page shows; None for one that it shows.

    `key` names the choice of the range.
    """
    bars = seconds * SECOND_US // parse_interval(interval).us
    if bars <= choices.MOST_BARS:
        return None
    coarser = (each for each in INTERVALS if seconds * SECOND_US // each.us <= choices.MOST_BARS)
    longest = choices.lookbacks_on_offer(interval, choices.MOST_BARS)[-1]
    names = [each.name for each in coarser][:1]
    actions = (
        *(Action(f"Take bars of {name}", (("interval", name),)) for name in names),
        Action(f"Take {longest}", ((key, longest), *choices.NO_STRETCH.items())),
    )
    cause = (
        f"The range holds {bars:,} bars of {interval}, more than the {choices.MOST_BARS:,} that a "
        "page shows"
    )
    take = f"bars of {names[0]} or " if names else ""
    return Advice(cause, f"Take {take}a range of {longest}.", actions)


def advise(lack: NotEnough, at: Standing) -> Advice:
    """Say why a figure lacks bars, and what brings them."""
    if lack.unit not in COUNTED_IN_BARS:
        return Advice(lack.reason, "A longer range may hold more.")
    if at.gap is not None and at.gap[1] < lack.needed:
        return _of_gap(lack, at, at.gap[0])
    return _of_range(lack, at) if at.is_whole else _of_store(lack, at)


def _of_gap(lack: NotEnough, at: Standing, gap: str) -> Advice:
    """Advise where the newest bars hold a missing one: nothing is carried over it."""
    cause = f"{lack.reason} since {gap}"
    actions = _shorter(lack, at.params)
    carried = "No price is carried over a gap"
    if at.grows:
        when = f"{carried}: it is there again {_after(lack, at)}, if no other comes."
        return Advice(cause, when, actions)
    return Advice(cause, f"{carried}{'; a shorter window holds none' if actions else ''}.", actions)


def _after(lack: NotEnough, at: Standing) -> str:
    """Say how long it takes until the bars that lack have closed."""
    bars = max(lack.needed - lack.had, 1)
    if at.grows == "replay":
        return f"after {formats.count(bars, 'more bar')} of the replay"
    return f"in about {formats.age(bars * at.params.bar.us / 1e6)}"


def _of_range(lack: NotEnough, at: Standing) -> Advice:
    """Advise where all bars that were asked for are there, and are too few."""
    actions = _longer(lack, at)
    remedy = "A longer range has more." if actions else "Shorter bars have more in the same time."
    return Advice(lack.reason, remedy, actions)


def _of_store(lack: NotEnough, at: Standing) -> Advice:
    """Advise where no more bars are stored."""
    stored = f"{formats.count(at.stored_bars, 'bar')} of {at.params.interval} of both legs"
    if at.is_file:
        actions = _shorter(lack, at.params)
        fewer = ", a shorter window needs fewer" if actions else ""
        remedy = f"Shorter bars make more of it{fewer}."
        return Advice(f"{lack.reason}: the file holds {stored}", remedy, actions)
    advice = _of_database(lack, at, f"{lack.reason}: the database holds {stored}")
    return replace(advice, import_words=_import_words(at)) if at.begins else advice


def _import_words(at: Standing) -> str:
    """Name the bars that the range is made of, from the day at which it begins."""
    return f"Fetch {KLINE_WORDS[kline_for(at.params)]} bars from {at.begins} on the Data page"


def _of_database(lack: NotEnough, at: Standing, cause: str) -> Advice:
    fetch = None if at.nothing_earlier else _fetch(at)
    actions = (*([] if fetch is None else [fetch]), *_shorter(lack, at.params))
    if fetch is not None:
        by_itself = f" By itself it is there {_after(lack, at)}." if at.grows else ""
        return Advice(cause, f"The exchange can be asked for those before.{by_itself}", actions)
    before = f"{at.nothing_earlier}. " if at.nothing_earlier else ""
    if at.grows:
        return Advice(cause, f"{before}It is there {_after(lack, at)}.", actions)
    shorter = ", or take a shorter window" if actions else ""
    return Advice(cause, f"{before}{at.idle}{shorter}.", actions)


def _fetch(at: Standing) -> Action | None:
    """Offer the klines that the range and its warm-up are made of; None where there are none."""
    reach = at.params.reach
    if not at.fetches or reach is None:
        return None
    fetch = Fetch(kline_for(at.params), span_to_fetch(at.params, reach))
    return Action(f"Fetch {fetch.words}", fetch=fetch)


def span_to_fetch(params: PairParams, reach: int) -> int:
    """How far back so many bars go, in seconds: whole hours, or days where it is long."""
    wanted_s = (reach + 1) * params.bar.us // 1_000_000  # the newest bar still forms
    whole_s = HOUR_S if wanted_s <= MOST_HOURS * HOUR_S else DAY_S
    return -(-wanted_s // whole_s) * whole_s


def kline_for(params: PairParams) -> KlineName:
    """Name the longest kline that the bars can be made of."""
    bar_s = params.bar.us // 1_000_000
    return "1s" if bar_s < 60 else "1m" if bar_s < 300 else "5m"


def _longer(lack: NotEnough, at: Standing) -> tuple[Action, ...]:
    """Offer the shortest range that holds enough bars; none where no longer one is on offer."""
    params = at.params
    if params.lookback is None:
        return ()
    least = max(lack.needed, params.lookback + 1)
    bar_s = params.bar.us // 1_000_000
    names = choices.lookbacks_on_offer(params.interval, choices.MOST_BARS)[1:]
    enough = [name for name in names if choices.LOOKBACKS_S[name] // bar_s >= least]
    name, key = next(iter(enough), WHOLE), "span" if at.is_file else "lookback"
    if name == WHOLE and not at.is_file:
        return ()
    return (Action(f"Take {name}", ((key, name),)),)


def _shorter(lack: NotEnough, params: PairParams) -> tuple[Action, ...]:
    """Offer the longest window that the bars there are fill; none where that is none."""
    kind = choices.CHOICES["window"]
    assert isinstance(kind, Number), "a window is a number of bars"
    window = kind.step * (_window_of(lack.had, params) // kind.step)
    if not kind.low <= window < params.window:
        return ()
    return (Action(f"Take a window of {window:,} bars", (("window", int(window)),)),)


def _window_of(bars: int, params: PairParams) -> int:
    """Longest window whose z-score and correlation so many bars in a row give; 0 for none."""
    if params.zscore_bars == 1:
        return 0  # a filter's z stands on no window
    follows = params.uses_beta and params.hedge == "rolling_ols" and params.hedge_window is None
    # A window of returns takes a bar more than one of prices.
    if follows:
        return min((bars + 1) // 2, bars - 1)
    return bars - max(params.bars_before_spread, 1)
