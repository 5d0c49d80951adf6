"""What is loaded beside the server, and how it ends with it."""

import subprocess
import sys
import threading
from typing import NoReturn

import pytest

from pages.ui.server import compiler, compiling, loading


@pytest.fixture
def breaking_off(monkeypatch) -> None:
    """Compiling that cannot go on, as in an interpreter that ends: it starts no more threads."""

    def call() -> NoReturn:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(compiling, "PREPARATION", compiling.Preparation({"live": [call]}))
    monkeypatch.setattr(loading, "_ending", threading.Event())
    monkeypatch.setattr(compiler, "begin", lambda: None)  # no other process is asked


def test_what_is_compiled_breaks_off_without_a_word_once_the_app_ends(breaking_off) -> None:
    loading.end()
    loading._compile()


def test_while_the_app_runs_it_is_told(breaking_off) -> None:
    with pytest.raises(RuntimeError, match="cannot schedule"):
        loading._compile()


@pytest.mark.timeout(60)
def test_another_process_that_hangs_while_it_compiles_keeps_no_page_waiting(
    monkeypatch, caplog
) -> None:
    made: list[str] = []
    hanging = "import time\nprint('compiled', flush=True)\ntime.sleep(3600)"
    preparation = compiling.Preparation({"live": [lambda: made.append("live")] * 3})
    process = subprocess.Popen([sys.executable, "-c", hanging], stdout=subprocess.PIPE, text=True)
    monkeypatch.setattr(compiling, "PREPARATION", preparation)
    monkeypatch.setattr(compiler, "begin", lambda: process)
    monkeypatch.setattr(compiler, "SILENT_S", 1.0)
    try:
        loading._compile()
    finally:
        process.kill()
    assert made == ["live"] * 3
    assert preparation.is_ready("live")
    (record,) = [each for each in caplog.records if each.name == "pairdesk.pages"]
    assert "made no progress for 1 s" in record.getMessage()
