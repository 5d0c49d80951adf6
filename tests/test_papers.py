"""The papers: links and paths lead somewhere, tables are the code's, commands run, one is short."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from papers import LEAST_MODULES, ROOMS, modules, papers, wings, with_table

LINK = re.compile(r"\]\((?![a-z]+://)([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What looks like a path of the project: its first folder is one of ours.
PATH = re.compile(r"`((?:analytics|ingest|pages|tests|data|\.github)/[\w./*-]*)`")
MADE_BY_RUNNING = ("data/tick_data", "data/scans", "data/try", "data/replay", "data/history")


def files(root: Path) -> list[Path]:
    """Every paper of the project."""
    there = [root / "README.md", *(root / ".github").glob("*.md")]
    return there + [
        path for room in (*ROOMS, "tests", "data") for path in (root / room).rglob("*.md")
    ]


def anchors(text: str) -> set[str]:
    """The names GitHub gives to headings: small letters and digits, dashes for blanks."""
    words = (re.sub(r"[^\w\- ]", "", each.lower()) for each in HEADING.findall(text))
    return {each.strip().replace(" ", "-") for each in words}


def lost(text: str, path: Path) -> list[str]:
    """Links of a paper at `path` that lead to no file or no heading."""
    bad = []
    for file, anchor in LINK.findall(text):
        target = path.parent / file if file else path
        if not target.exists():
            bad.append(file)
        elif anchor and anchor not in anchors(target.read_text("utf-8") if file else text):
            bad.append(f"{file}#{anchor}")
    return bad


def missing(text: str, root: Path) -> list[str]:
    """Paths that are named and are not there."""
    named = (each for each in PATH.findall(text) if not each.startswith(MADE_BY_RUNNING))
    return [
        each
        for each in named
        if not (list(root.glob(each)) if "*" in each else (root / each).exists())
    ]


def commands(text: str) -> Iterator[list[str]]:
    """Python commands of code blocks and of single words in backquotes."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`((?:\.venv/bin/)?python3? [^`]+)`", BLOCK.sub("", text))
    for line in lines:
        for part in re.split(r"&&|\|", line):
            words = shlex.split(part.partition(" # ")[0])
            if words and re.fullmatch(r"(.*/)?python3?", words[0]) and "[" not in part:
                yield words[1:]


def test_links_and_paths_lead_somewhere(project_root: Path) -> None:
    assert len(files(project_root)) > 30
    for path in files(project_root):
        text = path.read_text("utf-8")
        assert lost(text, path) == [], path
        assert missing(text, project_root) == [], path


def test_a_lost_link_and_a_missing_path_are_found(project_root: Path) -> None:
    here = project_root / "README.md"
    text = (
        "# A b\n[a](none.md#b) [c](#a-b) [d](#a-c) [e](LICENSE) `ingest/none.py` `ingest/tick.py`"
    )
    assert lost(text, here) == ["none.md", "#a-c"]
    assert missing(text, project_root) == ["ingest/none.py"]


@pytest.mark.parametrize("path", papers(), ids=lambda path: str(path.parent.name))
def test_the_tables_are_those_of_the_code(path: Path) -> None:
    """When this fails: `python tests/papers.py` writes them."""
    assert path.read_text("utf-8") == papers()[path]


def test_a_stale_table_is_found() -> None:
    assert with_table("## Modules\n\n| a |\n", "## Modules", "| b |\n") == "## Modules\n\n| b |\n"
    assert all(len(modules(folder)) >= LEAST_MODULES for folder in wings())


def test_the_first_paper_is_short(project_root: Path) -> None:
    assert len((project_root / "README.md").read_text("utf-8").splitlines()) <= 150


def test_each_command_names_a_script_that_is_there(project_root: Path) -> None:
    seen = 0
    for path in files(project_root):
        for words in commands(path.read_text("utf-8")):
            if words[:1] == ["-m"]:
                continue
            seen += 1
            script = project_root / words[0]
            assert script.is_file() or (script / "__main__.py").is_file(), (path, words)
    assert seen > 10


@pytest.mark.parametrize(
    "script",
    ["app.py", "tests/exchange", "tests/faults", "tests/benchmarks", "tests/desk/refreshes.py"],
)
def test_each_option_named_beside_a_command_is_one_it_takes(
    script: str, project_root: Path
) -> None:
    environment = {**os.environ, "COLUMNS": "200"}
    told = subprocess.run(
        [sys.executable, script, "--help"],
        cwd=project_root, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for path in files(project_root):
        for words in commands(path.read_text("utf-8")):
            if words[0] == script:
                for option in (word for word in words[1:] if word.startswith("--")):
                    assert option in told.stdout, (path, option)


def test_the_quick_start_is_what_ci_and_its_tests_run(project_root: Path) -> None:
    first, second = [block.strip() for _, block in BLOCK.findall(
        (project_root / "README.md").read_text("utf-8"))][:2]  # fmt: skip
    assert first.endswith(".venv/bin/python app.py")
    assert "-r requirements.txt" in first
    assert second == "python3 tests/run.py"
    assert second in (project_root / ".ci/run").read_text("utf-8").splitlines()
