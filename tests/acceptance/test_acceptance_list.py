"""The README's table of what was asked for, and the scenarios: neither may lack the other."""

import ast
import re
from pathlib import Path

import pytest

SCENARIOS = ("desk", "history", "links", "process", "watch", "monkey")
ROW = re.compile(r"^\| (?P<row>[^|]+) \| (?P<names>[^|]+) \|$", re.MULTILINE)
NAME = re.compile(r"`(test_\w+)`")


def rows_of(readme: str) -> dict[str, list[str]]:
    """Give each row of the table in the tests section with the scenarios it names."""
    _, _, section = readme.partition("\n## Tests\n")
    assert section, "the README has no section named Tests"
    section = section.partition("\n## ")[0]
    found = {row["row"]: NAME.findall(row["names"]) for row in ROW.finditer(section)}
    return {row: names for row, names in found.items() if row not in {"what", "---"}}


def scenarios(folder: Path) -> list[str]:
    """Give the names of all scenarios, as pytest collects them."""
    trees = (
        ast.parse((folder / f"test_acceptance_{name}.py").read_text(encoding="utf-8"))
        for name in SCENARIOS
    )
    return [
        node.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.fixture
def rows() -> dict[str, list[str]]:
    return rows_of((Path(__file__).parent / "README.md").read_text(encoding="utf-8"))


def test_every_row_has_a_scenario_and_every_scenario_a_row(rows: dict[str, list[str]]) -> None:
    there = scenarios(Path(__file__).parent)
    named = [name for names in rows.values() for name in names]
    assert [row for row, names in rows.items() if not names] == [], "rows without a scenario"
    assert sorted(set(named) - set(there)) == [], "rows name scenarios that are not there"
    assert sorted(set(there) - set(named)) == [], "scenarios without a row"
    assert len(there) == len(set(there))


def test_every_scenario_runs_with_the_rest_and_can_be_chosen(project_root: Path) -> None:
    folder = Path(__file__).parent
    assert {path.stem for path in folder.glob("test_*.py")} == {
        *(f"test_acceptance_{name}" for name in SCENARIOS), Path(__file__).stem,
    }  # fmt: skip
    for name in SCENARIOS:
        text = (folder / f"test_acceptance_{name}.py").read_text(encoding="utf-8")
        assert "pytest.mark.browser, pytest.mark.acceptance" in text, name
        assert not re.search(r"mark\.(skip|xfail)", text), name


def test_a_row_without_a_scenario_is_found() -> None:
    readme = "\n## Tests\n\n| what | scenario |\n|---|---|\n| it starts | none yet |\n\n## Next\n"
    assert rows_of(readme) == {"it starts": []}
