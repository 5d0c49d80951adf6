"""How much of the bars in sight is known, and where they are the exchange's own."""

import pandas as pd

from analytics.pair import PairAnalytics
from pages.ui import formats
from pages.ui.pair_data import PairBars


def coverage_words(result: PairAnalytics, bars: PairBars) -> list[str]:
    """Say it in a sentence or two; result without bars gives none."""
    covered = result.coverage
    if not covered.bars:
        return []
    known = formats.share(covered.known, covered.bars)
    told = f"Covered {known} of {formats.count(covered.bars, 'bar')}"
    if covered.missing:
        told = f"{told}; {covered.missing:,} missing in gaps"
    return [f"{told}.", *_kline_words(result, bars)]


def first_bar(result: PairAnalytics) -> str:
    """Say where the range begins."""
    index = result.zscore.index
    return f"First bar {_when(index[0], index[-1])}."


def _kline_words(result: PairAnalytics, bars: PairBars) -> list[str]:
    start = result.zscore.index[0]
    legs = ((result.params.y, bars.y_bars), (result.params.x, bars.x_bars))
    untils: dict[str, pd.Timestamp] = {
        symbol: leg.attrs["klines_until"] for symbol, leg in legs if "klines_until" in leg.attrs
    }
    inside = {symbol: _when(until, start) for symbol, until in untils.items() if until > start}
    if not inside:
        return []
    if len(inside) == 2 and len(set(inside.values())) == 1:
        before = next(iter(inside.values()))
    else:
        before = " and ".join(f"{when} ({symbol})" for symbol, when in inside.items())
    return [f"Bars before {before} are the exchange's own klines."]


def _when(time: pd.Timestamp, beside: pd.Timestamp) -> str:
    return formats.clock(time) if time.date() == beside.date() else formats.moment(time)
