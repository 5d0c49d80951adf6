"""What a basket was asked for: the controls above it, and the same as a plain record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import streamlit as st

from analytics.baskets import LEAST_SYMBOLS, LEAST_TRAIN, MOST_SYMBOLS, BasketMethod, BasketParams
from analytics.frames import INTERVALS, parse_interval
from analytics.pair import DATA_GATES, Gates
from pages.ui.state import choices
from pages.ui.state.choices import AUTO, LEVELS, WHOLE
from pages.ui.state.page_choices import PAGE_CHOICES, PAGE_NUMBERS

RECORDED: Final = "Recorded symbols"
TICKS: Final = "Tick file"
SOURCES: Final = (RECORDED, TICKS)
FIRST: Final = 4  # of the symbols on offer, while nobody chose
MOST_BARS: Final = 20_000  # of a range; more take the analysis of eight symbols seconds
GATES: Final[dict[str, Gates]] = {
    "none": replace(DATA_GATES, leg_stale=False, window_covered=False, enough_bars=False),
    "data": DATA_GATES,
    "data and p": replace(DATA_GATES, pvalue=True),
    "data, p and half-life": replace(DATA_GATES, pvalue=True, half_life=True),
}
METHODS: Final[dict[str, BasketMethod]] = {
    "Johansen": "johansen",
    "Box-Tiao": "box_tiao",
    "Shortest half-life": "min_half_life",
}

SOURCE_HELP: Final = (
    "Recorded symbols: the live database, or the replay that is played. Tick file: NDJSON or CSV "
    "of trades with three symbols or more."
)
SYMBOLS_HELP: Final = f"{LEAST_SYMBOLS} to {MOST_SYMBOLS} of them. The first one has weight 1."
METHOD_HELP: Final = (
    "All weigh log prices. Johansen: the relation that an error-correction model finds strongest. "
    "Box-Tiao: the combination whose next bar its last one says least of. Shortest half-life: the "
    "one whose deviations shrink fastest."
)
INTERVAL_HELP: Final = "Length of a bar."
RANGE_HELP: Final = (
    "How far back from the last bar. Weights and tests use these bars; windows at its beginning "
    "see the bars before it."
)
WINDOW_HELP: Final = "Closed bars behind each mean, standard deviation and z-score."
LEVEL_HELP: Final = "A return is shown where p is below it."
GATES_HELP: Final = (
    "What makes the signal NEUTRAL. data: a leg that is stale, seldom trades or lacks bars. p and "
    "half-life: no return is shown on the ten windows before, by weights fitted to those, or its "
    "half-life is longer than the window."
)
CAPITAL_HELP: Final = (
    "Money in all legs together. Each quantity is rounded down to the exchange's lot step."
)
FEE_HELP: Final = "What each fill of each leg costs, in basis points of its money."
TRAIN_HELP: Final = (
    "The backtest trades each window by weights of the bars before it alone: of so many windows, "
    f"{MOST_BARS:,} bars at most."
)


@dataclass(frozen=True)
class BasketChoice:
    """What the reader asked for: the basket, the money to size, and how it is tried.

    Attributes
    ----------
    params
        What every figure but those of the backtest stands on.
    capital
        Money in all legs together, quote currency.
    fee_bps
        Cost of each fill, in basis points of its money.
    train_windows
        Windows whose bars each fit of the backtest stands on.
    with_backtest
        Whether the backtest is shown, which needs bars before the range to fit on.
    """

    params: BasketParams
    capital: float
    fee_bps: float
    train_windows: int
    with_backtest: bool = False

    @property
    def train_bars(self) -> int:
        """Bars that each fit of the backtest stands on: 60 to 20,000."""
        return min(max(self.train_windows * self.params.window, LEAST_TRAIN), MOST_BARS)

    @property
    def bars_to_read(self) -> int | None:
        """Latest bars that what is shown is made of; None for all there are."""
        reach = self.params.reach
        return reach + self.train_bars if reach is not None and self.with_backtest else reach


@dataclass(frozen=True)
class _Rule:
    sell_above: float
    buy_below: float
    level: float
    gates: Gates
    capital: float
    fee_bps: float
    train_windows: int


def choose_source() -> str:
    """Choose where the symbols are from."""
    chosen = st.segmented_control(
        "Basket of", SOURCES, default=RECORDED, key="basket_source", bind="query-params",
        required=True, help=SOURCE_HELP,
    )  # fmt: skip
    return str(chosen) if chosen in SOURCES else RECORDED


def choose_basket(symbols: Sequence[str], *, may_read_all: bool) -> BasketChoice | None:
    """Choose a basket of these symbols; None while fewer than three are chosen.

    Raises
    ------
    AnalyticsError
        Choices that do not go together.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Symbols", list(symbols), list(symbols[:FIRST]), key="basket_symbols",
            bind="query-params", max_selections=MOST_SYMBOLS, help=SYMBOLS_HELP, width=420,
        )  # fmt: skip
        method = METHODS[_select("Weights by", "basket_method", list(METHODS), METHOD_HELP, 170)]
        interval, range_ = _choose_bars(may_read_all=may_read_all)
        window = int(_number("Window (bars)", "basket_window", WINDOW_HELP, width=130))
        rule = _choose_rule()
    if len(chosen) < LEAST_SYMBOLS:
        return None
    length_s = choices.lookback_seconds(range_, interval)
    params = BasketParams(
        tuple(map(str, chosen)), interval, _bars(length_s, interval), window, method,
        sell_above=rule.sell_above, buy_below=rule.buy_below, level=rule.level, gates=rule.gates,
    )  # fmt: skip
    return BasketChoice(params, rule.capital, rule.fee_bps, rule.train_windows)


def _choose_bars(*, may_read_all: bool) -> tuple[str, str]:
    names = [each.name for each in INTERVALS]
    interval = _select("Interval", "basket_interval", names, INTERVAL_HELP, 100)
    ranges = _ranges(interval)
    if may_read_all:
        ranges += (WHOLE,)
    # A range that the interval or the source no longer has: as it was at first.
    if st.session_state.get("basket_range", AUTO) not in ranges:
        del st.session_state["basket_range"]
    return interval, _select("Range", "basket_range", ranges, RANGE_HELP, 100)


def _ranges(interval: str) -> tuple[str, ...]:
    """Name the ranges that hold two bars to `MOST_BARS`."""
    return tuple(
        name
        for name in choices.lookbacks_on_offer(interval)
        if (_bars(choices.lookback_seconds(name, interval), interval) or 0) <= MOST_BARS
    )


def _choose_rule() -> _Rule:
    """Choose thresholds, money and the backtest's terms: what is seldom changed."""
    with st.popover("Rule and money", key="basket_rule"):
        return _Rule(
            _number("SELL above z", "basket_sell"),
            _number("BUY below z", "basket_buy"),
            LEVELS[_select("Level of tests (%)", "basket_level", list(LEVELS), LEVEL_HELP)],
            GATES[_select("Gates", "basket_gates", list(GATES), GATES_HELP)],
            _number("Capital", "basket_capital", CAPITAL_HELP),
            _number("Fee a fill (bps)", "basket_fee", FEE_HELP),
            int(_number("Backtest: windows to fit on", "basket_train", TRAIN_HELP)),
        )


def _bars(length_s: int | None, interval: str) -> int | None:
    return None if length_s is None else length_s * 1_000_000 // parse_interval(interval).us


def _select(
    label: str,
    key: str,
    options: Sequence[str],
    help_: str,
    width: int | Literal["stretch"] = "stretch",
) -> str:
    first = str(PAGE_CHOICES[key].default)
    chosen = st.selectbox(
        label, options, options.index(first), key=key, bind="query-params", help=help_, width=width
    )
    return str(chosen)


def _number(
    label: str, key: str, help_: str | None = None, *, width: int | Literal["stretch"] = "stretch"
) -> float:
    kind = PAGE_NUMBERS[key]
    # Of one type all four, or Streamlit refuses them; a union of both is too much for mypy.
    low, high, default, step = map(
        type(kind.default), (kind.low, kind.high, kind.default, kind.step)
    )
    return st.number_input(
        label, low, high, default, step, key=key, bind="query-params", help=help_, width=width
    )
