"""The scanner page: recorded symbols, files, kept scans, filters, emptiness, a click to Live."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
import streamlit as st
from desk.script_page import said, shown, store, ticks_of, write_ndjson
from streamlit.testing.v1 import AppTest

from analytics.backtest import best_entry
from analytics.scanner import scan_pairs
from ingest.watch import MarketScanStatus
from pages.charts.scanner_heatmap import correlation_heatmap, pvalue_heatmap
from pages.ui.scanner import body, files, payment, run, words
from pages.ui.scanner import settings as scanner_settings
from pages.ui.scanner import store as scanner_store
from pages.ui.scanner import table as scanner_table
from pages.ui.scanner import watch as market_watch
from pages.ui.scanner.data import ScanMaterial
from pages.ui.scanner.settings import CLOSES, RECORDED, SAVED, TICKS, ScanSettings
from pages.ui.scanner.store import ScanFileError, ScanResult

SETTINGS = ScanSettings("1min", "all", 70, "automatic (AIC)", "log", 60, 0.05, ("A", "B", "C"))


def run_page(project_root: Path, source: str, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "scanner.py"))
    for name, value in {"scan_source": source, **query}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def table_of(page: AppTest) -> list[dict[str, object]]:
    """The table's rows, each column by what sorting goes by."""
    (sent,) = [each.proto for each in page.get("bidi_component")
               if each.proto.component_name.endswith("pairdesk_scanner_table")]  # fmt: skip
    data = json.loads(sent.json)
    labels = [column["label"] for column in data["columns"]]
    return [dict(zip(labels, (cell[1] for cell in row["cells"]), strict=True))
            for row in data["rows"]]  # fmt: skip


def walks(symbols: str = "ABCD", bars: int = 300) -> pd.DataFrame:
    steps = np.random.default_rng(1).normal(0, 1e-3, (bars, len(symbols))).cumsum(axis=0)
    index = pd.date_range("2024-01-01", periods=bars, freq="min", tz="UTC", name="time")
    return pd.DataFrame(np.exp(steps + 3), columns=[f"{s}USDT" for s in symbols], index=index)


def kept(closes: pd.DataFrame) -> ScanResult:
    return ScanResult(scan_pairs(closes), SETTINGS, "closes.csv", "a day")


def test_recorded_symbols_are_ranked_with_how_many_were_tried(project_root, database):
    legs = [ticks_of(name, 100.0 + n, 400, seed=n)
            for n, name in enumerate(("BTCUSDT", "ETHUSDT", "SOLUSDT"))]  # fmt: skip
    store(database, *legs)
    page = run_page(project_root, RECORDED, scan_interval="1s")
    body = shown(page)
    assert "Pairs tried" in body
    assert "of 3 symbols" in body
    assert "399 bars of 1s (1S); first 279 to choose, last 120 held out" in body
    rows = table_of(page)
    assert len(rows) == 3
    with scanner_store_reader(database) as reader:
        closes = pd.DataFrame({s: reader.bars(s, "1s")["close"] for s in reader.symbols()})
    expected = scan_pairs(closes.iloc[:-1])
    assert [row["p"] for row in rows] == expected["pvalue"].tolist()
    assert {row["Both traded"] for row in rows} == {1.0}


def test_symbols_of_a_replay_are_called_replayed(project_root, database, monkeypatch):
    monkeypatch.setattr(scanner_settings, "is_replay", lambda: True)
    store(database, *(ticks_of(name, 100.0, 400, seed=n) for n, name in enumerate("AB")))
    page = run_page(project_root, RECORDED, scan_interval="1s")
    assert "Replayed symbols" in shown(page)
    assert "Recorded symbols" not in shown(page)
    (source,) = [each.proto for each in page.get("button_group") if each.proto.label == "Scan"]
    assert source.options[0].content == "Replayed symbols"
    assert source.help.startswith("Replayed symbols: ")
    assert page.session_state["scan_source"] == RECORDED


def scanner_store_reader(path: Path):
    from ingest.store import TickReader

    return TickReader(path)


def test_without_two_symbols_the_page_says_what_to_do(project_root, database):
    assert "no database" in said(run_page(project_root, RECORDED)).lower()
    store(database, ticks_of("BTCUSDT", 100.0))
    assert "Only BTCUSDT has stored trades: 1 of 2 symbols" in said(
        run_page(project_root, RECORDED)
    )


def test_too_short_a_recording_counts_what_it_has(project_root, database):
    store(database, ticks_of("BTCUSDT", 100.0), ticks_of("ETHUSDT", 90.0, seed=6))
    assert "train part needs 23 bars, had" in said(run_page(project_root, RECORDED))


def test_a_file_of_closes_is_scanned_and_its_pairs_stay_here(project_root, database, data_folder):
    walks().to_csv(data_folder / "closes.csv")
    page = run_page(project_root, CLOSES, scan_file="closes.csv")
    assert len(table_of(page)) == 6
    assert "closes.csv" in shown(page)
    assert "300 bars of 1min" in shown(page)


def test_several_tick_files_are_one_scan(project_root, database, data_folder):
    write_ndjson(data_folder / "one.ndjson", ticks_of("BTCUSDT", 100.0, 120))
    write_ndjson(
        data_folder / "two.ndjson",
        ticks_of("ETHUSDT", 90.0, 120, 6),
        ticks_of("SOLUSDT", 9, 120, 7),
    )
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "scanner.py"))
    page.query_params["scan_source"] = TICKS
    page.query_params["scan_interval"] = "1s"
    page.session_state["scan_tick_files"] = ["one.ndjson", "two.ndjson"]
    page.run()
    assert not page.exception
    assert len(table_of(page)) == 3
    assert "one.ndjson, two.ndjson" in shown(page)


def test_a_kept_scan_comes_back_to_the_bit_with_its_settings(tmp_path):
    scan = kept(walks().assign(FLAT=1.0))
    scanner_store.save(scan, "majors 1min", tmp_path)
    assert scanner_store.saved_names(tmp_path) == ["majors 1min"]
    back = scanner_store.load("majors 1min", tmp_path)
    pd.testing.assert_frame_equal(back.table, scan.table, check_dtype=False, check_exact=True)
    assert back.table.attrs == scan.table.attrs
    assert (back.settings, back.source, back.span) == (scan.settings, scan.source, scan.span)


@pytest.mark.parametrize("name", ["", "../away", ".hidden", "a/b", "x" * 61, "a\\b", "ä"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path, name):
    with pytest.raises(ScanFileError, match="no name for a scan"):
        scanner_store.save(kept(walks()), name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"columns": 3}', b'{"columns": {}}'])
def test_a_file_that_is_no_scan_is_said_in_one_line(tmp_path, content):
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(ScanFileError, match=r"odd\.json is no scan"):
        scanner_store.load("odd", tmp_path)
    with pytest.raises(ScanFileError, match="no scan is kept as 'other'"):
        scanner_store.load("other", tmp_path)


def test_a_kept_scan_is_shown_and_none_says_how_to_keep_one(
    project_root, database, tmp_path, monkeypatch
):
    monkeypatch.setattr(scanner_store.saved_names, "__defaults__", (tmp_path,))
    monkeypatch.setattr(scanner_store.load, "__defaults__", (tmp_path,))
    assert "No scan is kept yet" in said(run_page(project_root, SAVED))
    scanner_store.save(kept(walks()), "mine", tmp_path)
    page = run_page(project_root, SAVED)
    assert len(table_of(page)) == 6
    assert "a day" in shown(page)


def volatile(wild: list[float]) -> ScanResult:
    """A scan whose first rows the table calls discoveries, with the bootstrap's p for them."""
    scan = kept(walks())
    nothing = [math.nan] * (len(scan.table) - len(wild))
    small = [1e-4] * len(wild)
    table = scan.table.assign(
        pvalue_wild=[*wild, *nothing],
        qvalue=[6 * max(each) for each in zip(small, wild, strict=True)] + [1.0] * len(nothing),
        pvalue=[*small, *scan.table["pvalue"].iloc[len(wild) :]],
    )
    return ScanResult(table, SETTINGS, "closes.csv", "a day")


def test_discoveries_that_volatility_explains_are_said_to_be_none():
    said_words = words.headline(volatile([0.2, 0.4]))
    assert "2 of 6 pairs are below 5 % by the usual table once all are counted" in said_words
    assert "none once its own volatility is allowed for" in said_words
    (figure,) = [each for each in words.figures(volatile([0.2, 0.4])) if "q below" in each.label]
    assert figure.value == "0"
    assert "2 more if their volatility were not allowed for" in figure.notes


def test_the_held_out_part_is_not_said_to_share_the_firsts_signs():
    (held_out,) = [each for each in words.EXPLAINED if each.label == "Held-out part"]
    assert "by random signs, as the first" in held_out.tip
    assert "same" not in held_out.tip


def test_discoveries_that_stay_are_counted_and_the_others_noted():
    scan = volatile([1e-3, 0.4])
    assert "1 of 6 pairs stays below 5 % once all are counted" in words.headline(scan)
    (figure,) = [each for each in words.figures(scan) if "q below" in each.label]
    assert figure.value == "1"
    assert "1 more if their volatility were not allowed for" in figure.notes


def test_the_volatile_p_is_shown_where_a_row_was_drawn_for():
    shown_rows = scanner_table.table_data(volatile([1e-3, 0.4]).table, {}, {})
    labels = [column["label"] for column in shown_rows["columns"]]
    at = labels.index("p, volatile")
    read = [row["cells"][at][1] for row in shown_rows["rows"]]
    assert read == [1e-3, 0.4, None, None, None, None]
    calm = scanner_table.table_data(kept(walks()).table, {}, {})
    assert "p, volatile" not in [column["label"] for column in calm["columns"]]


def test_a_scan_kept_by_an_earlier_version_is_shown_without_the_volatile_p():
    scan = volatile([1e-3, 0.4])
    earlier = ScanResult(scan.table.drop(columns="pvalue_wild"), SETTINGS, "closes.csv", "a day")
    assert "1 of 6 pairs stays below 5 %" in words.headline(earlier)
    (figure,) = [each for each in words.figures(earlier) if "q below" in each.label]
    assert not [note for note in figure.notes if "volatility" in note]
    assert len(scanner_table.table_data(earlier.table, {}, {})["rows"]) == 6


@pytest.mark.parametrize(
    ("text", "said_words"),
    [
        ("", "no CSV of closes"),
        ("time,A\n1,2\n", "at least two columns"),
        ("time,A,B\nx,1,2\n", "the column time holds no times"),
        ("time,A,B\n1e30,1,2\n", "the column time holds no times"),
        ("time,A,B\n2024-01-01,x,2\n", "1 columns of numbers beside time"),
        ("time,A,B\n2024-01-01,1,2\n2024-01-01,1,2\n", "more than one row at"),
    ],
)
def test_a_bad_file_of_closes_is_refused_in_words(tmp_path, text, said_words):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(files.ClosesFileError, match=said_words):
        files.read_closes(path, path.name)


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000, None])
def test_times_of_closes_are_told_by_magnitude_or_read_as_utc(tmp_path, scale):
    closes = walks("AB", 5)
    written = closes.reset_index(drop=True)
    index = pd.DatetimeIndex(closes.index)
    seconds = index.as_unit("us").asi8 // 1_000_000
    times = index.strftime("%Y-%m-%dT%H:%M:%S") if scale is None else seconds * scale
    written.insert(0, "open_time_ms" if scale == 1_000 else "time", times)
    path = tmp_path / "closes.csv"
    written.iloc[::-1].to_csv(path, index=False)
    pd.testing.assert_frame_equal(files.read_closes(path, path.name), closes, check_freq=False)


def test_filters_keep_what_they_admit_and_ask_nothing_by_default():
    table = scan_pairs(walks("ABCDE").assign(FLAT=1.0))
    nothing = scanner_table.Filters(None, 1.0, -1.0, float("inf"), 0.0, confirmed_only=False)
    assert len(scanner_table.filtered(table, nothing)) == len(table)
    with_a = scanner_table.Filters("AUSDT", 1.0, -1.0, float("inf"), 0.0, confirmed_only=False)
    assert len(scanner_table.filtered(table, with_a)) == 5
    half = float(table["pvalue"].median())
    small = scanner_table.filtered(
        table, scanner_table.Filters(None, half, 0.0, 1e9, 0.0, confirmed_only=False)
    )
    assert (small["pvalue"] <= half).all()
    assert (small["correlation"] >= 0).all()
    assert len(small)


def test_the_table_reads_as_the_rest_of_the_desk_and_sorts_by_the_numbers():
    table = scan_pairs(walks("ABC")).assign(pvalue=[1e-5, 0.25, 1.0])
    pair = frozenset(table.loc[0, ["y", "x"]])
    data = scanner_table.table_data(table, {pair: 2}, {"legs": ["s1", "s2"], "choices": {}})
    labels = [column["label"] for column in data["columns"]]
    rows = [dict(zip(labels, row["cells"], strict=True)) for row in data["rows"]]
    assert labels[:3] == ["S1", "S2", "Move"]
    assert [row["p"] for row in rows] == [("<0.001", 1e-5), ("0.250", 0.25), ("1.000", 1.0)]
    assert rows[0]["Move"] == ("▲ 2", 2.0)
    assert data["rows"][0]["pair"] == list(table.loc[0, ["y", "x"]])
    assert not {"Both traded", "Remark", "Spread"} & set(labels)
    assert orjson.loads(orjson.dumps(data))["link"]["legs"] == ["s1", "s2"]


def test_a_number_that_is_not_known_is_a_dash_and_sorts_last():
    table = scan_pairs(walks("ABC")).assign(
        half_life=[math.nan, 3.0, 2.0], spread=pd.Series([[], [1.0], [0.5, 1, 2]])
    )
    data = scanner_table.table_data(table, {}, {"legs": [], "choices": {}})
    place = [column["label"] for column in data["columns"]].index("Half-life (bars)")
    assert [row["cells"][place] for row in data["rows"]] == [
        ("–", None),
        ("3.0", 3.0),
        ("2.0", 2.0),
    ]
    assert [row["path"] for row in data["rows"]] == [[], [], [0, 13, 40]]


def with_return() -> pd.DataFrame:
    """Walks, and a follower of the first of them."""
    closes, gap = walks("ABCD", 600), np.zeros(600)
    for t in range(1, gap.size):
        gap[t] = 0.8 * gap[t - 1] + np.random.default_rng(t).normal(0, 1e-3)
    return closes.assign(PUSDT=np.exp(np.log(closes["AUSDT"]) + gap))


def test_a_discovery_says_from_where_it_pays_and_no_other_pair_does():
    scan = kept(with_return())
    table = payment.with_payment(scan, 1.0)
    found = table["qvalue"] < SETTINGS.level
    assert 0 < found.sum() < len(table)
    assert table["pays_from"].notna().tolist() == found.tolist()
    row = table[found].iloc[0]
    cost = 2 * (1 + abs(row["beta"])) * 1e-4
    best = best_entry(row["half_life_unbiased"], row["deviation"], cost)
    assert row["entry_level"] == pytest.approx(best.level, rel=1e-6)
    assert row["pays_from"] == pytest.approx(cost / row["deviation"])
    # Seven hours are too few for a year's rate; two days are not.
    earned = best.mean / (1 + abs(row["beta"]))
    assert row["return_in_bars"] == pytest.approx(earned * 420, rel=1e-6)
    hours = replace(scan, settings=replace(SETTINGS, interval="1h"))
    a_year = payment.with_payment(hours, 1.0)[found]["return_a_year"].iloc[0]
    assert a_year == pytest.approx(earned * 8_760, rel=1e-6)
    assert np.isnan(row["return_a_year"])
    residual = np.log(with_return())
    rest = (residual[row["y"]] - row["beta"] * residual[row["x"]]).iloc[:420]
    assert row["deviation"] == pytest.approx(rest.std(ddof=0), rel=1e-6)

    dear = payment.with_payment(scan, 90.0)
    data = scanner_table.table_data(dear, {}, {"legs": [], "choices": {}})
    labels = [column["label"] for column in data["columns"]]
    cells = [dict(zip(labels, each["cells"], strict=True)) for each in data["rows"]]
    assert cells[0]["Pays from |z|"] == ("never", None)
    assert cells[0]["In n bars from there"] == ("0.00 %", 0.0)
    assert "A year from there" not in labels
    assert cells[-1]["Pays from |z|"] == ("–", None)
    assert "pays_from" in body.scan_csv(scan, 90.0).decode().splitlines()[0]


def test_while_volatility_is_allowed_for_the_pairs_left_are_counted_by_that_name():
    material = ScanMaterial("closes.csv", "key", with_return())
    told: list[tuple[object, ...]] = []
    scan = run._scan(material, SETTINGS, lambda *step: told.append(step))
    left = int(scan.table["pvalue_wild"].notna().sum())
    assert told[-1] == (left, left, words.DRAWING)
    assert (10, 10) in told


def test_free_fills_and_scans_of_an_earlier_version_have_no_payment():
    scan = kept(walks("ABC"))
    assert payment.with_payment(scan, 0.0) is scan.table
    earlier = replace(scan, table=scan.table.drop(columns="deviation"))
    assert payment.with_payment(earlier, 5.0) is earlier.table
    # Without a discovery the columns would say nothing.
    data = scanner_table.table_data(
        payment.with_payment(scan, 5.0), {}, {"legs": [], "choices": {}}
    )
    assert "Pays from |z|" not in [column["label"] for column in data["columns"]]


def test_unproven_says_how_many_bars_would_tell():
    table = scan_pairs(walks("ABC")).assign(
        verdict=["unproven", "holds", "unproven"], half_life=[10.0, 10.0, math.nan]
    )
    data = scanner_table.table_data(table, {}, {"legs": [], "choices": {}})
    place = [column["label"] for column in data["columns"]].index("Held-out part")
    # 19.3 / (1 - 2^(-1/10)): a test of that many bars finds such a return in 80 % of samples.
    assert [row["cells"][place][0] for row in data["rows"]] == [
        "· unproven: wants 289 bars", "✓ holds", "· unproven",
    ]  # fmt: skip
    # It had as many: a return as slow is not what they hold.
    enough = scanner_table.table_data(
        table.assign(holdout_bars=300), {}, {"legs": [], "choices": {}}
    )
    assert enough["rows"][0]["cells"][place][0] == "· unproven"


def test_movers_are_counted_from_the_bar_before(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    first, second = kept(walks("ABC")), kept(walks("ABC"))
    object.__setattr__(second, "table", second.table.iloc[[2, 0, 1]].reset_index(drop=True))
    bars = pd.date_range("2024-01-01", periods=2, freq="min", tz="UTC")
    assert run.moves(first, bars[0]) == {}
    moved = run.moves(second, bars[1])
    pairs = [frozenset(pair) for pair in zip(second.table["y"], second.table["x"], strict=True)]
    assert [moved[pair] for pair in pairs] == [2, -1, -1]
    assert run.moves(second, bars[1]) == moved
    assert dict(moved) == {pairs[0]: 2, pairs[1]: -1, pairs[2]: -1}
    assert len(moved) == 3
    assert moved.get(frozenset("AZ"), 0) == moved.get(frozenset("A"), 0) == 0
    fewer = kept(walks("AB"))
    assert list(run.moves(fewer, bars[1] + pd.Timedelta("1min"))) == [frozenset(("AUSDT", "BUSDT"))]


def test_sessions_share_the_places_of_a_scan(monkeypatch):
    scan, bar = kept(walks("ABC")), pd.Timestamp("2024-01-01", tz="UTC")
    held = []
    for _ in range(2):
        monkeypatch.setattr(st, "session_state", {})
        run.moves(scan, bar)
        held.append(st.session_state[run.RANKS][1].places)
    assert held[0] is held[1]


def test_heatmaps_hold_both_orderings_and_their_ranges():
    names = ["A", "B"]
    figure = pvalue_heatmap(names, np.array([[np.nan, 0.01], [0.2, np.nan]]))
    trace = figure.data[0]
    assert (trace.zmin, trace.zmax) == (0.0, 0.2)
    assert np.asarray(trace.z)[0, 1] == np.float32(0.01)
    assert list(figure.layout.yaxis.range) == [1.5, -0.5]
    assert correlation_heatmap(names, np.eye(2)).data[0].zmin == -1.0


def test_the_csv_has_every_pair_and_every_digit():
    from pages.ui.scanner.body import csv_name, scan_csv

    scan = kept(walks("ABC"))
    lines = scan_csv(scan, 7.5).decode().splitlines()
    assert len(lines) == 4
    assert repr(float(scan.table["stat"].iloc[0])) in lines[1]
    assert csv_name(scan) == "scan_1min_3pairs.csv"
    assert json.loads(json.dumps(scan.settings.to_json()))["interval"] == "1min"


STATUS = MarketScanStatus(True, 1_700_000_040_000_000, 400, 79_800, 3, 1.25)
MARKET_LINES = {
    "asked for by none": (MarketScanStatus(), ""),
    "before the first": (MarketScanStatus(True), "the first waits for a minute to close."),
    "made": (
        STATUS,
        (
            "bar of 2023-11-14 22:14:00 UTC, closed 20 s ago; 400 symbols, 79,800 pairs, "
            "3 found that hold; took 1.2 s."
        ),
    ),
    "one": (replace(STATUS, found=1), "400 symbols, 79,800 pairs, 1 found that holds; took 1.2 s."),
    "failed": (
        MarketScanStatus(True, error="the database is locked."),
        "the latest could not be made: the database is locked.",
    ),
}


@pytest.mark.parametrize(("status", "words"), MARKET_LINES.values(), ids=MARKET_LINES)
def test_the_scan_of_the_market_is_said_in_a_line(status, words) -> None:
    line = market_watch.market_scan_words(status, 1_700_000_120.0)
    assert line.endswith(words)
    assert bool(line) == bool(words)
    assert line.startswith(market_watch.MARKET_SCAN if words else "")


def test_the_page_shows_the_scan_of_the_market_where_one_runs(
    project_root, database, watch, monkeypatch
) -> None:
    store(database, ticks_of("BTCUSDT", 100.0), ticks_of("ETHUSDT", 90.0, seed=6))
    monkeypatch.setattr(type(watch), "market_scan", lambda _: STATUS)
    page = run_page(project_root, RECORDED)
    captions = " ".join(each.value for each in page.caption)
    assert "400 symbols, 79,800 pairs, 3 found that hold" in captions
