"""Compiling in a process of its own: it answers call by call; where it fails nothing is lost."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from numba.core import registry

from analytics.warm import Part, compiled_for
from ingest.files import layout
from pages.ui.server import compiler


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the mark is laid that says that all is compiled; it is not there yet."""
    monkeypatch.setattr(compiler, "mark", lambda: tmp_path / "cache" / "made")
    return tmp_path / "cache" / "made"


@pytest.mark.usefixtures("made")
def test_another_process_answers_for_each_of_its_calls():
    process = compiler.begin()
    if process is None:
        pytest.fail("no process was begun")
    with process:
        assert process.stdout is not None
        answers = process.stdout.read().splitlines()  # none, where its own mark is there
    assert process.returncode == 0
    calls = sum(len(each) for each in compiler.calls().values())
    assert answers in ([], ["compiled"] * calls)


@pytest.mark.usefixtures("made")
def test_where_no_process_can_be_begun_there_is_none(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/program")
    assert compiler.begin() is None


def test_no_process_is_begun_where_all_is_compiled(monkeypatch, made):
    made.parent.mkdir()
    made.touch()
    monkeypatch.setattr(subprocess, "Popen", None)
    assert compiler.begin() is None


def test_it_makes_no_call_where_all_is_compiled(monkeypatch, made):
    made.parent.mkdir()
    made.touch()
    monkeypatch.setattr(compiler, "calls", pytest.fail)
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


def test_the_mark_of_another_processor_is_another_one(monkeypatch):
    before = compiler.mark()
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another")
    assert compiler.mark() != before


def test_the_mark_is_of_the_processor_that_numba_compiles_for():
    context = registry.cpu_target.target_context
    assert compiled_for() == context.codegen().magic_tuple()


def test_the_mark_of_a_processor_whose_instructions_are_set_is_another_one(monkeypatch):
    before = compiler.mark()
    monkeypatch.setenv("NUMBA_ENABLE_AVX", "0")
    assert compiler.mark() != before


def test_the_mark_is_looked_for_without_the_second_that_numba_takes_to_import():
    code = (
        "import sys\nfrom pages.ui.server import compiler\ncompiler.mark()\n"
        "sys.exit('numba' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=compiler.ROOT, check=False).returncode == 0


def test_it_leaves_its_mark_after_the_last_call_and_answers_nothing_else(monkeypatch, made, capsys):
    steps = []

    def call() -> None:
        print("a library's word")
        steps.append(made.exists())

    monkeypatch.setattr(compiler, "calls", lambda: {"live": [call, call], "scan": [call]})
    assert compiler.main() == 0
    assert steps == [False] * 3
    assert made.exists()
    assert capsys.readouterr().out == "compiled\n" * 3


def test_a_call_that_fails_leaves_no_mark(monkeypatch, made):
    monkeypatch.setattr(compiler, "calls", lambda: {"live": [lambda: 1 // 0]})
    with pytest.raises(ZeroDivisionError):
        compiler.main()
    assert not made.exists()


def test_the_file_reader_is_compiled_for_the_first_page():
    counts = {part: len(calls) for part, calls in compiler.calls().items()}
    assert tuple(counts) == get_args(Part)
    assert layout.warm_up in compiler.calls()["live"]
