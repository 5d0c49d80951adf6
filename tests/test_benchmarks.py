"""The benchmark command: every module gives its rows, a broken one costs no more than its own."""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from bench_row import Row, Samples, interleaved, ratio_row, value_row
from bench_run import module_names, run_all
from bench_table import comparison, table


def command(*words: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCHMARKS), *words],
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", module_names())
def test_each_module_imports_and_has_rows(name: str) -> None:
    """That it gives them is shown by `python tests/benchmarks --quick`, a minute of its own."""
    module = importlib.import_module(name)
    assert list(inspect.signature(module.rows).parameters) == ["quick"]


def test_the_command_shows_and_keeps_what_its_modules_give(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(f"from bench_row import Row\n{MODULES['good']}")
    kept = tmp_path / "rows.json"
    folder = ("--folder", str(tmp_path), "--quick")
    done = command(*folder, "--json", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(kept.read_text("utf-8"))
    assert [row["measure"] for row in record["rows"]] == ["a"]
    assert {"cores", "cpu", "python"} <= record["machine"].keys()
    assert "| a " in done.stdout
    assert "good: " in done.stderr
    assert "a: 1 → 1 ms (+0 %)" in command(*folder, "--compare", str(kept)).stdout


def test_two_rows_of_one_name_fail_the_command(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f"from bench_row import Row\n{MODULES['good']}")
    done = command("--folder", str(tmp_path), "--quick")
    assert done.returncode == 1
    assert "measured twice: a" in done.stdout


MODULES = {
    "good": "def rows(quick):\n    return [Row('a' if quick else 'b', 1.0, unit='ms')]\n",
    "raises": "def rows(quick):\n    raise ValueError('no such luck')\n",
    "slow": "import time\ndef rows(quick):\n    time.sleep(30)\n",
    "ends": "import os\ndef rows(quick):\n    os._exit(3)\n",
    "helper": "def other():\n    return 1\n",
}


def test_a_module_that_fails_is_a_row_of_its_own(tmp_path: Path) -> None:
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(f"from bench_row import Row\n{text}")
    names = module_names(tmp_path)
    assert names == ["ends", "good", "raises", "slow"]
    outcomes = list(run_all(names, quick=True, folder=tmp_path, limit_s=2.0))
    outcome_of = {outcome.module: (outcome.failed, outcome.rows[0].note) for outcome in outcomes}
    assert outcome_of == {
        "ends": (True, "ended with status 3"),
        "good": (False, ""),
        "raises": (True, "ValueError: no such luck"),
        "slow": (True, "ended after 2 s"),
    }
    assert outcomes[1].rows == [Row("a", 1.0, unit="ms")]


def test_an_unknown_module_is_refused_by_name() -> None:
    done = command("--only", "nonsense")
    assert done.returncode == 2
    assert "no such module: nonsense" in done.stdout


def test_a_ratio_says_how_many_times_better_ours_is() -> None:
    took = ratio_row("read", 2.0, 10.0, unit="s", at_least=5)
    assert (took.ratio, took.bar, took.met) == (5.0, "≥ 5 ×", True)
    rate = ratio_row("rows", 50.0, 10.0, unit="/s", more_is_better=True, at_least=6)
    assert (rate.ratio, rate.met) == (5.0, False)
    grown = ratio_row("large / small", 1.05, 1.0, unit="ms", at_most=1.1)
    assert (grown.ratio, grown.bar, grown.met) == (1.05, "≤ 1.1 ×", True)


def test_the_strongest_of_the_public_ways_is_named() -> None:
    row = ratio_row("read", 2.0, 10.0, unit="s").beside({"good": 3.0, "better": 1.0})
    assert (row.strongest_way, row.strongest, row.strongest_ratio) == ("better", 1.0, 0.5)
    assert row.note == "good 3 s (1.5 ×); better 1 s (0.5 ×)"
    cells = table([row]).splitlines()[2]
    assert "| better 1 s" in cells
    assert "| 0.5 ×" in cells
    rate = value_row("rows", 50.0, unit="/s").beside({"a": 5.0, "b": 10.0}, more_is_better=True)
    assert (rate.strongest_way, rate.strongest_ratio) == ("b", 5.0)
    assert row.beside({}) == row


def test_samples_give_their_median_and_quartiles() -> None:
    row = value_row("it", Samples((1.0, 2.0, 3.0, 4.0, 100.0)), unit="ms", at_most=3)
    assert (row.ours, row.spread, row.met) == (3.0, (2.0, 4.0), True)
    assert value_row("once", 5.0, unit="ms").spread is None
    assert Row.from_json(json.loads(json.dumps(row.to_json()))) == row


def test_ways_are_measured_by_turns() -> None:
    order: list[str] = []
    samples = interleaved(lambda: order.append("ours"), lambda: order.append("theirs"), times=3)
    assert order == ["ours", "theirs"] * 3
    assert [len(each.values) for each in samples] == [3, 3]


@pytest.mark.parametrize(("met", "word"), [(True, "yes"), (False, "NO"), (None, "")])
def test_the_table_shows_each_row_once_with_its_note_below(met: bool | None, word: str) -> None:
    row = Row(
        "it", 1234.5, 2.5, "ms", 0.002, bar="≥ 1 ×", met=met, spread=(1000.0, 1500.0), note="how",
        floor="the disk",
    )  # fmt: skip
    lines = table([row]).splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == [
        "it [1]",
        "1,234 ms",
        "1,000–1,500",
        "2.5 ms",
        "0.002 ×",
        "",
        "",
        "≥ 1 ×",
        word,
    ]
    assert lines[-1] == "[1] how. Floor: the disk"


def test_an_earlier_run_is_compared_by_measure() -> None:
    before, after = [Row("a", 10.0, unit="ms"), Row("gone", 1.0)], [Row("a", 9.0, unit="ms")]
    assert comparison(after, before) == "a: 10 → 9 ms (−10 %)"
