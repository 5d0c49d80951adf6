"""Alerts and deliveries as rows of the watch's database."""

import logging
import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from ingest.watch.model import Alert, Delivery

_LOG: Final = logging.getLogger("pairdesk.watch")
ALERT = (
    "alert_id, rule, kind, bar_us, fired_us, words, y, x, interval, params, zscore, value, level,"
    " signal, suppressed, channels, is_forming"
)
DELIVERY = "alert_id, channel, state, attempts, next_us, ended_us, error, is_repeated"


def insert_alerts(connection: sqlite3.Connection, alerts: Sequence[Alert]) -> Iterator[Alert]:
    """Insert alerts with their deliveries; those that fit no table are left out, and said."""
    for each in alerts:
        connection.execute("SAVEPOINT alert")
        try:
            yield _insert_alert(connection, each)
        except (sqlite3.IntegrityError, OverflowError, UnicodeError) as error:
            connection.execute("ROLLBACK TO alert")
            _LOG.error("%s", f"an alert of rule {each.rule!r} cannot be kept, and is lost: {error}")
        connection.execute("RELEASE alert")


def _insert_alert(connection: sqlite3.Connection, alert: Alert) -> Alert:
    row = (
        alert.rule,
        alert.kind,
        alert.bar_us,
        alert.fired_us,
        alert.words,
        alert.y,
        alert.x,
        alert.interval,
        alert.params,
        alert.zscore,
        alert.value,
        alert.level,
        alert.signal,
        alert.suppressed,
        msgspec.json.encode(alert.channels).decode(),
        alert.is_forming,
    )
    names = ALERT.removeprefix("alert_id, ")
    places = ", ".join("?" * len(row))
    cursor = connection.execute(
        f"INSERT INTO alert ({names}) VALUES ({places})",  # noqa: S608 - ours
        row,
    )
    alert_id = int(cursor.lastrowid or 0)
    state = "suppressed" if alert.suppressed else "waiting"
    connection.executemany(
        "INSERT INTO delivery (alert_id, channel, state, error) VALUES (?, ?, ?, ?)",
        [(alert_id, channel, state, alert.suppressed) for channel in dict.fromkeys(alert.channels)],
    )
    return replace(alert, alert_id=alert_id)


def alert_of(row: tuple[Any, ...]) -> Alert:
    """Make an alert of the columns `ALERT`."""
    alert_id, rule, kind, bar_us, fired_us, words, y, x, interval, params, *rest = row
    zscore, value, level, signal, suppressed, channels, is_forming = rest
    return Alert(
        rule,
        kind,
        bar_us,
        fired_us,
        words,
        y,
        x,
        interval,
        params,
        number(zscore),
        number(value),
        number(level),
        signal,
        suppressed,
        msgspec.json.decode(channels, type=tuple[str, ...]),
        bool(is_forming),
        alert_id,
    )


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """Make a delivery of the columns `DELIVERY`."""
    alert_id, channel, state, attempts, next_us, ended_us, error, is_repeated = row
    repeated = bool(is_repeated)
    return Delivery(alert_id, channel, state, attempts, next_us, ended_us, error, repeated)


def number(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return math.nan if value is None else float(value)


def prune(connection: sqlite3.Connection, keep: int, at_most: int) -> int:
    """Delete oldest alerts beyond the newest `keep`, but none on its way; returns how many."""
    rows = connection.execute(
        "SELECT alert_id FROM alert WHERE alert_id <= (SELECT max(alert_id) FROM alert) - ?"
        " AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.alert_id = alert.alert_id"
        " AND state IN ('waiting', 'sending')) ORDER BY alert_id LIMIT ?",
        (keep, at_most),
    ).fetchall()
    connection.executemany("DELETE FROM delivery WHERE alert_id = ?", rows)
    connection.executemany("DELETE FROM alert WHERE alert_id = ?", rows)
    return len(rows)
