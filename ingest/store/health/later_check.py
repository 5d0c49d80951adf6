"""Reads a whole database in small steps beside the recorder: what the start had no time for."""

import logging
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.store.connecting import open_for_reading
from ingest.store.health.database_health import is_damage

_LOG: Final = logging.getLogger("pairdesk.store")

_ROWS_A_STEP: Final = 5000
_REST_TIMES: Final = 4.0  # rests so many times as long as it read
_LEAST_REST_S: Final = 0.02
_AGAIN_S: Final = 1.0


# Tables by their key. Trades come last: they are nearly all there is, and give the share.
_KEYS: Final = {
    "bar_1s": ("stream_id", "second"),
    "kline": ("stream_id", "length_s", "second"),
    "non_trade": ("stream_id", "trade_id"),
    "tick": ("stream_id", "trade_id"),
}
_VALUES: Final = {
    "bar_1s": ("open", "high", "low", "close", "volume", "close_id", "last_id"),
    "kline": ("open", "high", "low", "close", "volume", "trades"),
    "non_trade": ("time_us",),
    "tick": ("time_us", "received_delta_us", "price", "quantity", "flags"),
}


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far the check is: a share of the trades, 0 to 1; `damage` is what is wrong, or None."""

    share: float = 0.0
    is_done: bool = False
    damage: str | None = None


class LaterCheck:
    """Reads a whole database in small steps, beside whoever writes it.

    Parameters
    ----------
    path
        The database.
    rest_times
        Rests so many times as long as it reads.

    Attributes
    ----------
    progress
        How far it is; may be read from any thread.
    """

    def __init__(self, path: Path, rest_times: float = _REST_TIMES) -> None:
        self.progress = CheckProgress()
        self._path, self._rest_times = path, rest_times
        self._ended = threading.Event()

    def end(self) -> None:
        """Make `run` return."""
        self._ended.set()

    def leave(self) -> None:
        """End it, with nothing to say: another file is the database now."""
        self.end()
        self.progress = CheckProgress(1.0, is_done=True)

    def run(self) -> None:
        """Read to the end, to the first damage, or until `end`."""
        try:
            with closing(open_for_reading(self._path)) as connection:
                for table in _KEYS:
                    self._read(connection, table)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            if not self._ended.is_set():
                self.progress = CheckProgress(self.progress.share, True, str(error))
                _LOG.warning("the check of the database found it damaged: %s", error)
        else:
            if not self._ended.is_set():
                self.progress = CheckProgress(1.0, True)
                _LOG.info("the check of the database found nothing wrong")

    def _read(self, connection: sqlite3.Connection, table: str) -> None:
        after: tuple[int, ...] | None = tuple(-(2**63) for _ in _KEYS[table])
        while after is not None and not self._ended.is_set():
            begun_s = time.monotonic()
            after = self._step(connection, table, after)
            if table == "tick" and after is not None and not self._ended.is_set():
                self.progress = CheckProgress(_share(connection, after[0], after[1]))
            took_s = time.monotonic() - begun_s
            self._ended.wait(max(_LEAST_REST_S, took_s * self._rest_times))

    def _step(
        self, connection: sqlite3.Connection, table: str, after: tuple[int, ...]
    ) -> tuple[int, ...] | None:
        """Read some rows behind a key; returns the last one's, None after the last of all."""
        keys, places = ", ".join(_KEYS[table]), ", ".join("?" * len(after))
        totals = ", ".join(f"total({name})" for name in _VALUES[table])
        last: tuple[int, ...] | None = connection.execute(
            f"SELECT {keys} FROM {table} WHERE ({keys}) > ({places})"  # noqa: S608 - ours
            f" ORDER BY {keys} LIMIT 1 OFFSET {_ROWS_A_STEP - 1}",
            after,
        ).fetchone()
        upper = "" if last is None else f" AND ({keys}) <= ({places})"
        connection.execute(
            f"SELECT {totals} FROM {table} WHERE ({keys}) > ({places}){upper}",  # noqa: S608 - ours
            (*after, *(last or ())),
        ).fetchone()
        return last


def _share(connection: sqlite3.Connection, stream_id: int, trade_id: int) -> float:
    """Share of all ids up to this one, streams in order."""
    before, whole = 0, 0
    for each, first_id, last_id in connection.execute(
        "SELECT stream_id, first_id, last_id FROM stream WHERE first_id IS NOT NULL"
    ):
        whole += last_id - first_id + 1
        if each < stream_id:
            before += last_id - first_id + 1
        elif each == stream_id:
            before += max(0, min(trade_id, last_id) - first_id + 1)
    return before / whole if whole else 0.0
