"""Compiling in a process of its own: it answers part by part; where it fails nothing is lost."""

import subprocess

import pytest

from analytics import warm
from analytics.warm import PARTS
from pages.ui.server import compiler


@pytest.fixture
def cold(monkeypatch, tmp_path):
    """No mark says that all is compiled; what is counted is this test's."""
    monkeypatch.setattr(compiler, "mark", lambda: tmp_path / "none")
    monkeypatch.setattr(warm, "_compiled", dict.fromkeys(PARTS, 0))


@pytest.mark.usefixtures("cold")
def test_another_process_answers_when_a_part_is_done():
    with compiler.elsewhere() as before_each:
        assert before_each is not None
        before_each("gates")  # read from the cache, or compiled: it returns with the last line
        before_each("live")
    assert set(warm._compiled) == set(PARTS)
    assert warm._compiled["scan"] == 0


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program"])
def test_a_process_that_fails_leaves_the_work_to_the_app(monkeypatch, program):
    monkeypatch.setattr(compiler.sys, "executable", program)
    with compiler.elsewhere() as before_each:
        if before_each is not None:
            before_each("live")
            before_each("scan")
    assert warm._compiled == dict.fromkeys(PARTS, 0)


def test_no_process_is_begun_where_all_is_compiled(monkeypatch, tmp_path):
    (tmp_path / "made").touch()
    monkeypatch.setattr(compiler, "mark", lambda: tmp_path / "made")
    monkeypatch.setattr(subprocess, "Popen", None)
    with compiler.elsewhere() as before_each:
        assert before_each is None
    compiler.ensure()


def test_the_mark_is_another_once_a_source_is(monkeypatch, tmp_path):
    for folder in ("analytics", "ingest"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.py").write_text("1")
    monkeypatch.setattr(compiler, "ROOT", tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    before = compiler.mark()
    assert before == compiler.mark()
    assert before.parent == tmp_path / "analytics" / "__pycache__"
    (tmp_path / "ingest" / "one.py").write_text("2 ")
    assert compiler.mark() != before
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    assert compiler.mark().parent == tmp_path / "kernels"


def test_a_compiler_that_was_asked_for_some_leaves_no_mark(monkeypatch, tmp_path):
    made = tmp_path / "made"
    monkeypatch.setattr(compiler, "mark", lambda: made)
    monkeypatch.setattr(warm, "run_part", lambda part, compiled: 1)
    monkeypatch.setattr(compiler.sys, "argv", ["compiler"])
    monkeypatch.setattr(compiler.sys, "stdin", iter(["gates\n", "scan\n"]))
    assert compiler.main() == 0
    assert not made.exists()
    monkeypatch.setattr(compiler.sys, "argv", ["compiler", "all"])
    assert compiler.main() == 0
    assert made.exists()
