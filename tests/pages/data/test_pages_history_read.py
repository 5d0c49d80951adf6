"""What is held in the history is read by every page, from – to and in baskets too."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.pair import PairParams
from ingest.settings import Settings, install_settings
from ingest.store import STORED_ROW, TickWriter
from ingest.store.lake import Lake, LakeWriter, Source
from ingest.store.pieces import LakeStream
from ingest.tick import Tick
from pages.ui.desk import pair_data

MINUTE = 60
FIRST = int(datetime(2024, 2, 28, tzinfo=UTC).timestamp())
LEGS = ("BTCUSDT", "ETHUSDT")
END = FIRST + 600 * MINUTE
PARAMS = PairParams(*LEGS, interval="1min", lookback=300, window=20, until=END)


def bring(root: Path, minutes: np.ndarray) -> None:
    """Put klines of both legs into the history: each closes at the number of its minute."""
    rows = np.zeros(minutes.size, dtype=STORED_ROW)
    rows["at"], rows["trades"], rows["volume"] = FIRST + MINUTE * minutes, 1, 10**8
    for name in ("open", "high", "low", "close"):
        rows[name] = 100.0 + minutes
    with LakeWriter(root) as writer:
        for symbol in LEGS:
            writer.put_klines("spot", symbol, MINUTE, rows, Source("rest", "=klines"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Settings]:
    """A desk that recorded a trade a year after what its history holds."""
    settings = Settings(db=tmp_path / "ticks.db", history=tmp_path / "history", ingest=False)
    late_us = (FIRST + 365 * 86_400) * 1_000_000
    with closing(TickWriter(settings.db)) as writer:
        writer.write(
            [Tick("spot", each, "aggTrade", 1, 5.0, 1.0, late_us, late_us, False) for each in LEGS]
        )
    bring(settings.history, np.arange(600))
    install_settings(settings)
    yield settings
    install_settings(Settings())


def closes(settings: Settings) -> list[float]:
    y, _ = pair_data.read_pair(settings.db, PARAMS).closed.legs
    return list(y.close[-300:])


def test_from_to_in_what_only_the_history_holds_has_its_bars(desk: Settings) -> None:
    assert closes(desk) == list(100.0 + np.arange(300, 600))


def test_a_window_of_returns_is_full_from_the_first_bar_of_a_range(desk: Settings) -> None:
    bars = pair_data.read_pair(desk.db, PARAMS)
    correlation = pair_data.analyse(bars, PARAMS).correlation
    assert correlation.size == 300
    assert np.isfinite(correlation).all()


def test_days_deleted_meanwhile_are_gone_at_once(desk: Settings) -> None:
    assert closes(desk)
    Lake(desk.history).delete("spot", "kline_1min", LEGS[0], date(2024, 2, 28), date(2024, 2, 28))
    assert not np.isfinite(closes(desk)).any()


def test_the_span_of_held_bars_counts_the_history(desk: Settings) -> None:
    held = pair_data.held_seconds(desk.db, LEGS, "1min")
    assert held is not None
    assert held >= 365 * 86_400


def test_a_symbol_with_a_name_too_long_for_a_folder_is_of_no_history(desk: Settings) -> None:
    stream = LakeStream("spot", "Q" * 5_000, "aggTrade")
    assert Lake(desk.history).id_spans(stream) == []
