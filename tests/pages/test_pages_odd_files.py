"""Files as people have them on the page: what is asked, what is said, what is shown."""

import json
from pathlib import Path

import pytest
from desk.script_page import START_US, run_file, said, shown, ticks_of, write_ndjson

from pages.ui.state import choices


def write_nameless(path: Path, price: float = 2_500.0, seconds: int = 200) -> None:
    ticks = ticks_of("ANY", price, seconds)
    rows = [f"{t.time_us // 1000},{t.quantity},{t.price},buy" for t in ticks]
    path.write_text("\n".join(["timestamp,size,price,side", *rows]), encoding="utf-8")


def test_a_file_without_a_symbol_asks_for_it_and_shows_what_is_typed(
    project_root, database, data_folder
):
    write_nameless(data_folder / "ETHBTC_TRADE.csv")
    page = run_file(project_root, "ETHBTC_TRADE.csv")
    assert "does not say which symbol its rows are of" in said(page)
    assert not page.error
    (asked,) = [each for each in page.text_input if each.label == "Symbol of its trades"]
    assert asked.placeholder == "For example ETHBTC"
    asked.set_value("eth btc?").run()
    assert "is not a symbol" in said(page)
    asked = next(each for each in page.text_input if each.label == "Symbol of its trades")
    asked.set_value("ethbtc").run()
    assert not page.exception
    assert "holds a single symbol, ETHBTC" in said(page)


def test_several_uploads_are_one_data_set(project_root, database, data_folder):
    page = run_file(project_root, choices.UPLOAD)
    dumps = []
    for symbol, base, first in (("BTCUSDT", 60_000.0, 1000), ("ETHUSDT", 2_500.0, 5000)):
        ticks = ticks_of(symbol, base)
        rows = [
            f"{first + n},{t.price},{t.quantity},1.5,{t.time_us // 1000},true,true"
            for n, t in enumerate(ticks)
        ]
        dumps.append((f"{symbol}-trades-2025-12-16.csv", "\n".join(rows).encode(), "text/csv"))
    page.file_uploader[0].set_value(dumps).run()
    assert not page.exception
    assert "400 of 400 rows kept: 200 BTCUSDT, 200 ETHUSDT" in shown(page)
    assert "BTCUSDT-trades-2025-12-16.csv and ETHUSDT-trades-2025-12-16.csv" in shown(page)


def test_a_silence_of_both_legs_is_said_with_its_rule_and_is_missing(
    project_root, database, data_folder
):
    legs = [ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6)]
    cut = [[t for t in leg if not 100 <= (t.time_us - START_US) / 1e6 < 160] for leg in legs]
    write_ndjson(data_folder / "cut.ndjson", *cut)
    body = shown(run_file(project_root, "cut.ndjson"))
    assert "No symbol traded from" in body
    assert "(61 s): missing, not quiet." in body
    assert "Without ids a silence is missing, not quiet, where it is more than 8 times" in body
    write_ndjson(data_folder / "whole.ndjson", *legs)
    assert "missing, not quiet" not in shown(run_file(project_root, "whole.ndjson"))


def test_ids_that_are_none_are_said_on_the_page(project_root, database, data_folder):
    legs = zip(ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6), strict=True)
    ticks = [tick for pair in legs for tick in pair]
    rows = [
        {"id": n, "symbol": t.symbol, "ts": t.time_us // 1000, "price": t.price, "size": t.quantity}
        for n, t in enumerate(ticks)
    ]
    (data_folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    body = shown(run_file(project_root, "rows.json"))
    assert "400 of 400 rows kept" in body
    assert "The ids of BTCUSDT, ETHUSDT are no trade ids and were left out" in body
    assert "missing in gaps" not in body


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["bianrensheng.ndjson", "two_dumps.zip", "excel_de.csv", "array_one_line.json"]
)
def test_an_odd_file_is_a_pair_on_the_page(
    project_root, database, data_folder, shared_data: Path, name
):
    (data_folder / name).write_bytes((shared_data / "odd" / name).read_bytes())
    page = run_file(project_root, name)
    assert not page.error
    assert "400 of 400 rows kept" in shown(page)
