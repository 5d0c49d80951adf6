"""The walls of `walls.WALLS`, walked over the code as it stands, and each shown to hold."""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from walls import PLAIN, WALLS

ROOMS = ("ingest", "analytics", "pages")
# Wings whose `__init__` hands out what others may use of them.
DOORS = {
    f"{room}.{wing}"
    for room, wings in {
        "analytics": "backtest baskets factors hedge pair research scanner stationarity",
        "ingest": "binance feed files history recorder repair replay research rest store",
    }.items()
    for wing in wings.split()
}
# The one that is compiled ahead of its use, from beside the app; and a wing within a wing.
PAST_THE_DOOR = {"ingest.files.layout", "ingest.store.lake"}
OURS, STANDARD = {*ROOMS, "app"}, sys.stdlib_module_names


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(root: Path) -> dict[str, ast.Module]:
    """Every module of the product by its name, at any depth."""
    paths = [path for room in ROOMS for path in (root / room).rglob("*.py")] + [root / "app.py"]
    return {module_of(path, root): ast.parse(path.read_text("utf-8")) for path in paths}


@pytest.fixture(scope="module")
def tree(project_root: Path) -> dict[str, ast.Module]:
    found = sources(project_root)
    assert len(found) > 250
    return found


def imported(code: ast.AST, modules: Iterable[str] = ()) -> set[str]:
    """Dotted names of what is imported, anywhere in the file; relative imports are refused."""
    names: set[str] = set()
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = full in modules or str(node.module).partition(".")[0] not in OURS
                names.add(full if is_module else str(node.module))
    return names


def nearest(name: str, rows: Iterable[str]) -> str:
    """The row of the longest prefix: the module itself, its wing, or its room."""
    return max((row for row in rows if f"{name}.".startswith(f"{row}.")), key=len, default="")


def allows(allowed: Iterable[str], name: str) -> bool:
    return any(f"{name}.".startswith(f"{each}.") for each in allowed)


def breaches(module: str, names: Iterable[str]) -> list[str]:
    """What a module imports and may not."""
    row = nearest(module, WALLS)
    wall = WALLS[row]
    own = row if row != module or row in DOORS else module
    bad = []
    for name in sorted(names):
        root = name.partition(".")[0]
        if root in OURS:
            to = nearest(name, WALLS)
            is_own = to == own or nearest(module.rpartition(".")[0], WALLS) == to
            if not is_own and to not in wall.first and not _is_shared(to, wall.first):
                bad.append(name)
        elif root in STANDARD:
            if root not in PLAIN and not allows(wall.effects, name):
                bad.append(name)
        elif not allows(wall.third, name):
            bad.append(name)
    return bad


def _is_shared(row: str, first: frozenset[str]) -> bool:
    """A root module with a row of its own is as open as its room's root."""
    return row.count(".") == 1 and row in SINGLE and row.partition(".")[0] in first


SINGLE = {row for row in WALLS if row.startswith("ingest.")} - DOORS


def test_each_module_imports_only_what_its_wall_names(tree: dict[str, ast.Module]) -> None:
    bad = {name: breaches(name, imported(code, tree)) for name, code in tree.items()}
    assert {name: each for name, each in bad.items() if each} == {}


def test_each_row_is_of_code_that_is_there(tree: dict[str, ast.Module]) -> None:
    assert {nearest(name, WALLS) for name in tree} == set(WALLS)


def test_each_row_names_no_more_than_is_used(tree: dict[str, ast.Module]) -> None:
    """An allowance that nobody uses is a hole: it goes, until somebody needs it."""
    used: dict[str, set[str]] = {row: set() for row in WALLS}
    for name, code in tree.items():
        used[nearest(name, WALLS)] |= imported(code, tree)
    for row, wall in WALLS.items():
        roots = {name.partition(".")[0] for name in used[row]}
        assert wall.third <= roots | ROOM_FOR.get(row, set()), row
        for each in wall.effects:
            assert any(allows([each], name) for name in used[row]) or row in PAGES, (row, each)


PAGES = {f"pages.ui.{page}" for page in ("live", "evidence", "scanner", "backtest", "feed")}
ROOM_FOR: dict[str, set[str]] = {row: {"numpy", "orjson", "pandas", "plotly"} for row in PAGES}


def test_a_wing_is_entered_by_its_door(tree: dict[str, ast.Module]) -> None:
    for name, code in tree.items():
        for other in imported(code, tree) - PAST_THE_DOOR:
            wing = nearest(other, DOORS)
            assert not wing or other == wing or nearest(name, DOORS) == wing, (name, other)


def test_a_door_hands_out_no_name_of_a_module_beside_it(project_root: Path) -> None:
    """`from wing import name` would otherwise give the function here and the module there."""
    for door in DOORS:
        folder = project_root / door.replace(".", "/")
        handed = imported_names(ast.parse((folder / "__init__.py").read_text("utf-8")))
        assert not handed & {path.stem for path in folder.glob("*.py")}, door


def imported_names(code: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in code.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("ingest.binance.frames", "socket"),
        ("ingest.binance.frames", "scipy.stats"),
        ("ingest.binance.endpoints", "urllib.request"),
        ("ingest.tick", "subprocess"),
        ("ingest.tick", "time"),
        ("ingest.status", "ingest.store"),
        ("ingest.store.reader", "ingest.feed"),
        ("ingest.rest.client", "ingest.store"),
        ("ingest.recorder.recorder", "ingest.replay"),
        ("ingest.repair.backfill", "analytics.pair"),
        ("ingest.settings", "sqlite3"),
        ("analytics.pair.analysis", "time"),
        ("analytics.pair.analysis", "ingest.store"),
        ("analytics.hedge.kalman", "statsmodels.api"),
        ("analytics.stationarity.adf", "numba"),
        ("analytics.kernels.adf", "pandas"),
        ("pages.charts.axes", "streamlit"),
        ("pages.charts.axes", "ingest.store"),
        ("pages.charts.axes", "pages.ui.parts"),
        ("pages.live", "numpy"),
        ("pages.live", "sqlite3"),
        ("pages.ui.live.body", "pages.ui.evidence.words"),
        ("pages.ui.live.body", "analytics.kernels.adf"),
        ("pages.ui.state.choices", "pages.ui.desk.header"),
        ("pages.ui.desk.header", "pages.ui.live.body"),
        ("app", "pandas"),
    ],
)
def test_a_wall_refuses(module: str, name: str, tree: dict[str, ast.Module]) -> None:
    assert module in tree
    assert breaches(module, [name]) == [name]


def test_an_import_inside_a_function_is_seen() -> None:
    code = ast.parse("def late():\n    if True:\n        import subprocess\n")
    assert breaches("ingest.tick", imported(code)) == ["subprocess"]


def test_no_module_imports_itself_in_a_circle(tree: dict[str, ast.Module]) -> None:
    graph = {name: imported(code, tree) for name, code in tree.items()}

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


def test_no_folder_holds_more_than_25_python_files(project_root: Path) -> None:
    for room in (*ROOMS, "tests"):
        for folder in {path.parent for path in (project_root / room).rglob("*.py")}:
            assert len(list(folder.glob("*.py"))) <= 25, folder


def test_the_database_file_is_opened_by_nothing_but_sqlite(tree: dict[str, ast.Module]) -> None:
    """Closing another handle on it would drop SQLite's locks (`ingest/README.md`)."""
    for module, code in tree.items():
        if not module.startswith("ingest.") or module.startswith("ingest.files."):
            continue  # readers of files that users choose, never of the database
        if module == "ingest.store.file_pages":
            continue  # SQLite's locks are on the database and its shared memory, not on the log
        if module.startswith(("ingest.history.dump", "ingest.store.lake.", "ingest.research.")):
            continue  # dumps, Parquet files, results: in folders of their own, never the database
        for node in ast.walk(code):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            assert name not in {"open", "read_bytes", "copyfile", "copy2"}, module
