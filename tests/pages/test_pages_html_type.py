"""HTML is a type of its own: what takes it refuses plain text, and text in it is escaped."""

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from pages.charts.plain_text import LONGEST_NAME
from pages.ui.parts import markup
from pages.ui.parts.markup import Html

HEAD = """
from pages.ui.parts import markup
from pages.ui.parts.markup import Figure, Html

word: str = input()
piece: Html = markup.text(word)
"""
RIGHT = """
markup.show(markup.block(piece, piece + word, Html("<b>{}</b>").format(word)))
Figure("Spread", word, spark=piece)
markup.about("spread", markup.join([piece, piece], ", "))
"""
# Each line gives plain text where HTML is wanted.
WRONG = """
markup.show(word)
markup.show(f"<b>{piece}</b>")
markup.block(word)
markup.block("".join([piece, piece]))
markup.about("spread", word)
markup.slim(f"{piece}")
markup.signal_block("BUY", "+", "1", ["a"], None, word)
Figure("Spread", word, spark="<svg/>")
"""
# Who makes HTML of what is no text in the code: files of ours, and what plotly writes.
MAKES_OF_OTHER = {"pages/ui/parts/figure_html.py"}
# Who shows what is not of this type: the style sheet as a path, and the one script.
SHOWS_OTHER = {"pages/router.py", "pages/ui/chart/live_chart.py", "pages/ui/parts/markup.py"}


@pytest.fixture(scope="module")
def code(project_root: Path) -> dict[str, ast.Module]:
    return {
        path.relative_to(project_root).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in (project_root / "pages").rglob("*.py")
    }


def calls(tree: ast.Module) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.timeout(300)
def test_mypy_refuses_plain_text_where_html_is_wanted(project_root, tmp_path):
    file = tmp_path / "given.py"
    file.write_text(HEAD + RIGHT + WRONG)
    first = (HEAD + RIGHT).count("\n") + 2
    # As the project is checked, whose cache it finds; in a process of its own: it tunes the garbage
    # collector for good.
    command = [sys.executable, "-m", "mypy", str(file)]
    done = subprocess.run(command, cwd=project_root, check=False, capture_output=True, text=True)
    words = done.stdout
    refused = {int(line.split(":")[1]) for line in words.splitlines() if ": error:" in line}
    assert refused == set(range(first, first + WRONG.strip().count("\n") + 1)), words


def test_text_is_escaped_however_it_comes_into_html():
    frame, evil = Html("<b>{}</b>"), "<i a='1' b=\"2\">&"
    escaped = "&lt;i a=&#39;1&#39; b=&#34;2&#34;&gt;&amp;"
    assert frame.format(evil) == f"<b>{escaped}</b>"
    assert Html().join([evil, frame]) == f"{escaped}<b>{{}}</b>"
    assert frame + evil == f"<b>{{}}</b>{escaped}"
    assert frame.format(Html("<br>")) == "<b><br></b>"


def test_a_name_without_end_is_cut_in_html():
    assert len(Html("{}").format("A" * 5_000)) == LONGEST_NAME
    assert len(markup.text("x", "buy") + "A" * 5_000) < 200


def test_a_row_of_plain_cells_is_set_as_one_of_others():
    words = ("<i>", "A" * 5_000, "{}", "&amp;")
    plain = markup.table("t", ("a",), [words, (Html("<b>x</b>"), *words[1:])])
    cells = [*map(markup.Cell, words)]
    mixed = markup.table("t", ("a",), [cells, (Html("<b>x</b>"), *cells[1:])])
    assert str(mixed).replace('<td class="">', "<td>") == str(plain)
    assert "<td>&lt;i&gt;</td>" in plain
    assert "<td><b>x</b></td>" in plain
    assert markup.table("t", ("a",), []).endswith("<tbody></tbody></table></div>")


def test_html_stays_html_over_joining_and_keeping():
    for piece in (markup.join([markup.text("a")]), markup.block(markup.text("a")) + "b"):
        assert type(piece) is Html
        assert type(pickle.loads(pickle.dumps(piece))) is Html


def test_html_is_made_of_what_stands_in_the_code(code):
    others = {
        f"{path}:{node.lineno}"
        for path, tree in code.items()
        for node in calls(tree)
        if isinstance(node.func, ast.Name) and node.func.id in {"Html", "Markup"}
        if not all(isinstance(given, ast.Constant) for given in node.args)
    }
    assert {place for place in others if place.partition(":")[0] not in MAKES_OF_OTHER} == set()


def test_everything_on_a_page_is_shown_as_html_by_one_function(code):
    shows = {
        path
        for path, tree in code.items()
        for node in calls(tree)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "html"
    }
    assert shows == SHOWS_OTHER


def test_nothing_else_escapes(code):
    imports = {
        f"{path}: {ast.unparse(node)}"
        for path, tree in code.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if ast.unparse(node).startswith(("from html", "import html"))
    }
    assert imports == set()
