"""Fixtures shared by all tests: where the recorded market data lies, and who must have it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# CI sets this: there a test that lacks the data or the browser fails, it does not skip.
REQUIRE_ALL = os.environ.get("PAIRDESK_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> None:
    """Skip with a reason on a machine that lacks something; fail where it is required."""
    if REQUIRE_ALL:
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


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
        from pages.ui import compiler

        compiler.ensure()


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
