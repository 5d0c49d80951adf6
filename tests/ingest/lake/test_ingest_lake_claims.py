"""A lake holds one exchange's history of a market; of hosts that nobody knows it takes anything."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from cases.lake import DAY_US, STREAM, trades_of

from ingest.settings import parse_settings
from ingest.store.lake import Lake, LakeError, LakeWriter, Source, check_claim

DAY = date(2026, 3, 2)
BEGIN_US = (DAY - date(1970, 1, 1)).days * DAY_US
REST = Source("rest", "aggTrades")


def put(root: Path, venue: str) -> int:
    with LakeWriter(root, venue=venue) as writer:
        trades = trades_of(range(5), range(BEGIN_US, BEGIN_US + 5), [2.0] * 5, [1.0] * 5)
        return writer.put_trades(STREAM, DAY, trades, REST).rows


def test_rows_of_another_exchange_are_refused_and_nothing_changes(tmp_path: Path) -> None:
    assert put(tmp_path, "binance.com") == 5
    before = {each: each.read_bytes() for each in tmp_path.rglob("*.parquet")}
    wanted = "spot history of binance.com, and this is of binance-testnet: .* --history"
    with pytest.raises(LakeError, match=wanted):
        put(tmp_path, "binance-testnet")
    assert before == {each: each.read_bytes() for each in tmp_path.rglob("*.parquet")}
    assert put(tmp_path, "binance.com") == 5
    check_claim(tmp_path, "usdm", "binance-testnet")  # of another market nobody has said


@pytest.mark.parametrize("first", ["", "loopback", "gateway.example"])
def test_what_nobody_knows_claims_nothing_and_goes_anywhere(tmp_path: Path, first: str) -> None:
    put(tmp_path, first)
    put(tmp_path, "binance-testnet")
    put(tmp_path, first)
    with pytest.raises(LakeError, match=r"binance-testnet, and this is of binance\.com"):
        put(tmp_path, "binance.com")
    assert [each.rows for each in Lake(tmp_path).holdings() if each.kind == STREAM.kind] == [5]


def test_the_app_does_not_start_on_another_exchanges_history(
    tmp_path: Path, project_root: Path
) -> None:
    put(tmp_path, "binance.com")
    words = ["--history", str(tmp_path), "--db", str(tmp_path / "ticks.db"), "--no-browser"]
    done = subprocess.run(
        [sys.executable, str(project_root / "app.py"), *words, "--ws-url", "wss://demo-stream.binance.com"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "binance.com, and this is of binance-demo" in done.stderr


def test_a_fetch_is_of_the_exchange_that_is_asked() -> None:
    asked = {
        (): "binance.com",
        ("--ws-url", "wss://stream.testnet.binance.vision"): "binance-testnet",
        ("--rest-url", "http://127.0.0.1:9"): "loopback",
        ("--rest-url", "http://127.0.0.1:9", "--venue", "binance.us"): "binance.us",
    }
    assert {words: parse_settings(list(words)).rest_venue for words in asked} == asked
