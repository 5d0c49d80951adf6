"""Care of the database file and of the threads: damage, disks, copies, retention, restarts."""

import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.counts import Counts
from ingest.errors import StoreError
from ingest.event_queue import Call, Cause, EventQueue
from ingest.quantiles import quantiles
from ingest.recorder import Recorder
from ingest.recorder.maintenance import ClockJumps, Maintenance, Retention
from ingest.recorder.reporting import check_notice
from ingest.recorder.threads import RestartingThread
from ingest.settings import Settings
from ingest.store import (
    PAUSE_FREE_BYTES,
    RETENTION_SETTING,
    WARN_FREE_BYTES,
    LaterCheck,
    TickReader,
    TickWriter,
    back_up,
    check_start,
    opening,
    remembered,
    set_aside,
)
from ingest.store.health import later_check
from ingest.store.health.database_health import Check, network_type_in, quick_check
from ingest.store.health.later_check import CheckProgress
from ingest.tick import Tick

T0 = 1_700_000_000_000_000


def tick(trade_id: int, at_s: float, symbol: str = "BTCUSDT") -> Tick:
    time_us = T0 + round(at_s * 1_000_000)
    return Tick("spot", symbol, "aggTrade", trade_id, 100.0, 1.0, time_us, time_us, False)


def nothing(_told: object) -> None:
    """Take a report and do nothing."""


def filled(path: Path, count: int = 3000) -> Path:
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(count)])
    writer.close()
    return path


def spoil(path: Path) -> None:
    """Overwrite the middle of a closed database file."""
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = b"\xa5" * (len(content) - 12288)
    path.write_bytes(content)


def test_a_sound_database_has_no_damage_and_a_spoiled_one_has(tmp_path: Path) -> None:
    path = filled(tmp_path / "ticks.db")
    assert quick_check(path) == Check()
    assert quick_check(tmp_path / "absent.db") == Check()
    spoil(path)
    assert quick_check(path).damage


def test_a_check_that_takes_too_long_says_that_it_was_not_finished(tmp_path: Path) -> None:
    path = filled(tmp_path / "ticks.db", 20_000)
    assert quick_check(path, within_s=-1.0) == Check(was_finished=False)


def test_the_rest_of_a_check_reads_every_row_beside_a_writer(tmp_path: Path, monkeypatch) -> None:
    path = filled(tmp_path / "ticks.db", 3000)
    monkeypatch.setattr(later_check, "_ROWS_A_STEP", 100)
    check = LaterCheck(path, rest_times=0.0)
    shares: list[float] = []
    writer = TickWriter(path)

    def write_and_note(_timeout_s: float) -> bool:
        writer.write([tick(3000 + len(shares), 3000 + len(shares))])
        assert check.progress.share is not None
        shares.append(check.progress.share)
        return False

    monkeypatch.setattr(check._ended, "wait", write_and_note)
    check.run()
    writer.checkpoint()
    assert path.with_name("ticks.db-wal").stat().st_size < 2_000_000
    writer.close()
    assert check.progress == CheckProgress(1.0, True)
    assert shares == sorted(shares)
    assert len(set(shares)) > 25


def test_damage_that_the_start_did_not_reach_is_found_later_and_said(tmp_path: Path) -> None:
    path = filled(tmp_path / "ticks.db")
    spoil(path)
    with pytest.raises(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT total(price) FROM tick").fetchone()
    check = LaterCheck(path, rest_times=0.0)
    check.run()
    assert check.progress.is_done
    assert "malformed" in str(check.progress.damage)
    assert "The database is damaged (" in str(check_notice(check))


def test_a_check_that_is_ended_in_the_midst_claims_nothing(tmp_path: Path) -> None:
    check = LaterCheck(filled(tmp_path / "ticks.db"))
    check.end()
    check.run()
    assert not check.progress.is_done


def test_a_start_whose_check_took_too_long_says_so_and_reads_on(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    path = filled(tmp_path / "ticks.db", 20_000)
    monkeypatch.setattr(opening, "CHECK_WITHIN_S", -1.0)
    recorder = Recorder(Settings(symbols=("BTCUSDT",), db=path, ws_url="ws://127.0.0.1:9"))
    (notice,) = recorder.status().notices
    assert notice.startswith("The check of the database stopped after 5 s, not finished")
    assert "python app.py --verify" in notice
    recorder.start()
    assert notice in capsys.readouterr().err
    assert recorder._threads["check"].join(30)
    assert recorder.status().notices == ()
    assert recorder.stop()


def test_a_damaged_database_is_set_aside_whole_and_a_new_one_begun(tmp_path: Path) -> None:
    path = filled(tmp_path / "ticks.db")
    spoil(path)
    spoiled = path.read_bytes()
    recorder = Recorder(Settings(symbols=("BTCUSDT",), db=path, ws_url="ws://127.0.0.1:9"))
    (notice,) = recorder.status().notices
    recorder.stop()
    (aside,) = tmp_path.glob("ticks.db.damaged-*Z")
    assert aside.read_bytes() == spoiled
    assert aside.name in notice
    with TickReader(path) as reader:
        assert reader.symbols() == []


def test_a_damaged_database_still_tells_its_settings_where_it_can(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    writer = TickWriter(path)
    writer.remember("symbols spot aggTrade", "BTCUSDT,SOLUSDT")
    writer.remember("klines spot BTCUSDT aggTrade", "1 2 3")  # of rows the new one lacks
    writer.close()
    assert remembered(path) == {"symbols spot aggTrade": "BTCUSDT,SOLUSDT"}
    path.write_bytes(b"\xa5" * 20_000)
    assert remembered(path) == {}
    assert remembered(tmp_path / "absent.db") == {}


def test_wal_and_shm_go_with_the_database(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).write_text(f"part{suffix}")
    damage = set_aside(path, "malformed", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert damage.moved_to.name == "ticks.db.damaged-20260102T030405.000000Z"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        damage.moved_to.name + suffix for suffix in ("", "-shm", "-wal")
    ]


def test_a_file_named_by_mistake_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 1000)
    settings = Settings(symbols=("BTCUSDT",), db=path)
    for start in (check_start, Recorder):
        with pytest.raises(StoreError, match="not a database"):
            start(settings)
    assert path.read_text().startswith("Dear Sir")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/a/data", "ext4"),
        ("/mnt/desk", "nfs4"),
        ("/mnt/desk/deep/er", "nfs4"),
        ("/mnt/desktop", "ext4"),
        ("/mnt/my share/x", "cifs"),
    ],
)
def test_the_filesystem_of_a_folder_is_that_of_the_nearest_mount(folder: str, kind: str) -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nserver:/desk /mnt/desk nfs4 rw 0 0\n"
        "//server/s /mnt/my\\040share cifs rw 0 0\nshort line\n"
    )
    assert network_type_in(mounts, folder) == kind


def test_a_backup_is_whole_and_never_overwrites(tmp_path: Path) -> None:
    path, target = tmp_path / "ticks.db", tmp_path / "backups" / "copy.db"
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(1000)])
    assert back_up(path, target) == target
    writer.write([tick(1000, 1000)])  # recording goes on
    writer.close()
    with TickReader(target) as reader:
        assert len(reader.ticks("BTCUSDT")) == 1000
    with pytest.raises(StoreError, match="exists"):
        back_up(path, target)
    with pytest.raises(StoreError, match="no backup was made"):
        back_up(tmp_path / "absent.db", tmp_path / "other.db")
    assert sorted(p.name for p in target.parent.iterdir()) == ["copy.db"]


def test_retention_deletes_the_oldest_in_small_steps_and_keeps_the_rest_whole(tmp_path) -> None:
    path = tmp_path / "ticks.db"
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(900)])
    writer.write([tick(n, n) for n in range(950, 2000)])  # a gap at 900
    second = T0 // 1_000_000
    steps = 0
    while writer.forget_before(second + 1200, most_bars=500):
        steps += 1
    assert steps == 3
    ledger = writer.streams()["spot", "BTCUSDT", "aggTrade"]
    assert (ledger.first_id, ledger.last_id, ledger.gaps) == (1200, 1999, [])
    writer.write([tick(2000, 2000)])
    writer.close()
    with TickReader(path) as reader:
        assert list(reader.ticks("BTCUSDT").trade_id) == list(range(1200, 2001))
        assert (reader.bars("BTCUSDT", "1s").coverage == "traded").all()
        assert reader.gaps().empty


def test_retention_by_age_and_by_size_chooses_what_goes(tmp_path: Path) -> None:
    writer, queue = TickWriter(tmp_path / "ticks.db"), EventQueue()
    writer.write([tick(n, n * 60) for n in range(600)])
    size = writer.size_bytes()

    def forget(retention: Retention) -> None:
        maintenance = Maintenance(
            writer.path, queue, Counts(), retention, disk_low=bool, clock_jumped=float
        )
        maintenance.forget(writer)

    forget(Retention())
    forget(Retention(max_bytes=size * 2))
    assert writer.oldest_second() == T0 // 1_000_000
    assert len(queue) == 0
    assert writer.setting(RETENTION_SETTING) is None
    forget(Retention(max_bytes=1))
    assert writer.setting(RETENTION_SETTING) is not None
    assert writer.oldest_second() == T0 // 1_000_000 + 3600
    forget(Retention(days=1))  # all of it is years old
    assert len(queue) == 2  # each step asks for the next
    forget(Retention(days=1))
    assert writer.oldest_second() is None
    writer.close()


def test_what_moves_to_the_history_is_deleted_by_no_limit(tmp_path: Path) -> None:
    writer, queue = TickWriter(tmp_path / "ticks.db"), EventQueue()
    writer.write([tick(n, n * 60) for n in range(600)])
    limits = Retention(days=1, max_bytes=1_000, moves=True)
    maintenance = Maintenance(
        writer.path, queue, Counts(), limits, disk_low=bool, clock_jumped=float
    )
    assert maintenance.notices() == []  # not measured yet
    maintenance.forget(writer)
    maintenance.measure(writer)
    assert writer.oldest_second() == T0 // 1_000_000
    assert len(queue) == 0
    (said,) = maintenance.notices()
    assert "more than --keep-gb 1e-06: every day before today moves to the history" in said
    writer.close()


def test_a_clock_that_is_days_ahead_makes_no_trade_old(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    day_s, now_s = 86_400, int(time.time())
    with closing(TickWriter(path)) as writer:
        writer.write([tick(1, now_s - 10 * day_s - T0 // 1_000_000)])
        skews_ms: list[float | None] = [-8.0 * day_s * 1000]
        maintenance = Maintenance(
            path, EventQueue(), Counts(), Retention(days=7), disk_low=bool,
            clock_jumped=float, skew_ms=lambda: skews_ms[-1],
        )  # fmt: skip
        maintenance.forget(writer)
        assert writer.oldest_second() is not None
        skews_ms.append(8.0 * day_s * 1000)  # behind: nothing is cut sooner for that
        maintenance.forget(writer)
        assert writer.oldest_second() is None


def test_recording_pauses_when_the_disk_is_nearly_full_and_resumes_by_itself(tmp_path) -> None:
    free, said = [WARN_FREE_BYTES * 2], list[bool | float]()
    maintenance = Maintenance(
        filled(tmp_path / "ticks.db"),
        EventQueue(),
        Counts(),
        Retention(),
        disk_low=said.append,
        clock_jumped=said.append,
        free=lambda _: free[0],
    )
    script = [
        (WARN_FREE_BYTES * 2, "", []),
        (WARN_FREE_BYTES - 1, "Only 1,000 MB free", []),
        (PAUSE_FREE_BYTES - 1, "Recording pauses", [True]),
        (PAUSE_FREE_BYTES + 1, "Recording pauses", [True]),  # not at once: it would flutter
        (PAUSE_FREE_BYTES * 2, "Only 400 MB free", [True, False]),
    ]
    for bytes_free, notice, expected in script:
        free[0] = bytes_free
        maintenance.look_at_disk()
        assert said == expected
        assert notice in "".join(maintenance.notices())
    assert maintenance.disk.database > 0
    assert maintenance.disk.free == PAUSE_FREE_BYTES * 2


def test_a_clock_that_jumped_is_told_once_and_drift_is_not() -> None:
    watch = ClockJumps(1000.0, 0.0)
    told = [
        watch.jump_s(1000 + wall, steady)
        for wall, steady in [(1, 1), (2.5, 2), (3603, 3), (3604, 4), (5, 5), (6, 6)]
    ]
    assert told == [0, 0, pytest.approx(3600, abs=1), 0, pytest.approx(-3600, abs=1), 0]


def test_work_that_fails_is_taken_up_again_and_told(tmp_path: Path) -> None:
    runs, failures, done = [], [], threading.Event()

    def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise SystemExit("gone")
        done.set()

    thread = RestartingThread(
        "worker", work, lambda name, error: failures.append((name, str(error))), 0
    )
    thread.start()
    assert done.wait(5)
    assert thread.join(5)
    assert failures == [("worker", "gone")] * 2


def test_a_full_queue_refuses_and_names_the_cause_of_the_gap() -> None:
    queue = EventQueue(capacity=3)
    assert [queue.put(tick(n, n)) for n in range(5)] == [True] * 3 + [False] * 2
    assert queue.refused == 2
    assert queue.put(Cause("paused by the user"))  # nothing else would tell of it
    items = queue.take(10, 0.0)
    assert items[-2:] == [Cause("queue full"), Cause("paused by the user")]
    assert [item.trade_id for item in items[:3] if isinstance(item, Tick)] == [0, 1, 2]
    assert queue.put(tick(5, 5))
    queue.close()
    assert len(queue.take(10, 5.0)) == 1
    assert queue.take(10, 5.0) == []


def test_a_batch_is_handed_out_when_full_or_when_its_time_is_up() -> None:
    queue = EventQueue()
    taken: list[int] = []
    thread = threading.Thread(target=lambda: taken.append(len(queue.take(4, 30.0))))
    thread.start()
    for n in range(4):
        queue.put(tick(n, n))
    thread.join(5)
    assert taken == [4]
    queue.put(Call(lambda writer: None))
    assert len(queue.take(4, 0.01)) == 1


def test_quantiles_are_nearest_ranks() -> None:
    assert quantiles([], 0.5, 0.99) == (None, None)
    assert quantiles([3, 1, 2], 0.5) == (2,)
    assert quantiles(range(100), 0.5, 0.99) == (50, 99)


def test_the_backup_source_is_opened_read_only(tmp_path: Path) -> None:
    path = filled(tmp_path / "ticks.db", 10)
    before = path.read_bytes()
    back_up(path, tmp_path / "copy.db")
    assert path.read_bytes() == before
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
