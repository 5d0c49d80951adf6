"""What the scenarios on a desk that records play on: the desk, its readers, their moments."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from acceptance.desk_page import person
from acceptance.market_process import DENSE_S, Market, running_market
from acceptance.moments import Moments, session_seed
from acceptance.stage import Stage, running_desk, wait_until_filled

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """The exchange, which goes on whatever records it."""
    with running_market(tmp_path_factory.mktemp("market")) as running:
        yield running


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, market: Market) -> Iterator[Stage]:
    """A desk that was off for most of an hour, has fetched what it missed, and records."""
    folder = tmp_path_factory.mktemp("acceptance")
    with running_desk(folder, market, off_for_s=DENSE_S - 60) as running:
        wait_until_filled(running)
        yield running
        assert running.app.stop() == 0, running.app.log()


@pytest.fixture(scope="module")
def reader(browser) -> Iterator["BrowserContext"]:
    """Who reads the desk, a tab a scenario: what it loaded once is at hand, as it is for a user."""
    with person(browser) as someone:
        yield someone


@pytest.fixture
def somebody_else(browser) -> Iterator["BrowserContext"]:
    """Another reader."""
    with person(browser) as someone:
        yield someone


@pytest.fixture
def moments(request: pytest.FixtureRequest) -> Moments:
    return Moments(session_seed(request.config.getoption("acceptance_seed")), request.node.name)
