"""What a live scan stands on: bars kept in memory, equal to a fresh read, new rows read only."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from ingest.store import TickReader, TickWriter, bar_source
from ingest.store.window import BarWindows
from ingest.tick import Tick
from pages.ui.scanner import data
from pages.ui.scanner.settings import ScanSettings

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
T0_S = 1_700_000_040  # a whole minute


def asked(interval: str, symbols: tuple[str, ...] = SYMBOLS) -> ScanSettings:
    return ScanSettings(interval, "1h", 70, "automatic (AIC)", "log", 60, 0.05, symbols)


class Recording:
    """A database that symbols are written to, at times and prices drawn once."""

    def __init__(self, path: Path, seed: int) -> None:
        self.writer, self.rng = TickWriter(path), random.Random(seed)
        self.path, self.clock_s = path, 0.0
        self.next_id = dict.fromkeys(SYMBOLS, 1)
        self.left_out: list[Tick] = []

    def tick(self, symbol: str, at_s: float) -> Tick:
        time_us = round((T0_S + at_s) * 1_000_000)
        number, self.next_id[symbol] = self.next_id[symbol], self.next_id[symbol] + 1
        price = round(self.rng.uniform(99, 101), 2)
        return Tick("spot", symbol, "aggTrade", number, price, 0.5, time_us, time_us + 900, False)

    def trade(self, symbol: str, seconds: float, *, leave_out: bool = False) -> None:
        """Let time pass and a symbol trade; a trade left out makes a gap in its ids."""
        self.clock_s += seconds
        made = self.tick(symbol, self.clock_s)
        if leave_out:
            self.left_out.append(made)
        else:
            self.writer.write([made])

    def repair(self) -> None:
        """Write what was left out."""
        self.writer.write(self.left_out)
        self.left_out.clear()


def fresh(path: Path, wanted: ScanSettings, newest_us: int) -> dict[str, pd.DataFrame]:
    """Read every bar anew, keep those before the bar still forming, and lay them side by side."""
    start_us, newest = newest_us - 3_600_000_000, pd.Timestamp(newest_us, unit="us", tz="UTC")
    with TickReader(path) as reader:
        read = {each: reader.bars(each, wanted.interval, start_us) for each in wanted.symbols}
    closed = {symbol: frame.loc[frame.index < newest] for symbol, frame in read.items()}
    held = {symbol: frame for symbol, frame in closed.items() if len(frame)}
    if not held:
        return {}
    edges = [edge for frame in held.values() for edge in (frame.index[0], frame.index[-1])]
    grid = pd.date_range(min(edges), max(edges), freq=wanted.interval, name="time")
    laid = {symbol: frame.reindex(grid) for symbol, frame in held.items()}
    return {
        "closes": pd.DataFrame({each: bars["close"] for each, bars in laid.items()}),
        "traded": pd.DataFrame({each: bars["coverage"] == "traded" for each, bars in laid.items()}),
        "quote_volume": pd.DataFrame(
            {each: bars["close"] * bars["volume"] for each, bars in laid.items()}
        ),
    }


def assert_as_fresh(path: Path, wanted: ScanSettings) -> data.ScanMaterial | None:
    newest_us = data.newest_bar_us(path, wanted)
    if newest_us is None:
        return None
    found = data.of_database(path, wanted, newest_us)
    expected = fresh(path, wanted, newest_us)
    assert bool(len(found.closes)) == bool(expected)
    for name, read in expected.items():
        pd.testing.assert_frame_equal(
            getattr(found, name), read, check_exact=True, check_freq=False
        )
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(SYMBOLS), st.sampled_from([0.0, 0.2, 1.0, 7.0, 65.0])),
        st.tuples(st.sampled_from(["leave out", "repair"]), st.just(1.0)),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, seed=st.integers(0, 2**20))
def test_bars_of_a_live_scan_equal_a_fresh_read_after_any_trades(tmp_path_factory, steps, seed):
    recording = Recording(tmp_path_factory.mktemp("scan") / "ticks.db", seed)
    for what, seconds in steps:
        if what == "repair":
            recording.repair()
        elif what == "leave out":
            recording.trade(SYMBOLS[0], seconds, leave_out=True)
        else:
            recording.trade(what, seconds)
        for interval in ("1s", "5s", "1min"):
            assert_as_fresh(recording.path, asked(interval))
    recording.writer.close()


@pytest.fixture
def recording(tmp_path: Path):
    made = Recording(tmp_path / "ticks.db", 7)
    for second in range(300):
        made.trade(SYMBOLS[second % 3], 1.0, leave_out=second == 150)
    yield made
    made.writer.close()


def test_a_bar_that_closes_reads_its_own_rows_and_no_others(recording, monkeypatch):
    assert_as_fresh(recording.path, asked("1s"))
    read: list[int] = []
    stored = bar_source.BarSource._stored

    def counted(self, low: int, high: int):
        rows = stored(self, low, high)
        read.append(len(rows))
        return rows

    for _ in range(3):
        recording.trade(SYMBOLS[0], 1.0)
    newest_us = data.newest_bar_us(recording.path, asked("1s"))
    assert newest_us is not None
    monkeypatch.setattr(bar_source.BarSource, "_stored", counted)
    data.of_database(recording.path, asked("1s"), newest_us)
    assert 0 < sum(read) <= 3 + len(SYMBOLS)  # the new ones and each symbol's newest before


def test_a_symbol_that_has_not_traded_since_keeps_its_last_bar(recording):
    recording.trade(SYMBOLS[0], 30.0)
    found = assert_as_fresh(recording.path, asked("1s"))
    assert found is not None
    for symbol in SYMBOLS[1:]:
        assert found.traded is not None
        last: Any = found.closes[symbol].last_valid_index()
        assert last < found.last_bar or found.traded[symbol].any()
    recording.trade(SYMBOLS[0], 1.0)
    late = assert_as_fresh(recording.path, asked("1s"))
    assert late is not None
    assert late.last_bar > found.last_bar


def test_a_repaired_bar_is_another_state_and_the_same_bars_are_the_same(recording):
    wanted = asked("1s")
    newest_us = data.newest_bar_us(recording.path, wanted)
    assert newest_us is not None
    before = data.of_database(recording.path, wanted, newest_us)
    assert data.of_database(recording.path, wanted, newest_us).key == before.key
    recording.repair()
    after = data.of_database(recording.path, wanted, newest_us)
    assert after.key != before.key
    assert after.closes[SYMBOLS[0]].notna().sum() > before.closes[SYMBOLS[0]].notna().sum()


def test_windows_that_hold_too_much_let_the_oldest_go(recording):
    windows = BarWindows(most_bytes=1)
    first = windows.get(recording.path, SYMBOLS[0], "1s")
    first.view(None)
    assert windows.get(recording.path, SYMBOLS[0], "1s") is first
    windows.get(recording.path, SYMBOLS[1], "1s")
    assert windows.get(recording.path, SYMBOLS[0], "1s") is not first


def test_sessions_share_one_copy_of_the_bars(recording) -> None:
    """Streamlit keeps closed sessions for two minutes, with all that they hold."""
    for symbol in SYMBOLS:
        recording.trade(symbol, 90.0)
    newest_us = data.newest_bar_us(recording.path, asked("1s"))
    assert newest_us is not None

    def page() -> None:
        import streamlit

        from pages.ui.scanner import data

        given = streamlit.session_state["given"]
        streamlit.session_state["material"] = data.live_material(*given)

    found = []
    for _ in range(2):
        test = AppTest.from_function(page)
        test.session_state["given"] = (recording.path, asked("1s"), newest_us)
        assert not test.run().exception
        found.append(test.session_state["material"])
    assert found[0] is found[1]
