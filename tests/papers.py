"""The tables of the papers that are made from the code: walls, and what each wing's modules are.

python tests/papers.py      writes them; `tests/test_papers.py` tells when they are stale
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from walls import WALLS

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("analytics", "ingest", "pages")
# Below each of these headings stands one table, and nothing of it is written by hand.
WHO, WHAT = "## Who may import whom", "## Modules"
LEAST_MODULES = 3


def wings() -> list[Path]:
    """Folders with so many modules that a newcomer wants to be told which is which."""
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    rooms = {ROOT / room for room in ROOMS} | {ROOT / "pages/ui"}
    return sorted(each for each in folders - rooms if len(modules(each)) >= LEAST_MODULES)


def modules(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]


def walls_table(room: str) -> str:
    rows = (
        (_link(name), _names(wall.first), _names(wall.third))
        for name, wall in WALLS.items()
        if name.partition(".")[0] == room
    )
    return _table(("wing", "may import", "packages"), rows)


def modules_table(folder: Path) -> str:
    rows = ((f"`{path.stem}`", first_sentence(path)) for path in modules(folder))
    return _table(("module", "what it is"), rows)


def first_sentence(path: Path) -> str:
    """The first line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".;").replace("|", "\\|")


def with_table(text: str, heading: str, table: str) -> str:
    """Put a table in the place of the one below a heading; the heading must be there."""
    pattern = rf"(^{re.escape(heading)}\n(?:(?!^\||^## ).*\n)*)((?:^\|.*\n?)*)"
    assert re.search(pattern, text, re.MULTILINE), heading
    return re.sub(pattern, lambda found: f"{found[1]}{table}", text, count=1, flags=re.MULTILINE)


def papers() -> dict[Path, str]:
    """Each paper with such a table, as it should read."""
    made = {}
    for room in ROOMS:
        path = ROOT / room / "README.md"
        made[path] = with_table(path.read_text("utf-8"), WHO, walls_table(room))
    for folder in wings():
        path = folder / "README.md"
        made[path] = with_table(path.read_text("utf-8"), WHAT, modules_table(folder))
    return made


def _link(wing: str) -> str:
    """Name a wing, with a link to its paper where it has one."""
    within = "/".join((*wing.split(".")[1:], "README.md"))
    has_paper = "." in wing and (ROOT / wing.partition(".")[0] / within).exists()
    return f"[`{wing}`]({within})" if has_paper else f"`{wing}`"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "–"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = (f"| {' | '.join(row)} |\n" for row in (columns, *rows))
    first, *rest = lines
    return f"{first}|{'---|' * len(columns)}\n{''.join(rest)}"


if __name__ == "__main__":
    for paper, text in papers().items():
        paper.write_text(text, encoding="utf-8")
