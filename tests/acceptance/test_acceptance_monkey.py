"""What the user asked for, last row: whatever is clicked, the desk stays whole and goes on."""

from collections.abc import Iterator

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

from desk.chromium import READY_MS

from acceptance.desk_page import LIVE, visit
from acceptance.market_process import DENSE_S, PAIR, Market
from acceptance.moments import SEED_NAME, session_seed
from acceptance.monkey import Monkey
from acceptance.stage import Stage, running_desk, store_trades

pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.timeout(400)]

ACTIONS = 200
MISSED_SHARE = 0.1


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, market: Market) -> Iterator[Stage]:
    """A desk of its own: what is clicked there changes the recording too."""
    folder = tmp_path_factory.mktemp("monkey")
    store_trades(folder / "ticks.db", market, DENSE_S - 60)
    with running_desk(folder, market) as running:
        yield running
        assert running.app.stop() == 0, running.app.log()


def test_two_hundred_random_actions_leave_a_desk_that_lives(
    browser, stage: Stage, request: pytest.FixtureRequest
) -> None:
    seed = session_seed(request.config.getoption("acceptance_seed"))
    print(f"{SEED_NAME}={seed}")
    with visit(browser, stage.url) as desk:
        monkey = Monkey(desk, seed)
        try:
            desk.live(s1=PAIR[0], s2=PAIR[1], window=30)
            for _ in range(ACTIONS):
                monkey.act()
        finally:
            print("\n".join(f"{n}. {did}" for n, did in enumerate(monkey.log, 1)))
        assert monkey.missed <= MISSED_SHARE * ACTIONS
        desk.page.set_viewport_size({"width": 1440, "height": 900})
        desk.open("feed", mode=LIVE)
        desk.shows("Feed")
        resume = desk.button("Resume recording")
        if resume.count():
            resume.click()
        desk.live(mode=LIVE, s1=PAIR[0], s2=PAIR[1], interval="1s", window=30)
        desk.reads("r.pill.includes('LIVE')", READY_MS)
        desk.moves()
    assert "Traceback" not in stage.app.log()
