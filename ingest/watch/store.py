"""What is watched, where each rule stands, and every alert with its way out: in one database."""

import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from analytics.alerts import AlertRule, RuleState
from ingest.watch.alert_rows import (
    ALERT,
    DELIVERY,
    alert_of,
    delivery_of,
    insert_alerts,
    number,
    prune,
)
from ingest.watch.database import WatchDatabase, watch_path
from ingest.watch.gone import NOTHING, Gone
from ingest.watch.model import Alert, Delivery, Silence, WatchList

__all__ = ["NO_PAIR", "WatchStore", "watch_path"]

T = TypeVar("T")
_LOG: Final = logging.getLogger("pairdesk.watch")

# Key of a rule's state that is of no pair.
NO_PAIR: Final = ""


class WatchStore:
    """Lists, rules, states, alerts and deliveries. Any thread.

    Raises
    ------
    StoreError
        From any method: the database cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._database = WatchDatabase(path)
        self._unread: set[object] = set()

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self._database.path

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def public_id(self, alert_id: int) -> str:
        """Name an alert for the world outside: unique over databases, the same on a repeat."""
        return f"{self._database.name}-{alert_id}"

    # What is watched: each change raises the revision, by which others see that there was one.

    def revision(self) -> int:
        """Count of changes to lists, rules and silences."""
        return int(self._one("SELECT value FROM meta WHERE key = 'revision'"))

    def lists(self) -> tuple[WatchList, ...]:
        """Every list, in the reader's order."""
        return self._documents("watch_list", WatchList)

    def rules(self) -> tuple[AlertRule, ...]:
        """Every rule, in the reader's order."""
        return self._documents("rule", AlertRule)

    def save_list(self, watched: WatchList) -> None:
        """Keep a list under its name, in place of one that had it."""
        self._save(watched)

    def save_rule(self, rule: AlertRule) -> None:
        """Keep a rule under its name, in place of one that had it; where it stands is kept."""
        self._save(rule)

    def save_all(
        self, lists: Sequence[WatchList], rules: Sequence[AlertRule], mark: str = ""
    ) -> None:
        """Keep these under their names, all at once; what is kept so already changes nothing.

        With a `mark` they are kept once: what the reader made of them since then stays.
        """
        with self._database.transaction() as connection:
            if mark and not _leaves_mark(connection, mark):
                return
            known: set[WatchList | AlertRule] = {*self.lists(), *self.rules()}
            given: tuple[WatchList | AlertRule, ...] = (*lists, *rules)
            for each in given:
                if each not in known:
                    _put(connection, each)
            if not known.issuperset(given):
                _raise_revision(connection)

    def rename_list(self, name: str, new: str) -> None:
        """Give a list another name, in its place; the rules that look at it follow."""
        lists = [replace(each, name=new) for each in self.lists() if each.name == name]
        rules = [replace(each, list=new) for each in self.rules() if each.list == name]
        with self._database.transaction() as connection:
            for watched in lists:
                connection.execute(
                    "UPDATE watch_list SET name = ?, document = ? WHERE name = ?",
                    (new, msgspec.json.encode(watched).decode(), name),
                )
            for rule in rules:
                connection.execute(
                    "UPDATE rule SET document = ? WHERE name = ?",
                    (msgspec.json.encode(rule).decode(), rule.name),
                )
            _raise_revision(connection)

    def remove_list(self, name: str) -> None:
        """Remove a list; alerts of its pairs stay."""
        self._change("DELETE FROM watch_list WHERE name = ?", (name,))

    def remove_rule(self, name: str) -> None:
        """Remove a rule and where it stands; its alerts stay."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM rule WHERE name = ?", (name,))
            _forget_rule(connection, name)
            _raise_revision(connection)

    def silences(self) -> tuple[Silence, ...]:
        """Every silence that was begun and not ended, those run out too."""
        rows = self._database.read(
            "SELECT silence_id, until_us, rule, y, x, why FROM silence ORDER BY silence_id"
        )
        return tuple(Silence(*row) for row in rows)  # type: ignore[arg-type] # of those columns

    def add_silence(self, silence: Silence) -> None:
        """Begin a silence; its id is given here."""
        self._change(
            "INSERT INTO silence (until_us, rule, y, x, why) VALUES (?, ?, ?, ?, ?)",
            (silence.until_us, silence.rule, silence.y, silence.x, silence.why),
        )

    def end_silence(self, silence_id: int) -> None:
        """End a silence before its time."""
        self._change("DELETE FROM silence WHERE silence_id = ?", (silence_id,))

    # Where the rules stand.

    def states(self) -> dict[tuple[str, str], RuleState]:
        """State of each rule on each pair, by rule and pair's key; `NO_PAIR` for the desk."""
        rows = self._database.read(
            "SELECT rule, pair, name, since_us, bars, is_armed, fired_us, fired, anchor, seen_us,"
            " was_quiet FROM rule_state"
        )
        return {(str(rule), str(pair)): _state(*rest) for rule, pair, *rest in rows}

    def times_forgotten(self) -> dict[str, int]:
        """How often each rule was begun anew: removed, or made to look at something else."""
        rows = self._database.read(
            "SELECT substr(key, 11), value FROM meta WHERE key GLOB 'forgotten *'"
        )
        return dict(rows)  # type: ignore[arg-type] # of those columns

    def evaluated(self) -> dict[str, int]:
        """Up to which bar each pair was evaluated: open of it, µs, by the pair's key."""
        return dict(self._database.read("SELECT pair, bar_us FROM evaluated"))  # type: ignore[arg-type] # of those columns

    def forget_states(self) -> None:
        """Let all rules begin anew on all pairs, and all pairs at their next bar."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM rule_state")
            connection.execute("DELETE FROM evaluated")

    def record(
        self,
        alerts: Sequence[Alert],
        states: Mapping[tuple[str, str], RuleState],
        evaluated: Mapping[str, int],
        gone: Gone = NOTHING,
    ) -> tuple[Alert, ...]:
        """Store alerts, their deliveries, the states that followed and how far it came, at once.

        What is gone is deleted before: a rule or a pair that came back meanwhile begins anew.

        Returns the alerts with their ids. One that is suppressed has deliveries that say so. One
        that no table takes is left out, with a line in the log: the rest does not wait for it.
        """
        with self._database.transaction() as connection:
            recorded = tuple(insert_alerts(connection, alerts))
            gone.delete(connection)
            connection.executemany(
                "INSERT OR REPLACE INTO rule_state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*key, *_state_row(state)) for key, state in states.items()],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO evaluated VALUES (?, ?)", list(evaluated.items())
            )
        return recorded

    # Alerts, for those who read them.

    def alerts(
        self, since: int = 0, limit: int = 1_000, *, newest_first: bool = False
    ) -> tuple[Alert, ...]:
        """Alerts with an id above `since`."""
        order = "DESC" if newest_first else "ASC"
        rows = self._database.read(
            f"SELECT {ALERT} FROM alert WHERE alert_id > ?"  # noqa: S608 - ours
            f" ORDER BY alert_id {order} LIMIT ?",
            (since, limit),
        )
        return tuple(map(alert_of, rows))

    def alert(self, alert_id: int) -> Alert | None:
        """One alert by its id."""
        rows = self._database.read(
            f"SELECT {ALERT} FROM alert WHERE alert_id = ?",  # noqa: S608 - ours
            (alert_id,),
        )
        return alert_of(rows[0]) if rows else None

    def newest_alert_id(self) -> int:
        """Id of the newest alert; 0 before the first."""
        return int(self._one("SELECT coalesce(max(alert_id), 0) FROM alert"))

    def deliveries(self, since: int = 0, limit: int = 10_000) -> tuple[Delivery, ...]:
        """Deliveries of alerts with an id above `since`, in their order."""
        rows = self._database.read(
            f"SELECT {DELIVERY} FROM delivery WHERE alert_id > ?"  # noqa: S608 - ours
            " ORDER BY alert_id, channel LIMIT ?",
            (since, limit),
        )
        return tuple(map(delivery_of, rows))

    def prune(self, keep: int = 100_000, at_most: int = 500) -> int:
        """Delete some of the oldest alerts beyond the newest `keep`; returns how many.

        One that is still on its way stays.
        """
        with self._database.transaction() as connection:
            return prune(connection, keep, at_most)

    # The outbox.

    def unsent(self, channel: str, limit: int = 100) -> tuple[Delivery, ...]:
        """Deliveries of a channel that are not over, in the order of their alerts."""
        rows = self._database.read(
            f"SELECT {DELIVERY} FROM delivery"  # noqa: S608 - ours
            " WHERE channel = ? AND state IN ('waiting', 'sending') ORDER BY alert_id LIMIT ?",
            (channel, limit),
        )
        return tuple(map(delivery_of, rows))

    def waiting_channels(self) -> tuple[str, ...]:
        """Channels with deliveries that are not over."""
        rows = self._database.read(
            "SELECT DISTINCT channel FROM delivery WHERE state IN ('waiting', 'sending')"
        )
        return tuple(str(row[0]) for row in rows)

    def unsent_counts(self) -> dict[str, int]:
        """How many deliveries of each channel are not over, where there are any."""
        rows = self._database.read(
            "SELECT channel, count(*) FROM delivery WHERE state IN ('waiting', 'sending')"
            " GROUP BY channel"
        )
        return dict(rows)  # type: ignore[arg-type] # of those columns

    def update_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        """Store where deliveries stand: before an attempt, so that a second one can say so."""
        with self._database.transaction() as connection:
            connection.executemany(
                f"INSERT OR REPLACE INTO delivery ({DELIVERY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - ours
                [astuple(each) for each in deliveries],
            )

    def _one(self, statement: str) -> Any:
        return self._database.read(statement)[0][0]

    def _documents(self, table: str, kind: type[T]) -> tuple[T, ...]:
        rows = self._database.read(f"SELECT document, name FROM {table} ORDER BY position")  # noqa: S608 - ours
        return tuple(each for row in rows if (each := self._decoded(kind, *row)) is not None)

    def _decoded(self, kind: type[T], document: object, name: object) -> T | None:
        """Read one; what this Pairdesk cannot read is left as it is, with one line in the log."""
        try:
            return msgspec.json.decode(str(document), type=kind)
        except (msgspec.MsgspecError, UnicodeError) as error:
            if document not in self._unread:
                what = "list" if kind is WatchList else "rule"
                _LOG.warning("%s", f"{what} {name!r} cannot be read, and is left out: {error}")
            self._unread.add(document)
            return None

    def _save(self, document: WatchList | AlertRule) -> None:
        with self._database.transaction() as connection:
            _put(connection, document)
            _raise_revision(connection)

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        with self._database.transaction() as connection:
            connection.execute(statement, values)
            _raise_revision(connection)


def _put(connection: sqlite3.Connection, document: WatchList | AlertRule) -> None:
    table = "watch_list"
    if isinstance(document, AlertRule):
        table = "rule"
        if _replaces_another_kind(connection, document):
            _forget_rule(connection, document.name)
    connection.execute(
        f"INSERT INTO {table} VALUES"  # noqa: S608 - ours
        f" (?, (SELECT coalesce(max(position), 0) + 1 FROM {table}), ?)"
        " ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        (document.name, msgspec.json.encode(document).decode()),
    )


def _replaces_another_kind(connection: sqlite3.Connection, rule: AlertRule) -> bool:
    """Whether a rule is kept under that name that looks at something else, or cannot be read."""
    kept = "CASE WHEN json_valid(document) THEN json_extract(document, '$.when') END"
    found = connection.execute(
        f"SELECT 1 FROM rule WHERE name = ? AND {kept} IS NOT ?",  # noqa: S608 - ours
        (rule.name, rule.when),
    )
    return found.fetchone() is not None


def _forget_rule(connection: sqlite3.Connection, name: str) -> None:
    """Let a rule begin anew, and let an engine that runs know of it."""
    connection.execute("DELETE FROM rule_state WHERE rule = ?", (name,))
    connection.execute(
        "INSERT INTO meta VALUES ('forgotten ' || ?, 1)"
        " ON CONFLICT (key) DO UPDATE SET value = value + 1",
        (name,),
    )


def _leaves_mark(connection: sqlite3.Connection, mark: str) -> bool:
    """Note what was kept last; whether it was something else."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'kept'").fetchone()
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('kept', ?)", (mark,))
    return row is None or row[0] != mark


def _raise_revision(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")


def _state(*row: Any) -> RuleState:
    name, since_us, bars, is_armed, fired_us, fired, anchor, seen_us, was_quiet = row
    return RuleState(
        name, since_us, bars, bool(is_armed), fired_us, fired, number(anchor), seen_us,
        bool(was_quiet),
    )  # fmt: skip


def _state_row(state: RuleState) -> tuple[object, ...]:
    return (
        state.name,
        state.since_us,
        state.bars,
        state.is_armed,
        state.fired_us,
        state.fired,
        state.anchor,
        state.seen_us,
        state.was_quiet,
    )
