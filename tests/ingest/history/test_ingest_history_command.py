"""`python app.py --import` and `--fetch` from outside: what they say, and what they end with."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from exchange.days import DaysOfTrades
from exchange.server import ThreadedExchange
from fetch_cases import as_tuples, day, held_trades, trades_at

from ingest.history import run_history
from ingest.settings import parse_settings

POSIX = os.name == "posix"


def command(root: Path, lake: Path, *words: object) -> list[str]:
    return [sys.executable, str(root / "app.py"), "--history", str(lake), *map(str, words)]


def ran(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def fetching(exchange: ThreadedExchange, symbols: str, first: int, last: int) -> list[object]:
    days = ["--from", day(first), "--to", day(last)]
    return ["--rest-url", exchange.rest_url, "--fetch", symbols, *days]


def inside(lake: Path, *words: object) -> int:
    """The same in this process, which has imported all of it already."""
    argv = ["--history", str(lake), *map(str, words)]
    return run_history(parse_settings(argv, {}), argv)


def test_a_fetch_says_what_it_does_and_ends_with_0(project_root: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2)) as exchange:
        words = [*fetching(exchange, "BTCUSDT", 0, 1), "--trades"]
        whole = ran(command(project_root, lake, *words), tmp_path)
        assert held_trades(lake, "BTCUSDT") == as_tuples(trades_at(exchange, "BTCUSDT"))
    first, last = whole.stderr.splitlines()
    assert first == "pairdesk: fetch trades of BTCUSDT, 2026-03-01 to 2026-03-02"
    assert last.startswith("pairdesk: done: 4,000 trades in ")
    assert (whole.returncode, whole.stdout) == (0, "")


def test_what_is_lacking_is_said_and_the_end_is_1(tmp_path: Path, capsys) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2)) as exchange:
        status = inside(tmp_path, *fetching(exchange, "NOPEUSDT,BTCUSDT", 0, 1))
    said = capsys.readouterr().err
    assert status == 1
    assert "pairdesk: NOPEUSDT: Binance spot knows no such symbol\n" in said
    assert "of what was asked for something is lacking" in said


def test_a_files_import_says_what_it_took(project_root: Path, tmp_path: Path, capsys) -> None:
    rows = "symbol,time,price,size,id\n" + "".join(
        f"BTCUSDT,{1_772_323_200_000 + n * 500},{100 + n % 5},0.25,{n + 1}\n" for n in range(500)
    )
    (tmp_path / "good.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "bad.csv").write_text("nonsense\n", encoding="utf-8")
    lake = tmp_path / "lake"
    good = ran(command(project_root, lake, "--import", "good.csv"), tmp_path)
    assert "good.csv: 500 aggTrades of BTCUSDT, 2026-03-01: 500 new" in good.stderr
    assert good.returncode == 0
    assert inside(lake, "--import", tmp_path / "bad.csv", tmp_path / "good.csv") == 1
    said = capsys.readouterr().err
    assert "bad.csv" in said
    assert "all of it was held already: nothing changed" in said
    assert len(held_trades(lake, "BTCUSDT")) == 500


def test_a_path_that_is_not_there_is_one_line_and_2(project_root: Path, tmp_path: Path) -> None:
    gone = ran(command(project_root, tmp_path / "lake", "--import", "none.csv"), tmp_path)
    assert (gone.returncode, gone.stdout) == (2, "")
    assert gone.stderr == "pairdesk: none.csv cannot be imported: there is no such file\n"
    assert not (tmp_path / "lake").exists()


@contextmanager
def hearing_ctrl_c() -> Iterator[None]:
    """Start processes that hear SIGINT, though a shell's background job was told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not POSIX, reason="signals to another process are POSIX")
def test_ctrl_c_ends_a_fetch_whole_and_says_how_to_go_on(
    project_root: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2, 30_000)) as exchange:
        exchange.faults.rest_delay_s = 0.05
        words = command(project_root, lake, *fetching(exchange, "BTCUSDT", 0, 1), "--trades")
        with hearing_ctrl_c():
            process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        exchange.run(lambda inner: inner.wait_for_requests(12, timeout_s=30))
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=15)[1]
        held = held_trades(lake, "BTCUSDT")
        assert process.returncode == 1, errors
        exchange.faults.rest_delay_s = 0.0
        assert inside(lake, *fetching(exchange, "BTCUSDT", 0, 1), "--trades") == 0
        assert held_trades(lake, "BTCUSDT") == as_tuples(trades_at(exchange, "BTCUSDT"))
    assert 0 < len(held) < 60_000
    *_, ended, how = errors.splitlines()
    assert "ended as asked, after" in ended
    assert how.startswith("pairdesk: what was written stays; to go on where it was: python app.py")
    assert how.endswith("--trades")
    assert "Traceback" not in errors
