"""Fixtures shared by all tests: where the recorded market data lies, and who must have it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import settings
from places import ROOT, SHARED_DATA, skip_or_fail

# pandas takes means from bottleneck where it is installed, in other last bits. It is here for the
# benchmarks only: the app has none.
pd.set_option("compute.use_bottleneck", False)
# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

if TYPE_CHECKING:
    from desk.chromium import DeskBrowser


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run of the acceptance scenarios be repeated."""
    parser.addoption(
        "--acceptance-seed",
        type=int,
        help="draws the moments at which scenarios act (default: PAIRDESK_ACCEPTANCE_SEED, or new)",
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the statistics compiled before the first browser test, whose time is not for that."""
    if not session.config.option.collectonly and any(
        item.get_closest_marker("browser") for item in session.items
    ):
        command = [sys.executable, "-m", "pages.ui.server.compiler"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds app.py."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data and published answers, beside the project."""
    if not SHARED_DATA.is_dir():
        skip_or_fail("the recorded market data (../shared/data) is not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def browser_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the browsers of a run keep the desk's files, compiled."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(browser_profile: Path) -> "Iterator[DeskBrowser]":
    """A real Chromium; its absence is a failure where browser tests are required."""
    from desk.chromium import launched

    with launched(browser_profile) as chromium:
        yield chromium
