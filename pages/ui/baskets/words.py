"""What a basket says in words: its verdict with the null named, its figures, its weights."""

import math
from collections.abc import Mapping
from typing import Final

from analytics.baskets import METHOD_TITLES, BasketAnalytics, BasketFit, BasketHalfLife, BasketSize
from analytics.outcome import Degenerate, NotEnough
from analytics.sizes import NoSize
from analytics.stationarity import SpreadTest
from ingest.binance import LotSteps
from pages.ui.baskets import trade
from pages.ui.methods import what
from pages.ui.parts import formats, markup
from pages.ui.parts.markup import ICONS, TONES, Cell, Figure, Html
from pages.ui.parts.notices import sentence
from pages.ui.parts.trade import Return, basket_caution

US_PER_S: Final = 1_000_000
# By `python tests/benchmarks/properties/basket_real_returns.py --draws 199`: see README.md.
REAL_WITH_DRAWS: Final = 6
MOST_MEASURED: Final = 5  # symbols; of more it is not known
WITHOUT_DRAWS: Final = (
    "Where volatility moves, unrelated legs are below 5 % more often than 5 of 100 times."
)


def verdict(result: BasketAnalytics) -> list[str]:
    """Say whether it is more of a return than unrelated walks show, and how often real legs do."""
    test, params = result.test, result.params
    if not isinstance(test, SpreadTest):
        return [f"{sentence(test.reason)}."]
    is_more = test.pvalue < params.level
    head = "More of a return" if is_more else "No more of a return"
    what_is_said = (
        f"{head} than unrelated walks show: {test.name} p {formats.pvalue(test.pvalue)}, level "
        f"{formats.percent(params.level)}"
    )
    return [what_is_said, _null(result)]


def _null(result: BasketAnalytics) -> str:
    """Say how often nothing at all gives as much, by each of the two p-values."""
    table, draws = result.by_table, result.by_draws
    if not isinstance(table, SpreadTest):
        return ""
    walks = (
        "Random walks with nothing in common, searched for weights in the same way, give as much "
        f"in {out_of(table.pvalue)}"
    )
    if draws is None:
        return f"{walks}. {WITHOUT_DRAWS}"
    if not isinstance(draws, SpreadTest):
        failed = f"Drawing walks with the volatility of these bars failed ({draws.reason})"
        return f"{walks}. {failed}. {WITHOUT_DRAWS}"
    drawn = f"walks with the volatility of these very bars in {out_of(draws.pvalue)}"
    return f"{walks}; {drawn}. The larger p counts{_real_returns(len(result.symbols))}."


def _real_returns(symbols: int) -> str:
    """Say how often unrelated real returns pass, where that was measured."""
    if symbols > MOST_MEASURED:
        return ""
    return (
        f": below 5 % for {REAL_WITH_DRAWS} of 100 baskets of unrelated real returns (measured "
        "with 3 and 5 symbols)"
    )


def out_of(pvalue: float) -> str:
    """Write a p-value as so many samples of a round number."""
    if pvalue < 0.0005:
        return "fewer than 1 of 1,000 samples"
    if pvalue < 0.0095:
        return f"{pvalue * 1_000:.0f} of 1,000 samples"
    return f"{pvalue * 100:.0f} of 100 samples"


def signal(result: BasketAnalytics, lots: Mapping[str, LotSteps], capital: float) -> Html:
    """Show the current signal with z, thresholds, since when, and what speaks against it."""
    params, now = result.params, result.signal_now
    rule = markup.about("baskets", Html("SELL above {}, BUY below {}").format(
        _level(params.sell_above), _level(params.buy_below)
    ))  # fmt: skip
    lines = [formats.with_minus(sentence(now.reason)), _since(result)]
    return markup.signal_block(
        now.signal, ICONS[now.signal], formats.zscore(now.zscore),
        [line for line in lines if line], TONES.get(now.signal), rule,
        trade.trade_words(result, lots, capital), _caution(result),
    )  # fmt: skip


def _level(threshold: float) -> str:
    return f"{threshold:+g}".replace("-", formats.MINUS) if threshold else "0"


def _since(result: BasketAnalytics) -> str:
    """Say since which bar the signal is what it is, by the weights of now."""
    if result.signal_now.time is None:
        return ""
    changes = result.signal_changes(1)
    if not changes:
        return "The same in all of the range, by the weights of now"
    return f"Since the bar of {formats.moment(changes[0].time)}, by the weights of now"


def _caution(result: BasketAnalytics) -> str:
    """Say that a return is not shown; "" where it is."""
    test = result.test
    if not isinstance(test, SpreadTest):
        return ""
    is_shown = test.pvalue < result.params.level
    return basket_caution(Return(test.pvalue, is_shown, math.nan), test.name)


def figures(result: BasketAnalytics) -> list[Figure]:
    """Collect the figures in reading order."""
    return [_zscore(result), _test(result), _half_life(result), _spread(result)]


def _zscore(result: BasketAnalytics) -> Figure:
    needs, window = result.zscore_needs, result.params.window
    filled = f"{needs.had:,} of {needs.needed:,} bars" if needs else formats.sample(window)
    return Figure(
        "z-score", formats.zscore(result.signal_now.zscore), (filled,), tip=what("z-score"),
        about="z-score",
    )  # fmt: skip


def _test(result: BasketAnalytics) -> Figure:
    test = result.test
    if not isinstance(test, SpreadTest):
        return _lacking("p-value", test)
    return Figure(
        "p-value", formats.pvalue(test.pvalue), (test.name, formats.sample(test.nobs)),
        tip=what("baskets-test"), about="baskets-test",
    )  # fmt: skip


def _half_life(result: BasketAnalytics) -> Figure:
    found = result.half_life
    if not isinstance(found, BasketHalfLife):
        return _lacking("Half-life", found)
    sample = formats.sample(found.nobs)
    value, note = "none", "the spread does not return"
    if found.mean_reverting and result.pvalue >= result.params.level:
        value, note = "not shown", "as unrelated walks may look"
    elif found.mean_reverting:
        value = f"{formats.number(found.half_life, 1)} bars"
        seconds = found.half_life * result.params.bar.us / US_PER_S
        note = f"about {formats.age(seconds)}; 95 %: {_interval(found)} bars"
    return Figure(
        "Half-life", value, (note, sample), tip=what("baskets-half-life"),
        about="baskets-half-life",
    )  # fmt: skip


def _interval(found: BasketHalfLife) -> str:
    fast, slow = found.interval
    low = formats.number(fast, 1) if math.isfinite(fast) else "0"
    return f"{low} to {formats.number(slow, 1) if math.isfinite(slow) else 'no bound'}"


def _spread(result: BasketAnalytics) -> Figure:
    known = int(result.spread.notna().sum())
    value = float(result.spread.iloc[-1])
    return Figure(
        "Spread", formats.estimate(value), ("log prices, mean 0", formats.sample(known)),
        tip=what("baskets"), about="baskets",
    )  # fmt: skip


def _lacking(label: str, lack: NotEnough | Degenerate) -> Figure:
    """Say in place of a number why there is none."""
    note = lack.cause if isinstance(lack, Degenerate) else ""
    if isinstance(lack, NotEnough):
        note = f"{lack.had:,} of {lack.needed:,} {lack.unit}"
    return Figure(label, formats.NOT_KNOWN, (note,))


def weights_table(result: BasketAnalytics, size: BasketSize | NoSize) -> Html:
    """Set weights with their errors, and what a BUY of the capital is in whole lots."""
    fit = result.fit
    if not isinstance(fit, BasketFit):
        return markup.NOTHING
    has_errors = math.isfinite(float(fit.stderr[-1]))
    head = ["Symbol", "Weight", *(["± error"] if has_errors else []), "Money", "For a BUY"]
    rows = []
    for place, symbol in enumerate(fit.symbols):
        weight, error = float(fit.weights[place]), float(fit.stderr[place])
        cells: list[str | Cell] = [symbol, formats.estimate(weight)]
        if has_errors:
            cells.append(formats.error(error, weight) if place else "fixed")
        cells += [formats.percent(float(fit.money[place])), _order(size, place)]
        rows.append(cells)
    caption = f"Weights: {METHOD_TITLES[fit.method]}, {formats.sample(fit.nobs, 'row')}"
    return markup.table(caption, head, rows)


def _order(size: BasketSize | NoSize, place: int) -> str | Cell:
    if isinstance(size, NoSize):
        return formats.NOT_KNOWN
    leg = size.legs[place]
    return f"{leg.side} {leg.quantity:,f}"


def weights_notes(result: BasketAnalytics, size: BasketSize | NoSize) -> list[str]:
    """Say what the quantities stand on, or why there are none."""
    if isinstance(size, NoSize):
        return [f"No size: {size.reason}."]
    return [f"A BUY with {'; '.join(trade.basis(result, size))}. A SELL is the other way round."]


def changes_table(result: BasketAnalytics, rows: int) -> Html:
    """Set the latest changes of the signal, newest first."""
    latest = result.signal_changes(rows)
    lines = [
        (
            formats.moment(change.time),
            Cell(f"{ICONS[change.signal]} {change.signal}", TONES.get(change.signal)),
            change.previous,
            formats.zscore(change.zscore),
        )
        for change in latest
    ]
    caption = "Latest changes of the signal, by the weights of now"
    return markup.table(caption, ("Bar open", "Signal", "Before", "z-score"), lines)
