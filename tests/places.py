"""Where the project and the recorded data lie, and what a machine without them means."""

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
