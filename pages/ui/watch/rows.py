"""Rows of a watch list as the table in the browser takes them: what stands, and what moves."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.baskets import METHOD_TITLES, BasketParams, basket_lots
from analytics.pair import PairParams, PairReading, PairTestsReading
from analytics.sizes import NoSize
from ingest.watch import Watched, WatchedBasket, WatchRow, basket_choices
from pages.ui.desk.watching import live_choices, range_name, settings_words
from pages.ui.parts import formats
from pages.ui.parts.lots import leg_quote
from pages.ui.parts.notices import sentence
from pages.ui.parts.trade import Return, SignalAt, Terms, basket_caution, caution, trade_legs
from pages.ui.state import choices
from pages.ui.state.clock import shown

# A path is drawn from so many of the latest z-scores, in 64 steps from -3 to 3: a letter each.
PATH_BARS: Final = 40
PATH_HIGHEST: Final = 3.0
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HOLE: Final = "."
LONGEST_RULE: Final = 24
US_PER_S: Final = 1_000_000
WAITING: Final = "Waits for its first closed bar of all legs."
# How a caution begins -> which mark the table shows for it.
_DOUBTS: Final = {"Not shown to revert": 1, "Half-life": 2}

Values = list[str | float | None]


@lru_cache(maxsize=4_096)
def row_id(params: PairParams | BasketParams) -> str:
    """Name a row by what is evaluated: the same for the same pair with the same settings."""
    return blake2b(repr(params).encode(), digest_size=5).hexdigest()


def standing_rows(pairs: Iterable[Watched]) -> list[dict[str, Any]]:
    """Lay out what of each row stands until somebody changes it."""
    return [
        {
            "id": row_id(pair.params),
            "pair": [name for name in (pair.y, pair.x) if name],
            "words": row_words(pair),
            "interval": pair.interval,
            "group": pair.group,
            "pinned": pair.is_pinned,
            "levels": [pair.sell_above, pair.buy_below],
            "page": "baskets" if isinstance(pair, WatchedBasket) else "",
            "link": _link(pair),
        }
        for pair in pairs
    ]


def row_words(pair: Watched) -> str:
    """Say how a pair or a basket is looked at, in short."""
    if not isinstance(pair, WatchedBasket):
        return settings_words(pair)
    parts = [pair.interval, METHOD_TITLES[pair.method], f"{pair.window:,} bars"]
    return ", ".join([*parts, *([] if pair.lookback_s is None else [range_name(pair)])])


def _link(pair: Watched) -> list[tuple[str, str]]:
    """Name what the row's page is to show, a value at a time."""
    if isinstance(pair, WatchedBasket):
        return [(key, each) for key, values in query_of(pair).items() for each in values]
    return [(key, choices.written(value)) for key, value in live_choices(pair).items()]


def query_of(basket: WatchedBasket) -> dict[str, list[str]]:
    """Return the query of the address at which the Baskets page shows a basket."""
    return {
        key: list(map(str, value if isinstance(value, list) else [value]))
        for key, value in basket_choices(basket).items()
    }


def rows_of(pairs: Sequence[Watched], board: Sequence[WatchRow]) -> list[WatchRow]:
    """Give each pair of a list its row of the board, or an empty one until it has one there."""
    by_params = {row.pair.params: row for row in board}
    return [by_params.get(pair.params, WatchRow(pair)) for pair in pairs]


def moving_rows(rows: Iterable[WatchRow], terms: Terms) -> Mapping[str, Values]:
    """Lay out what of each row moves, by the row's name, as short as can be.

    One that has no figures has its problem alone.
    """
    return {row_id(row.pair.params): _values(row, terms) for row in rows}


def _values(row: WatchRow, terms: Terms) -> Values:
    reading = row.reading
    if reading is None:
        return [problem_words(row)]
    return [
        row.problem and problem_words(row),
        _rounded(reading.zscore, 2),
        path_letters(row.zscores),
        reading.signal[:1],
        since_words(row.signal_since_us),
        trade_of(row, terms),
        half_life_words(row.tests),
        pvalue_words(row.tests),
        tests_age_s(reading, row.tests),
        _rounded(reading.correlation, 3),
        reading.y_coverage * 3 + reading.x_coverage,
        _age(row.y_age_s),
        _age(row.x_age_s),
        "" if row.last_alert is None else alert_words(row),
        0 if row.last_alert is None else row.last_alert.alert_id,
        _doubt(row),
    ]


def problem_words(row: WatchRow) -> str:
    """Say in a sentence why a row has no figures, or none that are new."""
    words = sentence(row.problem).rstrip(".")
    return words if words.endswith("?") else f"{words}." if words else WAITING


def signal_at(reading: PairReading) -> SignalAt:
    """Return the signal of a reading with what its size stands on."""
    return SignalAt(reading.signal, reading.beta, reading.y, reading.x)


def trade_of(row: WatchRow, terms: Terms) -> str:
    """Say what of each leg to buy and sell; "" for NEUTRAL."""
    reading, params = row.reading, row.pair.params
    assert reading is not None, "there is a reading"
    if isinstance(params, PairParams):
        return trade_legs(signal_at(reading), params, terms)
    if reading.signal == "NEUTRAL":
        return ""
    quotes = [
        leg_quote(symbol, close, terms.lots)
        for symbol, close in zip(params.symbols, row.closes, strict=True)
    ]
    size = basket_lots(reading.signal, row.weights, quotes, terms.capital)
    if isinstance(size, NoSize):
        return f"no size: {size.reason}"
    return ", ".join(f"{leg.side} {leg.quantity:,f} {leg.symbol}" for leg in size.legs)


def path_letters(zscores: Sequence[float]) -> str:
    """Write the latest z-scores as a letter each, of 64 from -3 to 3; a dot where there is none."""
    latest = np.asarray(zscores[-PATH_BARS:], dtype=np.float64)
    shares = (np.clip(latest, -PATH_HIGHEST, PATH_HIGHEST) + PATH_HIGHEST) / (2 * PATH_HIGHEST)
    steps = np.rint(shares * (len(_LETTERS) - 1))
    return "".join(_HOLE if math.isnan(step) else _LETTERS[int(step)] for step in steps.tolist())


def since_words(since_us: int) -> str:
    """Say since when, in the reader's zone: the time of day, before today the date."""
    if not since_us:
        return ""
    here, now = shown(_utc(since_us)), shown(pd.Timestamp.now(tz="UTC"))
    return f"{here:%H:%M:%S}" if here.date() == now.date() else f"{here:%Y-%m-%d %H:%M}"


def half_life_words(tests: PairTestsReading | None) -> str:
    """Write a half-life as Live does: a number only where the tests show a return."""
    if tests is None or math.isnan(tests.half_life):
        return ""
    if math.isinf(tests.half_life):
        return "none"
    return f"{formats.number(tests.half_life, 1)} bars" if tests.returns else "not shown"


def pvalue_words(tests: PairTestsReading | None) -> str:
    """Write the p-value of the latest tests; "" before there are any."""
    return "" if tests is None else formats.pvalue(tests.pvalue)


def tests_age_s(reading: PairReading, tests: PairTestsReading | None) -> int | None:
    """Return by how much the tests lag behind the reading, in seconds of market time."""
    if tests is None or math.isnan(tests.pvalue):
        return None
    return max(reading.time_us - tests.time_us, 0) // US_PER_S


def alert_words(row: WatchRow) -> str:
    """Say which rule spoke last, and when."""
    alert = row.last_alert
    assert alert is not None, "there is an alert"
    return f"{since_words(alert.bar_us)} {formats.clipped(alert.rule, LONGEST_RULE)}"


def caution_words(row: WatchRow) -> str:
    """Say what speaks against a return, as Live does; of a basket as the Baskets page does."""
    tests = row.tests
    if tests is None:
        return ""
    tested = Return(tests.pvalue, tests.returns, tests.half_life)
    params = row.pair.params
    if isinstance(params, PairParams):
        return caution(tested, params)
    return basket_caution(tested, tests.test)


def _doubt(row: WatchRow) -> int:
    words = caution_words(row)
    return next((mark for start, mark in _DOUBTS.items() if words.startswith(start)), 0)


def _age(seconds: float) -> float | None:
    """Round an age as it will be written: tenths below ten seconds."""
    if not math.isfinite(seconds):
        return None
    return round(seconds, 1) if seconds < 10 else round(seconds)


def _rounded(value: float, decimals: int) -> float | None:
    return round(value, decimals) if math.isfinite(value) else None


def _utc(time_us: int) -> pd.Timestamp:
    return pd.Timestamp(time_us, unit="us", tz="UTC")
