"""The paper of the lake: its lines of SQL run on a lake, and its schema is the files'."""

import re
from pathlib import Path

import duckdb
import numpy as np
import pytest
from cases.dump_files import OCTOBER_S
from cases.lake import frame_of, put, trades_of

from analytics.bars import resample_ticks
from ingest.store.pieces import LakeStream

STREAM = LakeStream("spot", "BTCUSDT", "aggTrade")
COUNT = 2_000


@pytest.fixture(scope="module")
def paper(project_root: Path) -> str:
    return (project_root / "ingest/store/lake/README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def trades():
    rng = np.random.default_rng(1)
    times = OCTOBER_S * 1_000_000 + np.cumsum(rng.integers(0, 4_000, COUNT)) * 1000
    prices = (6_700_000 + np.cumsum(rng.integers(-9, 10, COUNT))) / 100
    return trades_of(range(COUNT), times, prices, rng.integers(1, 999, COUNT) / 1000)


@pytest.fixture(scope="module")
def shell(trades, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    root = tmp_path_factory.mktemp("lake")
    put(root, trades, stream=STREAM)
    return duckdb.connect(config={"file_search_path": str(root)})


def test_each_line_of_sql_runs_and_says_what_is_held(shell, paper: str, trades) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", paper, re.DOTALL)
    lines = block.strip().splitlines()
    counted, newest, bars, volumes, footers = (shell.sql(line).df() for line in lines)
    assert counted["trades"].tolist() == [COUNT]
    assert newest["close"].iloc[0] == trades.price[-1]
    expected = resample_ticks(frame_of(trades), "5min")
    for name in ("open", "high", "low", "close", "volume"):
        assert bars[name].tolist() == expected[name].tolist()
    assert volumes["symbol"].tolist() == ["BTCUSDT"]
    assert volumes["volume"].tolist() == pytest.approx([trades.quantity.sum()])
    assert '"rows":2000' in footers["footer"].iloc[0]


@pytest.mark.parametrize("kind", ["aggTrade", "aggTrade_1s", "aggTrade_1min"])
def test_the_schema_is_the_one_of_the_paper(shell, paper: str, kind: str) -> None:
    row = "| trades |" if kind == "aggTrade" else "| bars and klines |"
    (line,) = (each for each in paper.splitlines() if each.startswith(row))
    columns = shell.sql(f"DESCRIBE SELECT * FROM 'spot/{kind}/BTCUSDT/*/*.parquet'").fetchall()
    assert re.findall(r"`(\w+ [A-Z]+(?:\(18,8\))?)`", line) == [f"{c[0]} {c[1]}" for c in columns]
