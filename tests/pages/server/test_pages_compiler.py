"""Compiling in a process of its own: it answers part by part; where it fails nothing is lost."""

import subprocess
import sys

import pytest

from analytics.warm import PARTS, calls_of
from pages.ui.server import compiler


@pytest.fixture
def no_mark(monkeypatch, tmp_path):
    """No mark says that all is compiled."""
    monkeypatch.setattr(compiler, "mark", lambda: tmp_path / "none")


@pytest.mark.usefixtures("no_mark")
def test_another_process_counts_its_calls_until_a_part_is_done():
    counts = []
    with compiler.child_process(lambda *each: counts.append(each)) as compile_part:
        assert compile_part is not None
        for part in ("gates", "live"):
            compile_part(part)  # read from the cache, or compiled: it returns with the last line
            calls = len(calls_of(part))
            assert counts == [(part, done) for done in range(calls + 1)]
            counts.clear()


@pytest.mark.usefixtures("no_mark")
@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program"])
def test_a_process_that_fails_leaves_the_work_to_the_app(monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    counts = []
    with compiler.child_process(lambda *each: counts.append(each)) as compile_part:
        if compile_part is not None:
            compile_part("live")
            compile_part("scan")
    assert counts == []


def test_no_process_is_begun_where_all_is_compiled(monkeypatch, tmp_path):
    (tmp_path / "made").touch()
    monkeypatch.setattr(compiler, "mark", lambda: tmp_path / "made")
    monkeypatch.setattr(subprocess, "Popen", None)
    with compiler.child_process(lambda *_: pytest.fail("all is compiled")) as compile_part:
        assert compile_part is None


def test_all_makes_no_call_where_all_is_compiled(monkeypatch, tmp_path):
    (tmp_path / "made").touch()
    monkeypatch.setattr(compiler, "mark", lambda: tmp_path / "made")
    monkeypatch.setattr(compiler, "prepare", pytest.fail)
    monkeypatch.setattr(sys, "argv", ["compiler", "all"])
    assert compiler.main() == 0


def test_the_mark_is_another_once_a_source_is(monkeypatch, tmp_path):
    for folder in ("analytics", "ingest"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.py").write_text("1")
    monkeypatch.setattr(compiler, "ROOT", tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    before = compiler.mark()
    assert before == compiler.mark()
    assert before.parent == tmp_path / "analytics/kernels/__pycache__"
    (tmp_path / "ingest" / "one.py").write_text("2 ")
    assert compiler.mark() != before
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    assert compiler.mark().parent == tmp_path / "kernels"


def test_a_compiler_that_was_asked_for_some_leaves_no_mark(monkeypatch, tmp_path):
    made = tmp_path / "made"
    monkeypatch.setattr(compiler, "mark", lambda: made)
    asked = []

    def prepare(part):
        asked.append(part)
        return iter(())

    monkeypatch.setattr(compiler, "prepare", prepare)
    monkeypatch.setattr(sys, "argv", ["compiler"])
    monkeypatch.setattr(sys, "stdin", iter(["gates\n", "scan\n"]))
    assert compiler.main() == 0
    assert not made.exists()
    monkeypatch.setattr(sys, "argv", ["compiler", "all"])
    asked.clear()
    assert compiler.main() == 0
    assert made.exists()
    assert tuple(asked) == PARTS
