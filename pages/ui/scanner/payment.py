"""From where the pairs that a scan found pay for their costs, and how much a year."""

import pandas as pd

from analytics.backtest import levels_that_pay, profit_a_bar, round_trip
from analytics.frames import parse_interval
from pages.ui.parts.annual import is_too_short
from pages.ui.scanner.store import ScanResult


def with_payment(scan: ScanResult, bps: float) -> pd.DataFrame:
    """Add what each discovery comes to at a cost of a fill, fee and half-spread.

    Parameters
    ----------
    scan
        Its own level says what is a discovery; for no other pair is a payment said.
    bps
        At 0 or below, or for a scan kept by an earlier version, the table stays as it is.

    Returns
    -------
    DataFrame
        ``pays_from``, ``entry_level``: standard deviations of y - beta x from which a trade back to
        its mean pays, and from which it earns most; infinity where that comes less than once in the
        bars of the first part, NaN for no discovery. ``return_a_year``: of the money in both legs,
        or, where the first part is too short for a year's rate, ``return_in_bars``: over its bars.
    """
    table = scan.table
    if bps <= 0 or "deviation" not in table:
        return table
    names = ("half_life_unbiased", "deviation", "worth", "bars")
    half_life, deviation, worth, bars = (table[name].to_numpy(dtype=float) for name in names)
    cost = round_trip(worth, bps)
    level = levels_that_pay(half_life, deviation, cost, bars)
    earned = profit_a_bar(level, half_life, deviation, cost) / worth
    least = (cost / deviation).clip(min=0.0)
    interval = parse_interval(scan.settings.interval)
    is_annual = not is_too_short(int(table["bars"].max()), interval.timedelta)
    added = table.assign(
        pays_from=pd.Series(least, index=table.index).where(level < float("inf"), level),
        entry_level=level,
        return_a_year=earned * (interval.bars_per_year if is_annual else float("nan")),
        return_in_bars=earned * bars * (float("nan") if is_annual else 1.0),
        cost_bps=bps,
    )
    added.attrs = table.attrs
    return added
