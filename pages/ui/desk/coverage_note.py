"""How much of the bars in sight is known, and where they are the exchange's own."""

from typing import Final

import pandas as pd

from analytics.pair import PairAnalytics
from pages.ui.desk.pair_data import LegKlines, PairBars, Stretch
from pages.ui.parts import formats

MOST_STRETCHES: Final = 3
MOST_SOURCES: Final = 4


def coverage_words(result: PairAnalytics, bars: PairBars) -> list[str]:
    """Say it in a sentence or two; result without bars gives none."""
    covered = result.coverage
    if not covered.bars:
        return []
    known = formats.share(covered.known, covered.bars)
    sentence = f"Covered {known} of {formats.count(covered.bars, 'bar')}"
    if covered.missing:
        sentence = f"{sentence}; {covered.missing:,} missing in gaps"
    sources = _source_words(result, bars)
    owners = sources or [*_kline_words(result, bars), *_gap_words(result, bars)]
    return [f"{sentence}.", *owners, *_short_words(result)]


def _short_words(result: PairAnalytics) -> list[str]:
    """Say where what is held begins after the range does: a share of what is held is not all."""
    asked = result.params.lookback
    if asked is None or result.coverage.bars >= asked:
        return []
    return [
        f"The range asks for {formats.count(asked, 'bar')}; of both legs none earlier are held."
    ]


def first_bar(result: PairAnalytics) -> str:
    """Say where the range begins."""
    index = result.zscore.index
    return f"First bar {_when(index[0], index[-1])}."


def last_bar(result: PairAnalytics) -> str:
    """Say where a range that ended does, and that the figures are as of its last bar."""
    return f"Signal and figures as of its last bar, {formats.moment(result.zscore.index[-1])}."


def _source_words(result: PairAnalytics, bars: PairBars) -> list[str]:
    """Name the sources of the bars with their spans, where they are known and not all one."""
    start = result.zscore.index[0]
    owners: dict[tuple[pd.Timestamp, pd.Timestamp, str], list[str]] = {}
    legs = zip((result.params.y, result.params.x), bars.closed.sources, strict=True)
    for symbol, spans in legs:
        for low, high, words in spans:
            if high > start:
                owners.setdefault((max(low, start), high, words), []).append(symbol)
    if len({words for _, _, words in owners}) < 2:
        return []
    named = sorted(owners.items())
    last = [
        f"{words} {formats.span(low, high)}{f' ({symbols[0]})' if len(symbols) == 1 else ''}"
        for (low, high, words), symbols in named[-MOST_SOURCES:]
    ]
    others = len(named) - len(last)
    more = [f"{others:,} earlier stretch{'es' if others > 1 else ''}"] if others else []
    return [f"Sources: {', '.join([*more, *last])}."]


def _kline_words(result: PairAnalytics, bars: PairBars) -> list[str]:
    start = result.zscore.index[0]
    inside = {
        symbol: _when(klines.until, start)
        for symbol, klines in _klines_by_symbol(result, bars)
        if klines.until is not None and klines.until > start
    }
    if not inside:
        return []
    if len(inside) == 2 and len(set(inside.values())) == 1:
        before = next(iter(inside.values()))
    else:
        before = " and ".join(f"{when} ({symbol})" for symbol, when in inside.items())
    return [f"Bars before {before} are the exchange's own klines."]


def _gap_words(result: PairAnalytics, bars: PairBars) -> list[str]:
    """Name the stretches in which trades are missing and the exchange's klines are not."""
    start = result.zscore.index[0]
    owners: dict[Stretch, set[str]] = {}
    for symbol, klines in _klines_by_symbol(result, bars):
        for low, high in klines.spans:
            if high > start:
                owners.setdefault((max(low, start), high), set()).add(symbol)
    named = sorted(_joined(owners).items())
    if not named:
        return []
    last = [_stretch(*each) for each in named[-MOST_STRETCHES:]]
    others = len(named) - len(last)
    more = [f"in {formats.count(others, 'earlier gap')}"] if others else []
    return [f"Bars {', '.join([*more, *last])} are the exchange's own klines: trades are missing."]


def _klines_by_symbol(
    result: PairAnalytics, bars: PairBars
) -> tuple[tuple[str, LegKlines], tuple[str, LegKlines]]:
    y, x = bars.closed.klines
    return (result.params.y, y), (result.params.x, x)


def _joined(owners: dict[Stretch, set[str]]) -> dict[Stretch, set[str]]:
    """Join stretches of both legs that overlap: the ends differ by a trade or two."""
    joined: list[tuple[Stretch, set[str]]] = []
    for (low, high), symbols in sorted(owners.items()):
        if joined and low <= joined[-1][0][1]:
            (first, last), known = joined[-1]
            joined[-1] = (first, max(last, high)), known | symbols
        else:
            joined.append(((low, high), symbols))
    return dict(joined)


def _stretch(span: Stretch, symbols: set[str]) -> str:
    whose = f" ({next(iter(symbols))})" if len(symbols) == 1 else ""
    return f"from {formats.span(*span)}{whose}"


def _when(time: pd.Timestamp, beside: pd.Timestamp) -> str:
    return formats.clock(time) if time.date() == beside.date() else formats.moment(time)
