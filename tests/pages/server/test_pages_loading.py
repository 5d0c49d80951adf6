"""What is loaded beside the server, and how it ends with it."""

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
