"""The test command: sets itself up, then checks format, lint, types, dead code and behaviour.

    python3 tests/run.py [--coverage | pytest arguments]

The tests without a browser run in two processes, those with one after them, one after the other: a
page is looked at as its reader has it, beside nothing else. With `--coverage` those without one run
alone, and what they execute is held to a floor in each room. With arguments of its own pytest runs
once, as they say.

Makes ``.venv`` in the project's root if it is missing and installs the pinned requirements into it.
Uses the standard library only, so that any Python from 3.11 on can start it.
"""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
REQUIREMENTS = "tests/requirements.txt"  # holds those of the app too
MEASURED = ".cache/coverage.json"
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("vulture",),
)
COMPILING = ("pages.ui.server.compiler",)  # once, not by each process for itself
WITHOUT_BROWSER = ("pytest", "-m", "not browser", "-n", "2", "--dist", "loadfile")
TESTS = (
    COMPILING,
    WITHOUT_BROWSER,
    ("pytest", "-m", "browser"),
)
KERNELS = "analytics/kernels/*,ingest/files/kernel_lines.py,ingest/history/dump_kernel.py"
# Compiled lines cannot be measured, and a probe in them could not be compiled.
MEASURING = (
    *("slipcover", "--branch", "--source", "analytics,ingest,pages"),
    *("--omit", KERNELS, "--json", "--out", MEASURED),
)
# Of the tests' own branches, which nobody asks for.
UNMEASURED = "ignore:Unable to activate pytest branch coverage:RuntimeWarning"
COVERAGE = (
    COMPILING,
    (*MEASURING, "-m", *WITHOUT_BROWSER, "-W", UNMEASURED),
    ("tests.coverage_floors", MEASURED),
)


def run(*words: str) -> int:
    """Run a module of the virtual environment; returns its status."""
    print("$", *words, flush=True)
    return subprocess.run([str(PYTHON), "-m", *words], cwd=ROOT, check=False).returncode


def set_up() -> None:
    """Make the virtual environment and install what is pinned."""
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    if run("pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS):
        sys.exit("the requirements could not be installed: see above")


def main() -> int:
    """Run every check, even after one fails; 0 when all passed."""
    if sys.version_info < (3, 11):  # noqa: UP036 - any Python may start this file
        sys.exit("Pairdesk needs Python 3.11 or newer")
    set_up()
    options = sys.argv[1:]
    (ROOT / MEASURED).parent.mkdir(exist_ok=True)
    tests = COVERAGE if options == ["--coverage"] else (("pytest", *options),) if options else TESTS
    failed = [" ".join(words) for words in (*CHECKS, *tests) if run(*words)]
    if failed:
        print("failed:", ", ".join(failed), file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
