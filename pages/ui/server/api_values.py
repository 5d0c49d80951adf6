"""What the API says of rows, alerts and the desk: plain values for JSON, NaN as null."""

import math
from collections.abc import Sequence
from typing import Final

from ingest.version import VERSION
from ingest.watch import Alert, Delivery, Watched, WatchedBasket, WatchRow, WatchStatus
from ingest.watch.message import Outgoing, alert_document, iso_utc

_US_PER_S: Final = 1_000_000

Json = dict[str, object]


def pair_values(list_name: str, row: WatchRow) -> Json:
    """Say what is known of a row of a list; null where it is not."""
    pair = row.pair
    return {
        "list": list_name,
        "y": pair.y,
        "x": pair.x,
        **_own_values(pair),
        "interval": pair.interval,
        "window": pair.window,
        "group": pair.group,
        **_reading_values(row),
        "weights": [number_or_none(weight) for weight in row.weights] or None,
        "signal_since": time_or_none(row.signal_since_us),
        **_tests_values(row),
        "y_age_s": number_or_none(row.y_age_s),
        "x_age_s": number_or_none(row.x_age_s),
        "problem": row.problem,
    }


def _own_values(pair: Watched) -> Json:
    """Say what a pair has, or a basket."""
    if isinstance(pair, WatchedBasket):
        return {
            "symbols": list(pair.symbols), "spread": "log", "hedge": None, "method": pair.method,
        }  # fmt: skip
    return {
        "symbols": [pair.y, pair.x], "spread": pair.spread, "hedge": pair.hedge, "method": None,
    }  # fmt: skip


def _reading_values(row: WatchRow) -> Json:
    reading = row.reading
    figures = {
        "zscore": "zscore",
        "beta": "beta",
        "alpha": "alpha",
        "spread_value": "spread",
        "mean": "mean",
        "std": "std",
        "correlation": "correlation",
        "price_y": "y",
        "price_x": "x",
    }
    return {
        "bar": None if reading is None else iso_utc(reading.time_us),
        "signal": None if reading is None else reading.signal,
        "reason": "" if reading is None else reading.reason,
        "gate": "" if reading is None else reading.gate,
        **{
            key: None if reading is None else number_or_none(getattr(reading, name))
            for key, name in figures.items()
        },
    }


def _tests_values(row: WatchRow) -> Json:
    tests, reading = row.tests, row.reading
    if tests is None:
        return dict.fromkeys(("test", "pvalue", "half_life", "returns", "tests_age_s"))
    newest_us = tests.time_us if reading is None else reading.time_us
    return {
        "test": tests.test,
        "pvalue": number_or_none(tests.pvalue),
        "half_life": number_or_none(tests.half_life),
        "returns": tests.returns,
        "tests_age_s": max(newest_us - tests.time_us, 0) / _US_PER_S,
    }


def alert_values(alert: Alert, public_id: str, deliveries: Sequence[Delivery]) -> Json:
    """Say an alert as channels are sent it, with how far it is on its way to each of them."""
    document = alert_document(Outgoing(alert, public_id))
    del document["repeated"]  # of a delivery, here
    return {
        **document,
        "number": alert.alert_id,
        "suppressed": alert.suppressed,
        "deliveries": [
            {
                "channel": each.channel,
                "state": each.state,
                "attempts": each.attempts,
                "repeated": each.is_repeated,
            }
            for each in deliveries
        ],
    }


def watch_values(status: WatchStatus, newest_alert: int) -> Json:
    """Say how the watch goes."""
    return {
        "evaluating": status.is_evaluating,
        "why_not": status.why_not,
        "pairs": status.pairs,
        "evaluated_per_s": number_or_none(status.evaluated_per_s),
        "behind_s": number_or_none(status.behind_s),
        "late_bars": status.late_bars,
        "last_error": status.last_error,
        "newest_alert": newest_alert,
    }


def state_values(moment_us: int, recorder: Json, watch: Json | None) -> Json:
    """Say how the desk goes; `recorder` is what `/healthz` tells of it."""
    return {"version": VERSION, "time": iso_utc(moment_us), "recorder": recorder, "watch": watch}


def number_or_none(value: float) -> float | None:
    """JSON knows no NaN and no infinity: null is both."""
    return float(value) if math.isfinite(value) else None


def time_or_none(moment_us: int) -> str | None:
    """Write a moment as ISO 8601 in UTC; null before the first."""
    return iso_utc(moment_us) if moment_us else None
