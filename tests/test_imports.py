"""The rooms: who may import whom (the table in the README), walked over the code as it stands."""

import ast
import sys
from pathlib import Path

import pytest

PURE_INGEST = {
    "tick",
    "binance",
    "endpoints",
    "wire",
    "rest_rows",
    "ledger",
    "retry",
    "rest_budget",
    "silence",
    "id_ranges",
    "backfill_limits",
}
INGEST_ONLY_ANALYTICS = {"watch"}  # evaluates alert rules with no browser open


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = str(node.module)
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def files(root: Path, folder: str, *, deep: bool = False) -> list[Path]:
    found = sorted((root / folder).glob("**/*.py" if deep else "*.py"))
    assert found, f"no code in {folder}"
    return found


def check(path: Path, forbidden: set[str]) -> None:
    names = imported(path)
    bad = {
        name for name in names for each in forbidden if name == each or name.startswith(each + ".")
    }
    assert not bad, f"{path.name} may not import {sorted(bad)}"


def test_analytics_knows_only_numbers(project_root: Path) -> None:
    allowed = {"numpy", "pandas", "scipy", "statsmodels", "arch", "numba", "analytics"}
    allowed |= sys.stdlib_module_names - {"sqlite3", "socket", "threading", "asyncio", "time"}
    for path in files(project_root, "analytics", deep=True):
        assert roots(imported(path)) <= allowed, path.name


def test_the_pure_part_of_ingest_has_no_sockets_threads_or_tables(project_root: Path) -> None:
    for path in files(project_root, "ingest"):
        if path.stem in PURE_INGEST:
            forbidden = {
                "socket",
                "sqlite3",
                "pandas",
                "numpy",
                "threading",
                "asyncio",
                "websockets",
            }
            check(path, forbidden | {"time"})


def test_ingest_knows_nothing_of_pages_or_statistics(project_root: Path) -> None:
    for path in files(project_root, "ingest"):
        forbidden = {"streamlit", "plotly", "pages", "statsmodels", "app"}
        if path.stem not in INGEST_ONLY_ANALYTICS:
            forbidden |= {"analytics"}
        check(path, forbidden)


def test_charts_only_draw(project_root: Path) -> None:
    for path in files(project_root, "pages/charts"):
        check(
            path,
            {"streamlit", "sqlite3", "websockets", "statsmodels", "scipy", "ingest", "pages.ui"},
        )


def test_page_helpers_know_no_database_and_no_sockets(project_root: Path) -> None:
    for path in files(project_root, "pages/ui"):
        check(path, {"sqlite3", "websockets"})


def test_pages_and_app_hold_no_sql_and_no_frame_arithmetic(project_root: Path) -> None:
    for path in [*files(project_root, "pages"), project_root / "app.py"]:
        check(path, {"sqlite3", "websockets", "pandas", "numpy"})


def test_no_module_imports_itself_in_a_circle(project_root: Path) -> None:
    graph = {}
    for room in ("ingest", "analytics", "pages"):
        for path in files(project_root, room, deep=True):
            name = ".".join(path.relative_to(project_root).with_suffix("").parts)
            graph[name] = imported(path)

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            pytest.fail(" -> ".join((*trail, name)))
        if name not in done:
            for each in sorted(graph[name] & graph.keys()):
                visit(each, (*trail, name))
            done.add(name)

    done: set[str] = set()
    for name in graph:
        visit(name, ())


def test_the_database_file_is_opened_by_nothing_but_sqlite(project_root: Path) -> None:
    """Closing another handle on it would drop SQLite's locks (BINANCE facts in the README)."""
    for path in files(project_root, "ingest"):
        if path.stem.startswith(("file", "tick_columns")):
            continue  # readers of files that users choose, never of the database
        if path.stem == "log_pages":
            continue  # SQLite's locks are on the database and its shared memory, not on the log
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            assert name not in {"open", "read_bytes", "copyfile", "copy2"}, path.name
