"""The signal and the six figures beside it, each with its history and the sample it rests on."""

import math
from typing import Final

import numpy as np
import pandas as pd

from analytics.evidence.stability import Stability
from analytics.frames import parse_interval
from analytics.hedge import HedgeFit
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import HalfLife
from ingest.store import LastTrade
from pages.ui.desk.pair_data import PairBars
from pages.ui.live.chart_view import spread_decimals, spread_unit
from pages.ui.live.trade import caution, trade_words
from pages.ui.live.trends import Trend
from pages.ui.methods import what
from pages.ui.parts import formats, markup
from pages.ui.parts.judge import bars_to_show, shows_return
from pages.ui.parts.markup import ICONS, TONES, Figure, Html, Tone, signal_block
from pages.ui.parts.notices import sentence
from pages.ui.parts.trade import Terms
from pages.ui.state.once import once_for_each

US_PER_S: Final = 1_000_000
DECIMALS_FROM: Final = 500
# Methods whose own error allows for a residual that remembers.
LONG_RUN: Final = ("dols", "fmols", "johansen", "kalman")
SPARK_BARS: Final = 120
SPARK_POINTS: Final = 60
LATEST: Final = f"The line: the latest {SPARK_BARS} bars."


def signal(result: PairAnalytics, terms: Terms | None = None, *, is_linked: bool = True) -> Html:
    """Show the current signal with z, thresholds, time, reason, and what speaks against it.

    With `terms` it says what to buy and sell.
    """
    params, now = result.params, result.signal_now
    limits = Html("SELL above {}, BUY below {}").format(
        _level(params.sell_above), _level(params.buy_below)
    )
    rule = markup.about("signal", limits) if is_linked else limits
    lines = [formats.with_minus(sentence(now.reason))]
    if now.time is not None:
        lines.append(f"Bar of {formats.moment(now.time)}")
    tone = TONES.get(now.signal)
    score = formats.zscore(now.zscore)
    trade = "" if terms is None else trade_words(result, terms)
    icon, doubt = ICONS[now.signal], caution(result)
    return signal_block(now.signal, icon, score, lines, tone, rule, trade, doubt)


def _level(threshold: float) -> str:
    return f"{threshold:+g}".replace("-", formats.MINUS) if threshold else "0"


def main_figures(result: PairAnalytics, trend: Trend) -> list[Figure]:
    """Collect the figures in reading order; `trend` is the relation's recent history."""
    return [
        _zscore(result),
        _spread(result),
        _hedge(result, trend),
        _half_life(result, trend),
        _cointegration(result, trend),
        _correlation(result),
    ]


def leg_prices(bars: PairBars, symbols: tuple[str, str], now_us: int) -> list[Html]:
    """Show each leg's newest trade where there is a feed, its last close in a file."""
    tones: tuple[Tone, Tone] = ("leg-y", "leg-x")
    return [
        _leg_price(symbol, leg, bars.last.get(symbol), now_us, tone)
        for symbol, leg, tone in zip(symbols, bars.closed.legs, tones, strict=True)
    ]


@once_for_each
def _decimals(leg: Leg) -> int:
    return formats.price_decimals(leg.close[-DECIMALS_FROM:])


def _leg_price(symbol: str, leg: Leg, trade: LastTrade | None, now_us: int, tone: Tone) -> Html:
    decimals, unit = _decimals(leg), formats.quote_currency(symbol)
    if trade is not None:
        age_s = (now_us - trade.time_us) / US_PER_S
        return markup.leg(symbol, formats.number(trade.price, decimals), unit, tone, age_s)
    price, when = math.nan, "no known close"
    known = np.flatnonzero(np.isfinite(leg.close))
    if known.size:
        closed = pd.Timestamp(leg.start_us + int(known[-1]) * leg.step_us, unit="us", tz="UTC")
        price, when = float(leg.close[known[-1]]), f"bar of {formats.clock(closed)}"
    return markup.leg(symbol, formats.number(price, decimals), f"{unit}, {when}", tone)


def _spread(result: PairAnalytics) -> Figure:
    value = formats.number(result.spread.iloc[-1], spread_decimals(result))
    known = int(result.spread.notna().sum())
    unit, kind = spread_unit(result), result.params.spread
    return Figure(
        "Spread", value,
        (kind if unit == kind else f"{unit}, {kind}", formats.sample(known)),
        tip=f"{what('spread')} {LATEST}",
        spark=_path(result.spread, "spread"), about="spread",
    )  # fmt: skip


def _zscore(result: PairAnalytics) -> Figure:
    return Figure(
        "z-score", formats.zscore(result.zscore.iloc[-1]),
        (_zscore_sample(result),),
        tip=f"{what('z-score')} {LATEST}",
        spark=_path(result.zscore, "z-score"), about="z-score",
    )  # fmt: skip


def _zscore_sample(result: PairAnalytics) -> str:
    """Say what the z-score stands on: its window, or for a filter all bars that it has seen."""
    if result.zscore_needs is None and result.params.zscore_bars == 1:
        return formats.sample(result.hedge.nobs) if isinstance(result.hedge, HedgeFit) else ""
    return window_fill(result.zscore_needs, result.params.window)


def window_fill(needs: NotEnough | None, window: int) -> str:
    """Say how full a trailing window is: "n = 60 bars", or "42 of 60 bars"."""
    return formats.sample(window) if needs is None else f"{needs.had:,} of {needs.needed:,} bars"


def _lacking(label: str, lack: NotEnough | Degenerate, about: str) -> Figure:
    """Say in place of a number why there is none."""
    note = lack.cause if isinstance(lack, Degenerate) else ""
    if isinstance(lack, NotEnough):
        note = f"{lack.had:,} of {lack.needed:,} {lack.unit}"
    return Figure(label, formats.NOT_KNOWN, (note,), about=about)


def _hedge(result: PairAnalytics, trend: Trend) -> Figure:
    fit = result.hedge
    if isinstance(fit, NotEnough | Degenerate):
        return _lacking("Hedge ratio β", fit, "hedge-ratio")
    value = formats.estimate(fit.beta)
    has_hac = math.isfinite(fit.beta_hac_stderr)
    error = fit.beta_hac_stderr if has_hac else fit.beta_stderr
    is_long_run = has_hac or fit.method in LONG_RUN
    if math.isfinite(error):
        value = f"{value} ± {formats.error(error, fit.beta)}"
    notes = (f"{fit.method}, R² {formats.statistic(fit.r_squared)}", formats.sample(fit.nobs))
    tip = (
        f"{what('hedge-ratio')} ± is one standard error, {_allows(is_long_run)}. {_windows(trend)}"
    )
    spark = _trend(trend, "beta")
    return Figure("Hedge ratio β ± error", value, notes, tip=tip, spark=spark, about="hedge-ratio")


def _allows(is_long_run: bool) -> str:
    """Say whether an error counts that prices are related in time."""
    if is_long_run:
        return "which allows for residuals that are related in time"
    return "too small where residuals are related in time"


def _half_life(result: PairAnalytics, trend: Trend) -> Figure:
    half_life, label = result.half_life, "Half-life"
    if not isinstance(half_life, HalfLife):
        return _lacking(label, half_life, "half-life")
    tip = f"{what('half-life')} {_windows(trend)}"
    spark = _trend(trend, "half_life")
    value, note = "none", "the spread does not return"
    if shows_return(result) and half_life.mean_reverting:
        value = f"{formats.number(half_life.half_life, 1)} bars"
        seconds = half_life.half_life * parse_interval(result.params.interval).us / US_PER_S
        note = f"about {formats.age(seconds)}"
    elif half_life.mean_reverting:
        value, note = "not shown", _not_shown(result)
    notes = (note, formats.sample(half_life.nobs))
    return Figure(label, value, notes, tip=tip, spark=spark, about="half-life")


def _not_shown(result: PairAnalytics) -> str:
    """Say that a walk would look alike, and how many bars would tell."""
    bars = bars_to_show(result)
    power = "" if math.isnan(bars) else f"; 80 % power at {bars:,.0f} bars"
    return f"as a random walk may look{power}"


def _cointegration(result: PairAnalytics, trend: Trend) -> Figure:
    test, swapped = result.engle_granger, result.engle_granger_swapped
    label = "Cointegration p"
    if isinstance(test, NotEnough | Degenerate):
        return _lacking(label, test, "engle-granger")
    notes = [f"{test.dependent} on {test.regressor}, {formats.sample(test.nobs)}"]
    if not isinstance(swapped, NotEnough | Degenerate):
        notes.append(f"the other way round: {formats.pvalue(swapped.pvalue)}")
    tip = f"{what('engle-granger')} {_windows(trend)}"
    spark = _trend(trend, "pvalue")
    value = formats.pvalue(test.pvalue)
    return Figure(label, value, tuple(notes), tip=tip, spark=spark, about="engle-granger")


def _correlation(result: PairAnalytics) -> Figure:
    filled = window_fill(result.correlation_needs, result.params.window)
    on = "log returns" if result.params.correlation_on == "returns" else "prices"
    return Figure(
        "Correlation", formats.statistic(result.correlation.iloc[-1]), (on, filled),
        tip=f"{what('correlation')} {LATEST}",
        spark=_path(result.correlation, "correlation"), about="correlation",
    )  # fmt: skip


def _path(series: pd.Series, name: str) -> Html:
    latest = series.to_numpy(dtype=np.float64)[-SPARK_BARS:]
    values = latest[:: -max(1, len(latest) // SPARK_POINTS)][::-1]
    return markup.spark(values.tolist(), f"{name} over the latest {len(latest)} bars")


def _trend(trend: Trend, column: str) -> Html:
    return _trends(trend)[column] if isinstance(trend, Stability) else Html()


@once_for_each
def _trends(trend: Stability) -> dict[str, Html]:
    """Draw each column that has a line; the same for as long as its windows stand."""
    span = f"in {len(trend.table)} windows of {trend.window:,} bars"
    return {
        column: markup.spark(trend.table[column].tolist(), f"{name} {span}")
        for column, name in (("beta", "β"), ("half_life", "half-life"), ("pvalue", "p-value"))
    }


def _windows(trend: Trend) -> str:
    if not isinstance(trend, Stability):
        return ""
    return f"The line: the same in {len(trend.table)} trailing windows of {trend.window:,} bars."
