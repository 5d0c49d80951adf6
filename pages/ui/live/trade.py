"""The signal of an analysis as a trade, and whether its tests show a return."""

import math

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import HalfLife
from pages.ui.parts import trade
from pages.ui.parts.judge import judge, shows_return
from pages.ui.parts.trade import Return, SignalAt, Terms


def trade_words(result: PairAnalytics, terms: Terms) -> str:
    """Say what a BUY or a SELL comes to, or why there is no size; "" for NEUTRAL."""
    last = (float(each.iloc[-1]) for each in (result.hedge_ratio, result.y, result.x))
    return trade.trade_words(SignalAt(result.signal_now.signal, *last), result.params, terms)


def caution(result: PairAnalytics) -> str:
    """Say that a return is not shown: by the p-value, or by the half-life; "" where it is."""
    test, half_life = judge(result), math.nan
    if isinstance(result.half_life, HalfLife):
        half_life = result.half_life.half_life if result.half_life.mean_reverting else math.inf
    pvalue = math.nan if isinstance(test, NotEnough | Degenerate) else test.pvalue
    return trade.caution(Return(pvalue, shows_return(result), half_life), result.params)
