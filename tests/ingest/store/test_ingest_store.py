"""The database: what is written comes back, once, whole, and with its coverage."""

import random
import sqlite3
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.bars import resample_ticks
from ingest.binance import Kline
from ingest.errors import NewerDatabaseError, StoreError
from ingest.store import IdRange, TickReader, TickWriter
from ingest.store.schema import APPLICATION_ID, MIGRATIONS, decode, encode
from ingest.tick import Market, NonTrade, StreamKey, StreamKind, Tick

T0 = 1_700_000_000_000_000


def tick(trade_id: int, at_s: float, price: float = 100.0, quantity: float = 1.0, **more) -> Tick:
    time_us = T0 + round(at_s * 1_000_000)
    fields = {"market": "spot", "symbol": "BTCUSDT", "stream": "aggTrade"} | more
    return Tick(
        **fields,
        trade_id=trade_id,
        price=price,
        quantity=quantity,
        time_us=time_us,
        received_us=time_us + 1500,
        buyer_is_maker=bool(trade_id % 2),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ticks.db"


def write(path: Path, *batches: list[Any]) -> TickWriter:
    writer = TickWriter(path)
    for batch in batches:
        writer.write(batch)
    writer.close()
    return writer


@given(st.decimals("0.00000001", "90000000", places=8))
def test_a_printed_decimal_comes_back_as_it_was(value) -> None:
    assert decode(encode(float(value))) == float(value)


@given(st.floats(min_value=1e-12, max_value=1e15))
def test_any_other_float_comes_back_as_well(value: float) -> None:
    assert decode(encode(value)) == value


def test_ticks_come_back_as_they_were_written(path: Path) -> None:
    written = [tick(5, 0.001, 61837.63, 0.02), tick(6, 0.001, 61837.64, 0.00001)]
    write(path, written)
    with TickReader(path) as reader:
        frame = reader.ticks("BTCUSDT")
    assert list(frame.price) == [61837.63, 61837.64]
    assert list(frame.quantity) == [0.02, 0.00001]
    assert list(frame.trade_id) == [5, 6]
    assert list(frame.buyer_is_maker) == [True, False]
    assert list(pd.DatetimeIndex(frame.index).as_unit("us").asi8) == [t.time_us for t in written]
    assert frame.index.name == "time"


def test_the_view_for_the_sqlite_shell_prints_what_was_traded(path: Path) -> None:
    write(path, [tick(5, 0.25, 61837.63, 0.02)])
    with sqlite3.connect(path) as shell:
        row = shell.execute("SELECT * FROM tick_data").fetchone()
        names = [each[1] for each in shell.execute("PRAGMA table_info(tick_data)")]
    shell.close()
    assert names == [
        *("market", "symbol", "stream", "trade_id", "time_us", "received_us"),
        *("price", "quantity", "buyer_is_maker"),
    ]
    time_us = T0 + 250_000
    expected = ("spot", "BTCUSDT", "aggTrade", 5, time_us, time_us + 1500, 61837.63, 0.02, 1)
    assert row == expected


def test_a_replay_inserts_nothing_twice_and_one_millisecond_holds_many_trades(path: Path) -> None:
    batch = [tick(n, 0.5) for n in range(10)]
    writer = TickWriter(path)
    first, again = writer.write(batch), writer.write(batch + batch)
    writer.close()
    key: StreamKey = ("spot", "BTCUSDT", "aggTrade")
    assert (first.stored[key], again.stored.get(key, 0), again.duplicates[key]) == (10, 0, 20)
    with TickReader(path) as reader:
        assert len(reader.ticks("BTCUSDT")) == 10
        assert reader.bars("BTCUSDT", "1s").volume.sum() == 10


def test_an_id_with_other_content_is_a_conflict_and_the_first_one_stays(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0, 100.0)])
    found = writer.write([tick(1, 0, 101.0)])
    writer.close()
    assert found.conflicts == {("spot", "BTCUSDT", "aggTrade"): 1}
    with TickReader(path) as reader:
        assert list(reader.ticks("BTCUSDT").price) == [100.0]


def test_ids_of_the_two_stream_kinds_and_markets_never_mix(path: Path) -> None:
    write(
        path, [tick(1, 0, 10.0), tick(1, 1, 20.0, stream="trade"), tick(1, 2, 30.0, market="usdm")]
    )
    prices = {}
    kinds: list[tuple[Market, StreamKind]]
    kinds = [("spot", "aggTrade"), ("spot", "trade"), ("usdm", "aggTrade")]
    for market, stream in kinds:
        with TickReader(path, market=market, stream=stream) as reader:
            prices[market, stream] = list(reader.ticks("BTCUSDT").price)
    assert list(prices.values()) == [[10.0], [20.0], [30.0]]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4000),  # milliseconds to the next trade
            st.integers(1, 10**6),
            st.integers(1, 10**5),
            st.sampled_from(["tick", "tick", "tick", "other"]),
        ),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from(["lost", "non-trade"]),
    st.integers(0, 2**32),
    st.sampled_from(["1s", "5s", "30s", "1min"]),
)
def test_bars_equal_those_of_the_stored_ticks_to_the_bit(
    tmp_path_factory, rows, other, seed, interval
):
    """Whatever order trades come in, with duplicates, and lost ids or ids that are no trades.

    Not both: the store knows when a non-trade beside a gap happened, a ticks frame does not.
    """
    path = tmp_path_factory.mktemp("bars") / "ticks.db"
    events: list[Tick | NonTrade] = []
    at_ms = 0
    for trade_id, (step_ms, price, quantity, kind) in enumerate(rows):
        at_ms += step_ms
        trade = tick(trade_id, at_ms / 1000, price / 100, quantity / 1000)
        if kind == "tick":
            events.append(trade)
        elif other == "non-trade":
            key = (trade.market, trade.symbol, trade.stream, trade_id)
            events.append(NonTrade(*key, trade.time_us, trade.received_us, "NA"))
    rng = random.Random(seed)
    shuffled = events + rng.sample(events, len(events) // 3)
    rng.shuffle(shuffled)
    writer = TickWriter(path)
    for start in range(0, len(shuffled), 7):
        writer.write(shuffled[start : start + 7])
    writer.close()
    with TickReader(path) as reader:
        ours, ticks = reader.bars("BTCUSDT", interval), reader.ticks("BTCUSDT")
    expected = resample_ticks(ticks, interval)
    pd.testing.assert_frame_equal(ours, expected, check_exact=True)


def test_quiet_seconds_are_carried_and_seconds_in_a_gap_are_missing(path: Path) -> None:
    write(path, [tick(1, 0.2, 10.0), tick(2, 3.2, 11.0), tick(5, 6.4, 12.0)])
    with TickReader(path) as reader:
        bars = reader.bars("BTCUSDT", "1s")
    assert list(bars.coverage) == [
        *("traded", "quiet", "quiet", "missing", "missing", "missing", "traded")
    ]
    np.testing.assert_array_equal(bars.close, [10, 10, 10, np.nan, np.nan, np.nan, 12])
    assert list(bars.volume.fillna(-1)) == [1, 0, 0, -1, -1, -1, 1]
    assert bars.attrs["forming"] == bars.index[-1]


def test_a_filled_gap_repairs_the_bars_it_touched_coarser_ones_too(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0), tick(4, 130)])
    with TickReader(path) as reader:
        assert list(reader.bars("BTCUSDT", "1min").coverage) == ["missing", "missing", "traded"]
        writer.write([tick(2, 10, 50.0), tick(3, 70)])
        bars = reader.bars("BTCUSDT", "1min")
    writer.close()
    assert list(bars.coverage) == ["traded"] * 3
    assert bars.low.iloc[0] == 50.0


def test_start_and_end_choose_bars_by_their_open_time(path: Path) -> None:
    write(path, [tick(n, n) for n in range(20)])
    start, end = (pd.Timestamp(T0 + n * 1_000_000, unit="us", tz="UTC") for n in (5, 9))
    with TickReader(path) as reader:
        assert list(reader.bars("BTCUSDT", "1s", start, end).index) == list(
            pd.date_range(start, periods=4, freq="s")
        )
        assert list(reader.ticks("BTCUSDT", start, end).trade_id) == [5, 6, 7, 8]
        naive = reader.ticks("BTCUSDT", start.tz_localize(None).isoformat(), int(end.value // 1000))
        assert list(naive.trade_id) == [5, 6, 7, 8]


def test_an_unknown_symbol_is_empty_with_the_right_columns(path: Path) -> None:
    write(path, [tick(1, 0)])
    with TickReader(path) as reader:
        assert reader.symbols() == ["BTCUSDT"]
        assert reader.bars("NOPE", "1s").columns.equals(reader.bars("BTCUSDT", "1s").columns)
        assert reader.bars("NOPE", "1s").empty
        assert reader.ticks("NOPE").empty
        assert reader.span("NOPE") is None
        assert reader.last_trade("NOPE") is None
        assert reader.revision("NOPE") == 0


def test_the_revision_grows_with_each_commit_that_touches_the_symbol(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0)])
    with TickReader(path) as reader:
        before = reader.revision("BTCUSDT")
        writer.write([tick(1, 0, symbol="ETHUSDT")])
        assert reader.revision("BTCUSDT") == before
        writer.write([tick(2, 1, 99.5)])
        assert reader.revision("BTCUSDT") > before
        last = reader.last_trade("BTCUSDT")
        assert last is not None
        assert last.price == 99.5
    writer.close()


def test_a_reader_sees_whole_batches_while_the_writer_writes(path: Path) -> None:
    writer, size = TickWriter(path), 50
    writer.write([tick(n, n / 100) for n in range(size)])
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        with TickReader(path) as reader:
            while not done.is_set():
                seen.append(len(reader.ticks("BTCUSDT")))

    thread = threading.Thread(target=read)
    thread.start()
    for batch in range(1, 40):
        writer.write([tick(n, n / 100) for n in range(batch * size, (batch + 1) * size)])
    done.set()
    thread.join()
    writer.close()
    assert {count % size for count in seen} == {0}
    assert seen == sorted(seen)


def test_a_batch_that_fails_leaves_nothing_behind_and_can_be_written_again(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0)])
    bad = tick(3, 2, price=-1.0)  # refused by the table itself
    with pytest.raises(sqlite3.IntegrityError):
        writer.write([tick(2, 1), bad, tick(9, 9)])
    assert writer.streams()["spot", "BTCUSDT", "aggTrade"].last_id == 1
    writer.write([tick(2, 1), tick(3, 2)])
    writer.close()
    with TickReader(path) as reader:
        assert list(reader.ticks("BTCUSDT").trade_id) == [1, 2, 3]
        assert list(reader.bars("BTCUSDT", "1s").trades) == [1, 1, 1]


def test_the_ledger_survives_a_restart(path: Path) -> None:
    write(path, [tick(1, 0), tick(5, 4)])
    writer = TickWriter(path)
    writer.write([tick(3, 2), tick(8, 7)])
    ledger = writer.streams()["spot", "BTCUSDT", "aggTrade"]
    writer.close()
    assert [(gap.from_id, gap.to_id) for gap in ledger.gaps] == [(2, 2), (4, 4), (6, 7)]
    assert ledger.gaps[-1].cause == "stopped"


def test_settings_are_remembered_and_closing_twice_is_fine(path: Path) -> None:
    writer = TickWriter(path)
    writer.remember("symbols", "A,B")
    writer.close()
    writer.close()
    writer = TickWriter(path)
    assert writer.setting("symbols") == "A,B"
    assert writer.setting("other") is None
    writer.close()


def test_other_files_are_refused_with_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is no database, it is a longish text " * 100)
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE t (a)")
    other.close()
    newer = tmp_path / "newer.db"
    write(newer, [tick(1, 0)])
    with sqlite3.connect(newer) as changed:
        changed.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    changed.close()
    for bad, words in [(text, "not a database"), (foreign, "another program"), (newer, "update")]:
        with pytest.raises(StoreError, match=words):
            TickWriter(bad)
        with pytest.raises(StoreError):
            TickReader(bad)
    with pytest.raises(NewerDatabaseError, match="update Pairdesk"):
        TickReader(newer)
    with pytest.raises(StoreError, match="no database at"):
        TickReader(tmp_path / "absent.db")


def test_an_unknown_interval_names_those_known(path: Path) -> None:
    write(path, [tick(1, 0)])
    with TickReader(path) as reader, pytest.raises(StoreError, match=r"'7s'.*1s.*1h"):
        reader.bars("BTCUSDT", "7s")


def kline(second: int, price: float, trades: int = 2, volume: float = 1.5) -> Kline:
    open_us = T0 // 1_000_000 * 1_000_000 + second * 1_000_000
    return Kline(open_us, price, price + 1, price - 1, price, volume, trades, open_us + 999_999)


def test_klines_stand_before_the_first_tick_and_give_way_to_ticks(path: Path) -> None:
    key: StreamKey = ("spot", "BTCUSDT", "aggTrade")
    writer = TickWriter(path)
    writer.add_klines(key, 1, [kline(n, 50 + n // 2, trades=(n + 1) % 2) for n in range(6)])
    with TickReader(path) as reader:
        assert reader.symbols() == ["BTCUSDT"]
        alone = reader.bars("BTCUSDT", "1s")
        writer.write([tick(1, 4.5, 99.0), tick(2, 5.5, 100.0), tick(3, 7.2, 101.0)])
        bars = reader.bars("BTCUSDT", "1s")
        coarse = reader.bars("BTCUSDT", "5s")
    writer.close()
    assert list(alone.close) == [50, 50, 51, 51, 52, 52]
    assert list(bars.close) == [50, 50, 51, 51, 52, 100, 100, 101]
    traded, quiet = "traded", "quiet"
    assert list(bars.coverage) == [*[traded, quiet] * 2, traded, traded, quiet, traded]
    assert bars.attrs["klines_until"] == bars.index[5]
    assert list(coarse.close) == [52, 101]


def test_what_neither_klines_nor_ticks_know_is_missing(path: Path) -> None:
    key: StreamKey = ("spot", "BTCUSDT", "aggTrade")
    writer = TickWriter(path)
    writer.add_klines(key, 1, [kline(n, 50 + n) for n in (0, 1, 4)])
    writer.write([tick(1, 7.5, 99.0), tick(2, 8.5, 100.0)])
    writer.close()
    with TickReader(path) as reader:
        bars = reader.bars("BTCUSDT", "1s")
    assert list(bars.coverage) == [
        *("traded", "traded", "missing", "missing", "traded"),
        *("missing", "missing", "missing", "traded"),  # of the eighth only a part is known
    ]


def test_minute_klines_serve_minutes_and_nothing_finer(path: Path) -> None:
    key: StreamKey = ("usdm", "BTCUSDT", "aggTrade")
    writer = TickWriter(path)
    at = T0 // 60_000_000 * 60  # the minute in which the recording begins
    lines = [kline(at - T0 // 1_000_000 + 60 * n, 50 + n) for n in (-2, -1, 0)]
    writer.add_klines(key, 60, lines)
    writer.write([tick(1, 0.5, 99.0, market="usdm"), tick(2, 70, 100.0, market="usdm")])
    writer.close()
    with TickReader(path) as reader:
        assert list(reader.bars("BTCUSDT", "1min").close) == [48, 49, 50, 100]
        assert "klines_until" not in reader.bars("BTCUSDT", "1s").attrs


def test_absent_ids_are_known_and_given_up_ones_are_missing(path: Path) -> None:
    key: StreamKey = ("spot", "BTCUSDT", "aggTrade")
    writer = TickWriter(path)
    writer.write([tick(1, 0), tick(5, 4), tick(9, 8)])
    assert writer.close_gap(key, 2, 4, "absent", "the exchange has no such ids") == 3
    assert writer.close_gap(key, 6, 7, "expired", "too long ago") == 2
    assert [gap.from_id for gap in writer.open_gaps()] == [8]
    with TickReader(path) as reader:
        assert list(reader.bars("BTCUSDT", "1s").coverage) == [
            *("traded", "quiet", "quiet", "quiet"),
            *("missing", "missing", "missing", "missing", "traded"),
        ]
        ledger = reader.gaps("BTCUSDT")
    assert list(ledger.state) == ["absent", "expired", "open"]
    assert list(ledger.missing) == [3, 2, 1]
    assert writer.reopen_gaps([("spot", "ETHUSDT", "aggTrade")]) == {}
    assert writer.reopen_gaps(writer.streams()) == {
        ("spot", "BTCUSDT", "aggTrade"): [IdRange(6, 7)]
    }
    writer.write([tick(n, n - 1) for n in (6, 7, 8)])
    assert writer.open_gaps() == ()
    writer.close()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_database_is_brought_up_to_date_with_its_rows(path: Path, version: int) -> None:
    with sqlite3.connect(path) as old:
        old.executescript(
            f"{' '.join(MIGRATIONS[:version])}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};"
            "INSERT INTO gap (stream_id, first_id, last_id, from_id, to_id, after_us, before_us,"
            " cause, state) VALUES (1, 5, 6, 5, 6, 10, 20, 'lost', 'open');"
        )
    old.close()
    writer = TickWriter(path)
    writer.write([tick(1, 0)])
    writer.close()
    with TickReader(path) as reader:
        assert reader.symbols() == ["BTCUSDT"]
        assert list(reader.gaps().reason) == [""]


def test_the_quarantine_keeps_the_newest(path: Path) -> None:
    writer = TickWriter(path)
    for n in range(5):
        writer.quarantine([(T0 + n, "not JSON", f"frame {n}")], most=3)
    writer.close()
    with TickReader(path) as reader:
        assert list(reader.quarantine().excerpt) == ["frame 4", "frame 3", "frame 2"]
