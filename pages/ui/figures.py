"""The signal and the eight figures beside it, each with the sample it rests on."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from pages.ui import formats, markup
from pages.ui.chart_view import spread_decimals, spread_unit
from pages.ui.markup import Figure, Tone, signal_block
from pages.ui.notices import sentence
from pages.ui.pair_data import PairBars
from pages.ui.signal_table import ICONS, TONES

US_PER_S = 1_000_000
OPTIMISTIC = (
    "Its p-value takes β as known, but β was chosen from these same prices to make the spread look "
    "stable: at a nominal 5 % it rejects a true null about 15 % of the time, however long the "
    "sample. The Engle-Granger critical values are made for this case."
)


def signal(result: PairAnalytics) -> str:
    """Show the current signal with z, thresholds, time and reason."""
    params, now = result.params, result.signal_now
    limits = f"SELL above {_level(params.sell_above)}, BUY below {_level(params.buy_below)}"
    lines = [formats.with_minus(sentence(now.reason)), limits]
    if now.time is not None:
        lines.append(f"Bar of {formats.utc(now.time)}")
    tone = TONES.get(now.signal)
    return signal_block(now.signal, ICONS[now.signal], formats.zscore(now.zscore), lines, tone)


def _level(threshold: float) -> str:
    return f"{threshold:+g}".replace("-", formats.MINUS) if threshold else "0"


def all_figures(result: PairAnalytics, bars: PairBars, now_us: int) -> list[Figure]:
    """Collect the figures in reading order."""
    params = result.params
    return [
        _price(params.y, result.y, bars, now_us, "leg-y"),
        _price(params.x, result.x, bars, now_us, "leg-x"),
        _spread(result),
        _zscore(result),
        _hedge(result),
        _adf(result),
        _cointegration(result),
        _correlation(result),
    ]


def explain(items: Sequence[Figure], *, key: str) -> None:
    """Offer what each figure means, for keyboards and touch too, where nothing can hover."""
    with st.popover("What the figures mean", key=key):
        st.html(markup.block(markup.explanations(items)))


def _price(symbol: str, closes: pd.Series, bars: PairBars, now_us: int, tone: Tone) -> Figure:
    """Show the newest trade where there is a feed, the last close of a file."""
    decimals = formats.price_decimals(closes.to_numpy())
    unit = formats.quote_currency(symbol)
    trade = bars.last.get(symbol)
    if trade is not None:
        age = formats.age((now_us - trade.time_us) / US_PER_S)
        return Figure(
            symbol, formats.number(trade.price, decimals), (f"{unit}, {age} ago",), tone,
            "Price of the newest stored trade, and how long ago it was.",
        )  # fmt: skip
    known = closes.dropna()
    if known.empty:
        return Figure(symbol, formats.NOT_KNOWN, ("no known close",), tone)
    note = f"{unit}, close of {formats.utc_time(known.index[-1])}"
    return Figure(symbol, formats.number(known.iloc[-1], decimals), (note,), tone)


def _spread(result: PairAnalytics) -> Figure:
    value = formats.number(result.spread.iloc[-1], spread_decimals(result))
    known = int(result.spread.notna().sum())
    notes = (f"{spread_unit(result)}, {result.params.spread}", formats.sample(known))
    return Figure("Spread", value, notes, tip="The spread at the last closed bar.")


def _zscore(result: PairAnalytics) -> Figure:
    filled = window_fill(result.zscore_needs, result.params.window)
    tip = "Distance of the spread from its rolling mean, in its rolling standard deviations."
    return Figure("z-score", formats.zscore(result.zscore.iloc[-1]), (filled,), tip=tip)


def window_fill(needs: NotEnough | None, window: int) -> str:
    """Say how full a trailing window is: "n = 60 bars", or "42 of 60 bars"."""
    return formats.sample(window) if needs is None else f"{needs.had:,} of {needs.needed:,} bars"


def _lacking(label: str, lack: NotEnough | Degenerate) -> Figure:
    """Say in place of a number why there is none."""
    if isinstance(lack, NotEnough):
        return Figure(label, formats.NOT_KNOWN, (f"{lack.had:,} of {lack.needed:,} {lack.unit}",))
    return Figure(label, formats.NOT_KNOWN, (lack.cause,))


def _hedge(result: PairAnalytics) -> Figure:
    fit = result.hedge
    if isinstance(fit, NotEnough | Degenerate):
        return _lacking("Hedge ratio β", fit)
    value = f"{formats.estimate(fit.beta)} ± {formats.estimate(fit.beta_stderr)}"
    notes = (f"R² {formats.statistic(fit.r_squared)}, {formats.sample(fit.nobs)}",)
    tip = (
        f"Least squares of {result.params.y} on {result.params.x} over the lookback; ± one "
        "standard error, which is too small where prices are autocorrelated."
    )
    return Figure("Hedge ratio β ± error", value, notes, tip=tip)


def _adf(result: PairAnalytics) -> Figure:
    test = result.adf
    if isinstance(test, NotEnough | Degenerate):
        return _lacking("ADF of the spread", test)
    notes = (
        f"p {formats.pvalue(test.pvalue)}, 5 % at {formats.statistic(test.critical_values['5%'])}",
        f"{formats.count(test.lags, 'lag')}, {formats.sample(test.nobs)}",
    )
    tip = f"Null hypothesis: {test.null_hypothesis}."
    if result.params.uses_beta:
        tip = f"{tip} {OPTIMISTIC}"
    return Figure("ADF of the spread", formats.statistic(test.stat), notes, tip=tip)


def _cointegration(result: PairAnalytics) -> Figure:
    test, swapped = result.engle_granger, result.engle_granger_swapped
    if isinstance(test, NotEnough | Degenerate):
        return _lacking("Engle-Granger p", test)
    notes = [f"{test.dependent} on {test.regressor}, {formats.sample(test.nobs)}"]
    if not isinstance(swapped, NotEnough | Degenerate):
        other = formats.pvalue(swapped.pvalue)
        notes.append(f"{swapped.dependent} on {swapped.regressor}: {other}")
    tip = f"Null hypothesis: {test.null_hypothesis}. Small means that the two keep together."
    return Figure("Engle-Granger p", formats.pvalue(test.pvalue), tuple(notes), tip=tip)


def _correlation(result: PairAnalytics) -> Figure:
    filled = window_fill(result.correlation_needs, result.params.window)
    on = "log returns" if result.params.correlation_on == "returns" else "prices"
    value = formats.statistic(result.correlation.iloc[-1])
    return Figure("Correlation", value, (f"{on}, {filled}",), tip="Rolling Pearson correlation.")
