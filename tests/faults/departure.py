"""The database goes away under the recorder: deleted, renamed, replaced, by what people type."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

from exchange.server import ThreadedExchange

from faults.children import SYMBOLS
from faults.disk import tick
from faults.process import examine, stored_ids
from faults.result import Figure, Result, at_most, equal, holds
from faults.storage import until
from faults.supervision import missing, push, recording
from ingest.errors import RecorderError
from ingest.recorder import Recorder
from ingest.store import BarWindow, TickReader, TickWriter, lock_database
from pages.ui.server.health import health

NOTICED_WITHIN_S = 5.0


@contextmanager
def trading(exchange: ThreadedExchange) -> Iterator[None]:
    """Trade on, from another thread, as long as the block lasts."""
    ended = Event()

    def trade() -> None:
        while not ended.wait(0.002):
            push(exchange, 5)

    thread = Thread(target=trade)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)


def unlink(folder: Path, *, with_log: bool = False, trades: int = 500) -> Result:
    """Delete the database while trades run: alone, as people do, or all of its files."""
    with recording(folder) as (exchange, recorder):
        path = recorder.settings.db
        push(exchange, trades)
        until(lambda: missing(exchange, recorder) == 0)
        with closing(sqlite3.connect(path)) as old, trading(exchange):
            old.execute("SELECT count(*) FROM tick").fetchone()  # it has its log open
            for part in path.parent.glob("ticks.db*") if with_log else [path]:
                part.unlink()
            noticed_s = until(lambda: _is_said(recorder, "deleted"))
            until(lambda: bool(stored_ids(path)["BTCUSDT"]))
            held = _ids_of(old)
        push(exchange, 1)
        until(lambda: _is_up_to_date(exchange, path))
        lost = _lost(exchange, held, stored_ids(path))
        symbols = _symbols_remembered(recorder)
        figures = _figures(recorder, noticed_s, lost)
        locked = _is_locked(path)
    return Result(
        f"the database deleted while trades ran, {'all its files' if with_log else 'without -wal'}",
        None,
        (
            *figures,
            holds("symbols the new one knows", symbols, symbols == ",".join(SYMBOLS), "all"),
            holds("a second recorder", locked, locked, "is refused"),
        ),
    )


def rename(folder: Path, *, trades: int = 500) -> Result:
    """Give the database another name while trades run, and leave its log behind."""
    with recording(folder) as (exchange, recorder):
        path, moved_to = recorder.settings.db, folder / "elsewhere" / "kept.db"
        moved_to.parent.mkdir()
        push(exchange, trades)
        until(lambda: missing(exchange, recorder) == 0)
        with trading(exchange):
            path.rename(moved_to)
            noticed_s = until(lambda: _is_said(recorder, "renamed to"))
            until(lambda: bool(stored_ids(path)["BTCUSDT"]))
        push(exchange, 1)
        until(lambda: _is_up_to_date(exchange, path))
        lost = _lost(exchange, stored_ids(moved_to), stored_ids(path))
        told = _is_said(recorder, str(moved_to))
        figures = _figures(recorder, noticed_s, lost)
        found = examine(moved_to)
    return Result(
        "the database renamed while trades ran, its log left behind",
        None,
        (
            *figures,
            holds("says where it is", told, told),
            holds("the renamed one", found, found.sound and not found.torn, "sound and whole"),
        ),
    )


def replace(folder: Path, *, trades: int = 500) -> Result:
    """Put an older copy in the place of the database; what it lacks is the exchange's to give."""
    with recording(folder) as (exchange, recorder):
        path = recorder.settings.db
        window = BarWindow(path, "BTCUSDT", "1s")
        push(exchange, trades)
        until(lambda: missing(exchange, recorder) == 0)
        copy = recorder.backup(folder / "copy.db")
        push(exchange, trades)
        until(lambda: missing(exchange, recorder) == 0)
        window.view(None)
        with trading(exchange):
            os.replace(copy, path)  # noqa: PTH105 - as mv does
            noticed_s = until(lambda: _is_said(recorder, "put in its place"))
        push(exchange, 1)
        whole_s = until(lambda: missing(exchange, recorder) == 0, 30.0)
        figures = _figures(recorder, noticed_s, missing(exchange, recorder))
        until(lambda: recorder.status().queue_depth == 0)
        view = window.view(None)
        shown = int(view.closed.trades.sum() + view.forming.trades.sum())
        not_shown = len(_all_ids(exchange)) - shown
        window.close()
        with TickReader(path) as reader:
            gaps = reader.gaps()
    causes = set(gaps["cause"]) - {"before the first trade"}
    return Result(
        f"an older copy, {trades:,} trades behind, put in the place of the database",
        None,
        (
            *figures,
            at_most("whole again after", whole_s, 20.0, "s"),
            equal("trades a window of bars lacks", not_shown, 0),
            holds("causes of the gaps", sorted(causes), causes == {"the database was replaced"}),
        ),
    )


def replace_by_other(folder: Path) -> Result:
    """Put a file that is no database in its place, then take that away."""
    with recording(folder) as (exchange, recorder):
        path = recorder.settings.db
        other = folder / "notes.txt"
        other.write_text("not a database at all, only notes\n" * 300)
        known = len(_all_ids(exchange))
        os.replace(other, path)  # noqa: PTH105 - as mv does
        noticed_s = until(lambda: recorder.status().write_error is not None)
        until(lambda: "is not a database" in (recorder.status().write_error or ""))
        status, now_us = recorder.status(), time.time_ns() // 1000
        code, told = health(status, now_us, now_us)
        push(exchange, 50)
        until(lambda: recorder.status().received >= 2 * 51)
        is_untouched = path.read_bytes().startswith(b"not a database at all")
        path.unlink()
        until(lambda: bool(stored_ids(path)["BTCUSDT"]))
        until(lambda: _is_up_to_date(exchange, path))
        after = recorder.status().write_error
        code_after, _ = health(recorder.status(), now_us, now_us)
        lost = len(_all_ids(exchange)) - known - len(stored_ids(path)["BTCUSDT"])
        restarts = recorder.status().restarts
    return Result(
        "a text file put in the place of the database, 100 trades, then taken away",
        None,
        (
            at_most("noticed after", noticed_s, NOTICED_WITHIN_S, "s"),
            holds("says", told["cause"], "notes" not in str(told["cause"]), "one line"),
            equal("status of /healthz meanwhile", code, 503),
            holds("the file", is_untouched, is_untouched, "as it was"),
            holds("error afterwards", after, after is None, "none"),
            equal("status of /healthz afterwards", code_after, 200),
            equal("trades lost", lost, 0),
            equal("threads that failed", restarts, 0),
        ),
    )


def replace_by_other_venue(folder: Path) -> Result:
    """Put a database of another exchange in its place: not a row of ours goes into it."""
    with recording(folder) as (exchange, recorder):
        path = recorder.settings.db
        other = folder / "other.db"
        with closing(TickWriter(other, "binance.com")) as writer:
            writer.write([tick("BTCUSDT", 1)])
        before = other.read_bytes()
        os.replace(other, path)  # noqa: PTH105 - as mv does
        noticed_s = until(lambda: "another exchange" in (recorder.status().write_error or ""))
        push(exchange, 50)
        until(lambda: recorder.status().received >= 2 * 51)
        now_us = time.time_ns() // 1000
        code, _ = health(recorder.status(), now_us, now_us)
        is_untouched = path.read_bytes() == before
        restarts = recorder.status().restarts
    return Result(
        "a database of another exchange put in its place, 100 trades",
        None,
        (
            at_most("noticed after", noticed_s, NOTICED_WITHIN_S, "s"),
            equal("status of /healthz", code, 503),
            holds("the file", is_untouched, is_untouched, "as it was"),
            equal("threads that failed", restarts, 0),
        ),
    )


def log_deleted(folder: Path) -> Result:
    """Delete the log alone: the writer has it open, and folds it in."""
    with recording(folder) as (exchange, recorder):
        path = recorder.settings.db
        push(exchange, 200)
        until(lambda: missing(exchange, recorder) == 0)
        path.with_name(path.name + "-wal").unlink()
        noticed_s = until(lambda: _is_said(recorder, "was deleted"))
        push(exchange, 200)
        until(lambda: recorder.status().stored == 2 * 401)
        recorder.stop()
        lost, found = missing(exchange, recorder), examine(path)
        restarts = recorder.status().restarts
    return Result(
        "the write-ahead log deleted, 400 trades, then stopped in order",
        None,
        (
            at_most("noticed after", noticed_s, NOTICED_WITHIN_S, "s"),
            equal("trades lost", lost, 0),
            holds("the database", found, found.sound and not found.torn, "sound and whole"),
            equal("threads that failed", restarts, 0),
        ),
    )


def emptied(folder: Path) -> Result:
    """Empty the file in place, as a shell's redirection does."""
    with recording(folder) as (exchange, recorder):
        path = recorder.settings.db
        push(exchange, 500)
        until(lambda: missing(exchange, recorder) == 0)
        recorder.backup(folder / "copy.db")
        recorder._maintenance.look_at_disk()
        push(exchange, 1)
        until(lambda: missing(exchange, recorder) == 0)
        os.truncate(path, 0)
        push(exchange, 50)
        until(lambda: recorder.status().stored >= 2 * 552)
        noticed_s = until(lambda: _is_said(recorder, "was set aside"))
        until(lambda: _is_up_to_date(exchange, path))
        new = stored_ids(path)["BTCUSDT"]
        found = examine(path)
    return Result(
        "the database emptied in place",
        None,
        (
            at_most("noticed after", noticed_s, NOTICED_WITHIN_S, "s"),
            holds("the new one", found, found.sound and not found.torn, "sound and whole"),
            holds("its ids", len(new), new == list(range(new[0], new[-1] + 1)), "without a hole"),
        ),
    )


def _figures(recorder: Recorder, noticed_s: float, lost: int) -> tuple[Figure, ...]:
    status = recorder.status()
    path = recorder.settings.db
    now_us = time.time_ns() // 1000
    found = examine(path)
    return (
        at_most("noticed after", noticed_s, NOTICED_WITHIN_S, "s"),
        equal("trades in neither file", lost, 0),
        holds("the new one", found, found.sound, "sound"),
        equal("status of /healthz afterwards", health(status, now_us, now_us)[0], 200),
        equal("threads that failed", status.restarts, 0),
    )


def _is_said(recorder: Recorder, words: str) -> bool:
    return any(words in each for each in recorder.status().notices)


def _ids_of(connection: sqlite3.Connection) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {each: [] for each in SYMBOLS}
    rows = connection.execute("SELECT symbol, trade_id FROM tick JOIN stream USING (stream_id)")
    for symbol, trade_id in rows:
        found[symbol].append(trade_id)
    return found


def _all_ids(exchange: ThreadedExchange) -> list[int]:
    return [trade.trade_id for trade in exchange.trades("BTCUSDT")]


def _lost(exchange: ThreadedExchange, old: dict[str, list[int]], new: dict[str, list[int]]) -> int:
    return sum(
        len({trade.trade_id for trade in exchange.trades(each)} - {*old[each], *new[each]})
        for each in SYMBOLS
    )


def _is_up_to_date(exchange: ThreadedExchange, path: Path) -> bool:
    found = stored_ids(path)
    return all(found[each][-1:] == [exchange.trades(each)[-1].trade_id] for each in SYMBOLS)


def _symbols_remembered(recorder: Recorder) -> str | None:
    with TickReader(recorder.settings.db) as reader:
        return reader.setting("symbols spot aggTrade")


def _is_locked(path: Path) -> bool:
    try:
        lock_database(path).release()
    except RecorderError:
        return True
    return False
