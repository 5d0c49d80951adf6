"""What the user asked for, row by row: the app's own process starts, dies, comes back and stops."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

from desk.app_process import free_port
from desk.chromium import READY_MS

from acceptance.desk_page import (
    DEAD_WITHIN_MS,
    FILE,
    WINDOW,
    Desk,
    X,
    Y,
    person,
    tab,
    visit,
)
from acceptance.market_process import PAIR, SYMBOLS, Market
from acceptance.moments import MOVING, Moments, session_seed
from acceptance.stage import Stage, running_desk, stored_trades

pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.timeout(240)]

STOPPED_WITHIN_S = 10.0
FRESH_S = 20.0  # how far the last bar may lie behind the clock on a slow machine


@pytest.fixture
def reader(browser) -> Iterator["BrowserContext"]:
    """Who reads the desk, in one tab after the other."""
    with person(browser) as someone:
        yield someone


@pytest.fixture
def moments(request: pytest.FixtureRequest) -> Moments:
    return Moments(session_seed(request.config.getoption("acceptance_seed")), request.node.name)


def test_the_app_starts_and_shows_the_first_pair_to_anyone(
    browser, market: Market, moments: Moments, tmp_path: Path
) -> None:
    for moment in moments.rounds(MOVING):
        folder = tmp_path / str(moment.number)
        folder.mkdir()
        with running_desk(folder, market) as stage:
            with visit(browser, stage.url) as desk:
                arrive(desk)
                leave_an_upload(desk, stage, folder / "mine.ndjson")
                moment.come(desk)
            with visit(browser, stage.url) as desk:
                arrive(desk)  # whoever comes next has nothing to do with it
            assert connections(stage.app.process.pid, market), "the recorder is not in this process"
            assert stage.app.stop() == 0, stage.app.log()


def arrive(desk: Desk) -> None:
    """Come by the bare address: the first pair is shown live, and the address says so."""
    desk.open()
    shown = desk.reads("r.pill.includes('LIVE') && /[+−]\\d/.test(r.z)", READY_MS)
    assert shown.pair == PAIR
    assert shown.bar is not None
    assert time.time() - shown.bar.timestamp() < FRESH_S
    assert (desk.chosen(Y), desk.chosen(X)) == PAIR
    desk.moves()
    desk.charts_hold_data(1)
    desk.address_says(s1=PAIR[0], s2=PAIR[1], interval="1s")


def leave_an_upload(desk: Desk, stage: Stage, file: Path) -> None:
    """Look at a file of one's own, as the last thing of a visit that shows the pair."""
    desk.hurry()
    desk.type_number(WINDOW, 5)
    desk.shows_window(5)
    with file.open("w", encoding="utf-8") as lines:
        for symbol in PAIR:
            for row in stage.trades(symbol).to_dict("records"):
                tick = {"symbol": symbol, "ts": row["time_us"] // 1000, "price": row["price"]}
                tick |= {"size": row["quantity"], "id": row["trade_id"]}
                lines.write(json.dumps(tick) + "\n")
    desk.pick(FILE)
    desk.upload(file)
    desk.reads(f"r.head.includes('{file.name}')", READY_MS)


def connections(pid: int, market: Market) -> int:
    """Count the open connections of one process to the exchange, as the kernel has them."""
    if sys.platform != "linux":
        pytest.skip("whose a connection is stands in /proc")
    port = f":{int(market.ws_url.rpartition(':')[2]):04X}"
    open_sockets = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_, inode = line.split()[:10]
        if remote.endswith(port) and state == "01":
            open_sockets.add(f"socket:[{inode}]")
    handles = (each.readlink() for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink())
    return sum(str(handle) in open_sockets for handle in handles)


def test_a_page_without_its_server_looks_dead_and_comes_back(
    browser, market: Market, moments: Moments, tmp_path: Path
) -> None:
    port = free_port()
    with visit(browser, f"http://127.0.0.1:{port}") as desk:
        with running_desk(tmp_path, market, port=port):
            desk.live(s1=PAIR[0], s2=PAIR[1], window=10)
        desk.awaits_dead(is_dead=True, within_ms=DEAD_WITHIN_MS)
        for moment in moments.rounds(MOVING):
            with running_desk(tmp_path, market, port=port) as stage:
                desk.awaits_server()
                desk.moves()
                moment.come(desk)
                before = desk.read()
                stage.app.process.kill()
                desk.awaits_dead(is_dead=True, within_ms=DEAD_WITHIN_MS)
                # Still there to be read, greyed; a refresh may have come before the end.
                assert desk.read().figures.keys() == before.figures.keys()
                assert desk.signal_is_seen()
        desk.page.close()
        # A browser cannot but say in its console that nobody answered.
        desk.forget_refused_connections()


def test_the_app_stops_with_every_trade_stored(
    reader, market: Market, moments: Moments, tmp_path: Path
) -> None:
    port = free_port()
    for moment in moments.rounds(MOVING):
        with (
            running_desk(tmp_path, market, port=port) as stage,
            tab(reader, stage.url) as desk,
        ):
            desk.live(s1=PAIR[0], s2=PAIR[1], window=10)
            moment.come(desk)
            newest = {symbol: market.last_id(symbol) for symbol in SYMBOLS}
            desk.page.wait_for_timeout(200)  # what was told over REST is on its way in the stream
            begun_s = time.monotonic()
            assert stage.app.stop(STOPPED_WITHIN_S) == 0, stage.app.log()
            print(f"    stopped in {time.monotonic() - begun_s:.2f} s")
            assert not Path(f"/proc/{stage.app.process.pid}/task").exists()
            desk.page.close()
            desk.forget_refused_connections()
        for symbol in SYMBOLS:
            ids = stored_trades(stage.db, symbol)["trade_id"].to_numpy()
            assert ids[-1] >= newest[symbol], symbol
            assert np.array_equal(ids, np.arange(ids[0], ids[0] + len(ids))), symbol
