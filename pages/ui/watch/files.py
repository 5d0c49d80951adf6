"""The table as a CSV with every digit, which the page reads back as a list."""

import math
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import pandas as pd

from analytics.pair import PairParams, PairReading
from ingest.watch import WatchedBasket, WatchRow, current_watch
from pages.ui.desk.watching import range_name
from pages.ui.parts.csv_file import csv_bytes
from pages.ui.parts.files import Offer
from pages.ui.parts.trade import Terms, trade_words
from pages.ui.state.served_files import MadeFile
from pages.ui.watch.rows import caution_words, rows_of, signal_at, trade_of

COVERAGE: Final = ("traded", "quiet", "missing")


def offer(name: str, terms: Terms) -> Offer:
    """Offer a list as it is at the click."""
    return Offer("Table (CSV)", "watch-csv", partial(_make, name, terms))


def _make(name: str, terms: Terms, _: str) -> MadeFile:
    watch = current_watch()
    lists = () if watch is None else watch.store.lists()
    pairs = next((each.rows for each in lists if each.name == name), ())
    board = () if watch is None else watch.board.rows().get(name, ())
    stem = "".join(each if each.isalnum() else "-" for each in name)
    return MadeFile(f"watch_{stem}.csv", "text/csv", table_csv(rows_of(pairs, board), terms))


def table_csv(rows: list[WatchRow], terms: Terms) -> bytes:
    """Write rows with their settings, their figures and what comes of them; times in UTC."""
    return csv_bytes(pd.DataFrame([_line(row, terms) for row in rows]))


def _line(row: WatchRow, terms: Terms) -> dict[str, Any]:
    return {**_settings(row), **_figures(row, terms), **_tests(row), **_alert(row)}


def _settings(row: WatchRow) -> dict[str, Any]:
    pair = row.pair
    spread, hedge = (
        ("log", pair.method) if isinstance(pair, WatchedBasket) else (pair.spread, pair.hedge)
    )
    return {
        "y": pair.y, "x": pair.x, "interval": pair.interval, "window": pair.window,
        "spread": spread, "hedge": hedge, "range": range_name(pair),
        "sell": pair.sell_above, "buy": pair.buy_below, "level": f"{pair.level * 100:g}",
        "group": pair.group,
    }  # fmt: skip


def _figures(row: WatchRow, terms: Terms) -> dict[str, Any]:
    reading = row.reading
    if reading is None:
        return {"problem": row.problem}
    figures = {
        name: value
        for name, value in asdict(reading).items()
        if name not in {"y", "x", "spread", "y_coverage", "x_coverage", "time_us"}
    }
    return {
        "problem": row.problem,
        "bar": _iso(reading.time_us),
        "price_y": reading.y,
        "price_x": reading.x,
        "spread_value": reading.spread,
        **figures,
        "signal_since": _iso(row.signal_since_us),
        "buy_and_sell": _trade(row, reading, terms),
        "y_coverage": COVERAGE[reading.y_coverage],
        "x_coverage": COVERAGE[reading.x_coverage],
        "y_age_s": row.y_age_s,
        "x_age_s": row.x_age_s,
    }


def _trade(row: WatchRow, reading: PairReading, terms: Terms) -> str:
    params = row.pair.params
    if isinstance(params, PairParams):
        return trade_words(signal_at(reading), params, terms)
    return trade_of(row, terms)


def _tests(row: WatchRow) -> dict[str, Any]:
    tests = row.tests
    if tests is None:
        return {"pvalue": math.nan, "half_life": math.nan}
    return {
        "pvalue": tests.pvalue, "test": tests.test, "half_life": tests.half_life,
        "tests_until": _iso(tests.time_us), "caution": caution_words(row),
    }  # fmt: skip


def _alert(row: WatchRow) -> dict[str, Any]:
    alert = row.last_alert
    if alert is None:
        return {"last_alert": "", "last_alert_bar": ""}
    return {"last_alert": alert.words, "last_alert_bar": _iso(alert.bar_us)}


def _iso(time_us: int) -> str:
    if not time_us:
        return ""
    return f"{pd.Timestamp(time_us, unit='us', tz='UTC'):%Y-%m-%dT%H:%M:%SZ}"
