"""Lists of watched pairs as pages change them, and what leads from one of them to Live and back."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from analytics.baskets import BasketParams
from analytics.frames import parse_interval
from analytics.pair import PairParams
from analytics.spread import KINDS_WITH_BETA
from ingest.errors import IngestError
from ingest.watch import (
    Alert,
    Watched,
    WatchedBasket,
    WatchedPair,
    WatchList,
    WatchStore,
    current_watch,
    is_of_basket,
)
from pages.ui.parts import formats
from pages.ui.parts.plain import Tone
from pages.ui.state import choices, ranges
from pages.ui.state.choices import AUTO, CUSTOM, GATE_FIELDS, LEVELS, LIVE, LOOKBACKS_S, RULES
from pages.ui.state.choices import Value as Choice

Row = TypeVar("Row", WatchedPair, WatchedBasket)

SECOND_US: Final = 1_000_000
DAY_S: Final = 86_400
BARS_AFTER: Final = 20  # of an alert's own, that its link shows behind it
FIRST_LIST: Final = "Watchlist"
MOST_PAIRS: Final = 500  # of a list
MOST_BASKETS: Final = 20  # of a list: each costs as much as many pairs
MOST_LISTS: Final = 50
LONGEST_NAME: Final = 60
# What is read of a list is what is written back: two tabs must not lose each other's rows.
_changing: Final = threading.Lock()


class WatchListError(IngestError):
    """A list cannot be changed as asked, with the reason in a user's words."""


@dataclass(frozen=True)
class Added:
    """How many pairs came into a list, and how many were there already."""

    list: str
    new: int
    known: int
    what: str = "pair"

    @property
    def tone(self) -> Tone:
        """How it is shown: adding nothing is no success."""
        return "success" if self.new else "info"

    @property
    def words(self) -> str:
        """Both in a sentence."""
        if not self.new:
            verb = "is" if self.known == 1 else "are"
            return f"{formats.count(self.known, 'pair')} {verb} watched in {self.list} already."
        known = f"; {self.known:,} watched there already" if self.known else ""
        return f"{formats.count(self.new, self.what)} added to {self.list}{known}."


def current_store() -> WatchStore | None:
    """Return the store of this process's watch; None where it has none."""
    watch = current_watch()
    return None if watch is None else watch.store


def pair_of(params: PairParams) -> WatchedPair | None:
    """Return the pair that Live looks at as a list holds it; None for a range that none holds."""
    if params.lookback is None or params.until is not None:
        return None
    if params.lookback > choices.MOST_WATCHED_BARS:
        return None
    seconds = params.lookback * params.bar.us // 1_000_000
    is_auto = seconds == choices.lookback_seconds(AUTO, params.interval)
    return WatchedPair(
        params.y,
        params.x,
        params.interval,
        params.window,
        params.spread,
        params.hedge,
        None if is_auto else seconds,
        params.sell_above,
        params.buy_below,
        params.correlation_on,
        params.level,
        params.hedge_window,
        params.gates,
    )


def basket_of(params: BasketParams) -> WatchedBasket | None:
    """Return a basket of the Baskets page as a list holds it; None for one without a range."""
    if params.lookback is None:
        return None
    seconds = params.lookback * params.bar.us // 1_000_000
    is_auto = seconds == choices.lookback_seconds(AUTO, params.interval)
    return WatchedBasket(
        params.symbols,
        params.interval,
        params.window,
        params.method,
        None if is_auto else seconds,
        params.sell_above,
        params.buy_below,
        params.correlation_on,
        params.level,
        params.gates,
    )


def live_choices(pair: WatchedPair) -> dict[str, Choice]:
    """Say what Live is to show so that it shows a watched pair with its settings."""
    rule = next((each.name for each in RULES.values() if _is_of(pair, each.name)), CUSTOM)
    gates = {f"gate_{name}": bool(getattr(pair.gates, name)) for name in GATE_FIELDS}
    level = next((name for name, level in LEVELS.items() if level == pair.level), "5")
    return {
        "mode": LIVE,
        "s1": pair.y,
        "s2": pair.x,
        "interval": pair.interval,
        "lookback": range_name(pair),
        "window": pair.window,
        "spread": pair.spread,
        "hedge": pair.hedge,
        "rule": rule,
        **({"sell": pair.sell_above, "buy": pair.buy_below} if rule == CUSTOM else {}),
        "level": level,
        **gates,
    }


def _is_of(pair: WatchedPair, rule: str) -> bool:
    return (pair.sell_above, pair.buy_below) == (RULES[rule].sell_above, RULES[rule].buy_below)


def alert_link(alert: Alert, now_us: int) -> str:
    """Return the query at which a page shows what an alert spoke of, at its bar; "" for the desk.

    Of a pair: Live with the settings that it was made with, from – to around the bar, which is
    marked. A basket's page ends now.
    """
    chosen = dict(parse_qsl(alert.params))
    interval = chosen.get("interval", alert.interval)
    if not alert.params or is_of_basket(alert.params) or not interval:
        return alert.params
    bar_us = parse_interval(interval).us
    length_s = choices.lookback_seconds(chosen.get("lookback", AUTO), interval) or DAY_S
    after_us = max(BARS_AFTER * bar_us, length_s * SECOND_US // 10)
    whole_us = (now_us // bar_us) * bar_us
    end_us = max(min(alert.bar_us + after_us, whole_us), alert.bar_us + bar_us)
    end_s = end_us // SECOND_US
    marked = {"from": end_s - length_s, "to": end_s, "bar": alert.bar_us // SECOND_US}
    return urlencode(chosen | {key: ranges.moment_name(at) for key, at in marked.items()})


def range_name(pair: Watched) -> str:
    """Name the range of a pair as Live has it: the shortest there that holds all of it."""
    if pair.lookback_s is None:
        return AUTO
    offered = choices.lookbacks_on_offer(pair.interval)[1:]
    long_enough = (name for name in offered if LOOKBACKS_S[name] >= pair.lookback_s)
    return next(long_enough, offered[-1])


def settings_words(pair: WatchedPair) -> str:
    """Say how a pair is looked at, in short: "1s, log, ols, 60 bars, 30min"."""
    hedge = [pair.hedge] if pair.spread in KINDS_WITH_BETA else []
    parts = [pair.interval, pair.spread, *hedge, f"{pair.window:,} bars"]
    return ", ".join([*parts, *([] if pair.lookback_s is None else [range_name(pair)])])


def without_symbols(pair: WatchedPair) -> WatchedPair:
    """Return the settings of a pair, as a list has them."""
    return replace(pair, y="", x="", group="", is_pinned=False)


def with_settings(pair: WatchedPair, settings: WatchedPair) -> WatchedPair:
    """Return a pair with other settings; its symbols, group and pin are kept."""
    return replace(settings, y=pair.y, x=pair.x, group=pair.group, is_pinned=pair.is_pinned)


def basket_with_settings(basket: WatchedBasket, settings: WatchedPair) -> WatchedBasket:
    """Return a basket with what of a list's settings it has; the rest is kept, its method too."""
    return replace(
        basket,
        interval=settings.interval,
        window=settings.window,
        lookback_s=settings.lookback_s,
        sell_above=settings.sell_above,
        buy_below=settings.buy_below,
        correlation_on=settings.correlation_on,
        level=settings.level,
        gates=settings.gates,
    )


def lists_with(store: WatchStore, pair: Watched) -> list[str]:
    """Name the lists that hold a pair or a basket with the same settings."""
    wanted = pair.params
    return [each.name for each in store.lists() if wanted in {row.params for row in each.rows}]


def checked_name(store: WatchStore, name: str) -> str:
    """Return the name of a new list as it is kept.

    Raises
    ------
    WatchListError
        It is empty, too long, or a list has it; or there are as many as there may be.
    """
    kept = name.strip()
    if not kept or len(kept) > LONGEST_NAME or not kept.isprintable():
        raise WatchListError(f"the name of a list has 1 to {LONGEST_NAME} characters")
    names = [each.name for each in store.lists()]
    if kept in names:
        raise WatchListError(f"there is a list {kept} already")
    if len(names) >= MOST_LISTS:
        raise WatchListError(f"there are {MOST_LISTS} lists already: remove one first")
    return kept


def make_list(store: WatchStore, name: str) -> str:
    """Make an empty list; returns its name. Raises as `checked_name`."""
    with _changing:
        kept = checked_name(store, name)
        store.save_list(WatchList(kept))
    return kept


def rename_list(store: WatchStore, name: str, new: str) -> str:
    """Give a list another name; returns it. Raises as `checked_name`."""
    with _changing:
        kept = checked_name(store, new)
        store.rename_list(name, kept)
    return kept


def change_list(
    store: WatchStore, name: str, change: Callable[[WatchList], WatchList]
) -> WatchList:
    """Change a list as it stands at this moment; one that is not there is begun.

    Raises
    ------
    WatchListError
        It would hold more pairs or baskets than it may.
    """
    with _changing:
        before = next((each for each in store.lists() if each.name == name), WatchList(name))
        after = change(before)
        if len(after.pairs) > max(MOST_PAIRS, len(before.pairs)):
            raise WatchListError(
                f"lists hold {MOST_PAIRS} pairs at most, {name} would have {len(after.pairs):,}"
            )
        if len(after.baskets) > max(MOST_BASKETS, len(before.baskets)):
            raise WatchListError(
                f"a list holds {MOST_BASKETS} baskets, {name} would have {len(after.baskets):,}"
            )
        if after != before:
            store.save_list(after)
    return after


def add_pairs(store: WatchStore, name: str, rows: Sequence[Watched]) -> Added:
    """Add pairs and baskets to a list, each once: one with other settings is another row.

    Raises
    ------
    WatchListError
        As `change_list`.
    """
    pairs = [row for row in rows if isinstance(row, WatchedPair)]
    baskets = [row for row in rows if isinstance(row, WatchedBasket)]
    new = 0

    def add(watched: WatchList) -> WatchList:
        nonlocal new
        added = each_once(pairs, watched.pairs), each_once(baskets, watched.baskets)
        new = len(added[0]) + len(added[1])
        return replace(
            watched,
            pairs=(*watched.pairs, *added[0]),
            baskets=(*watched.baskets, *added[1]),
        )

    change_list(store, name, add)
    what = "row" if pairs and baskets else "basket" if baskets else "pair"
    return Added(name, new, len(rows) - new, what)


def each_once(rows: Iterable[Row], there: Iterable[Row] = ()) -> tuple[Row, ...]:
    """Leave out rows whose like, with the same settings, is there or came before."""
    seen: set[PairParams | BasketParams] = {each.params for each in there}
    new: list[Row] = []
    for row in rows:
        if row.params not in seen:
            seen.add(row.params)
            new.append(row)
    return tuple(new)
