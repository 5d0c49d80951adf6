"""The papers: links that lead somewhere, the tables of walls, the length of the first one."""

import re
from pathlib import Path

from walls import WALLS

LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
ROW = re.compile(r"^\| `([\w.]+)` \| (.+) \| (.+) \|$", re.MULTILINE)
ROOMS = ("analytics", "ingest", "pages")


def broken(text: str, folder: Path) -> list[str]:
    return [link for link in LINK.findall(text) if not (folder / link).exists()]


def rows(text: str) -> dict[str, tuple[set[str], set[str]]]:
    table = text.partition("## Who may import whom")[2].partition("\n## ")[0]
    names = re.compile(r"`([\w.]+)`")
    return {w: (set(names.findall(a)), set(names.findall(b))) for w, a, b in ROW.findall(table)}


def test_links_lead_to_files(project_root: Path) -> None:
    for room in (*ROOMS, "tests", ".github"):
        for path in [project_root / "README.md", *(project_root / room).rglob("*.md")]:
            assert broken(path.read_text("utf-8"), path.parent) == [], path
    assert broken("[a](none.md#b)", project_root) == ["none.md"]


def test_the_tables_are_the_walls(project_root: Path) -> None:
    for room in ROOMS:
        there = rows((project_root / room / "README.md").read_text("utf-8"))
        walls = {
            name: (set(wall.first), set(wall.third))
            for name, wall in WALLS.items()
            if name.partition(".")[0] == room
        }
        assert there == walls


def test_the_first_paper_is_short(project_root: Path) -> None:
    assert len((project_root / "README.md").read_text("utf-8").splitlines()) <= 150
