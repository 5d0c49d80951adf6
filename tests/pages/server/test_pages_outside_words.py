"""What comes from outside is text on every page: from links, files, databases and saved views."""

import ast
import json
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st
from desk.script_page import store, ticks_of
from streamlit.testing.v1 import AppTest

from ingest.settings import Settings, install_settings
from pages.charts import scanner_heatmap
from pages.charts.plain_text import plain_figure, plain_json
from pages.ui.chart import live_chart
from pages.ui.desk import file_choice
from pages.ui.parts import figure_html, formats, notices, plain
from pages.ui.scanner.files import LONGEST_NAME, read_closes
from pages.ui.state import choices

PAGES = (
    "live", "alerts", "evidence", "scanner", "baskets", "factors", "backtest", "research",
    "feed", "methods",
)  # fmt: skip
IMAGE, LINK, TAG = "![t](http://x/y.png)", "[t](http://x)", "<a href=http://x>t</a>"
HOSTILE = (IMAGE, LINK, TAG, "<img src=http://x/y.png>", "A" * 5_000)
# What a browser would be told to fetch or to offer, had it not been made text.
IN_MARKDOWN = re.compile(r"(?<!\\)(?:\[t|<[ai])|://|A{1001}")
IN_HTML = re.compile(r"<(?:a href=h|img)|A{1001}")
SAID = ("markdown", "caption", "info", "warning", "error", "success", "button", "title",
        "header", "subheader", "expander", "text_input", "toggle", "radio")  # fmt: skip


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(file_choice, "DATA_FOLDER", folder)
    yield
    install_settings(Settings())


def opened(project_root: Path, page: str, **query: str) -> AppTest:
    test = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    if page != "live":
        test.switch_page(str(project_root / "pages" / f"{page}.py"))
    for name, value in query.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception, test.exception
    return test


def words_of(test: AppTest) -> list[str]:
    """All that a page gives Streamlit as Markdown."""
    found = [each for kind in SAID for each in test.get(kind)]
    return [str(getattr(each.proto, name, "")) for each in found
            for name in ("body", "label", "help")]  # fmt: skip


def check_text(test: AppTest) -> None:
    for words in words_of(test):
        assert not IN_MARKDOWN.search(words), words[:500]
    for each in test.get("html"):
        if "<style" not in each.proto.body:
            assert not IN_HTML.search(each.proto.body), each.proto.body[:500]


@pytest.mark.parametrize("page", PAGES)
def test_a_link_says_nothing_but_text(project_root: Path, tmp_path: Path, page: str) -> None:
    db = tmp_path / "ticks.db"
    install_settings(Settings(db=db))
    store(db, ticks_of("BTCUSDT", 100.0), ticks_of("ETHUSDT", 50.0))
    names = [key for key in choices.CHOICES if key != "mode"]
    names += ["upload", "scan_file", "scan_saved", "scan_interval", "mode"]
    check_text(opened(project_root, page, **dict(zip(names, cycle(HOSTILE), strict=False))))
    test = opened(project_root, page, mode=choices.FILE, file=IMAGE, file_s1=TAG, file_s2=LINK)
    check_text(test)


def test_a_symbol_of_a_link_is_shown_as_it_was_asked(project_root: Path, tmp_path: Path) -> None:
    db = tmp_path / "ticks.db"
    install_settings(Settings(db=db))
    store(db, ticks_of("BTCUSDT", 100.0), ticks_of("ETHUSDT", 50.0))
    test = opened(project_root, "live", s1=IMAGE, s2="A" * 5_000)
    (line,) = [each.value for each in test.info if "The link asks for" in each.value]
    assert r"!\[t\](http" in line
    assert len(line) < 400


@pytest.mark.parametrize(
    "page", ["live", "evidence", "backtest", "feed", "scanner", "baskets", "factors", "research"]
)
def test_symbols_of_a_foreign_database_are_text(project_root, tmp_path, page) -> None:
    db = tmp_path / "ticks.db"
    install_settings(Settings(db=db))
    store(db, ticks_of(TAG, 100.0), ticks_of(IMAGE, 50.0))
    test = opened(project_root, page, interval="1s", lookback="5min")
    check_text(test)
    for mounted in test.get("bidi_component"):
        if mounted.proto.component_name.endswith("live_chart"):
            assert "<a" not in json.dumps(orjson.loads(mounted.proto.bytes)["figure"])


def test_names_of_files_and_views_are_text(project_root: Path, tmp_path: Path) -> None:
    install_settings(Settings(db=tmp_path / "ticks.db"))
    name = "![t](x) <img src=x>.ndjson"
    (file_choice.DATA_FOLDER / name).write_text('{"no": "trade"}\n')
    (tmp_path / "ticks.views.json").write_text(
        json.dumps({"version": 1, "last": {}, "views": {IMAGE: {"window": 90}, TAG: {}}})
    )
    test = opened(project_root, "live", mode=choices.FILE, file=name)
    assert any("is a trade" in each.value for each in test.error), "the file is named in a notice"
    check_text(test)
    test.selectbox(key="view_name").set_value(IMAGE)
    test.button(key="open_view").click().run()
    assert any("Opened" in each.value for each in test.caption)
    check_text(test)


def test_what_the_exchange_and_the_recorder_say_is_text() -> None:
    def page() -> None:
        from cases.status import status_of
        from test_pages_outside_words import HOSTILE

        from pages.ui.parts import notices, plain

        notices.show_standing(status_of(notices=HOSTILE))
        for each in HOSTILE:
            plain.error(f"Last error: {each}")
            plain.progress(0.5, each)

    test = AppTest.from_function(page).run()
    assert not test.exception
    assert len(test.warning) == len(HOSTILE)
    check_text(test)


@pytest.mark.parametrize(
    "words",
    ["__b__ _i_ **b** ~~d~~ `c` $x$", "# head", "- item", "12) item", "> quote", ":red[x] :smile:",
     ":material/home:", "&lt;b&gt;", "http://x www.x.org a@x.org", "[^1]: x", "a\n# b\n- c"],
)  # fmt: skip
def test_nothing_is_left_that_markdown_would_read(words: str) -> None:
    """Tried in Chromium with Streamlit 1.67: each is shown to the letter, with no element in it."""
    told = plain.text(words)
    assert told.replace("\\", "").replace("\u2060", "") == words.replace("\n", " ")
    for mark in ("**", "__", "~~", "http://", "www.", "@x", ":red", ":smile", "&lt;", "\n"):
        assert not re.search(rf"(?<!\\){re.escape(mark)}", told)
    assert told[0] not in "#->:_&[" or told.startswith("\\")


def test_ordinary_words_are_left_as_they_are() -> None:
    words = (
        "Covered 100 % of 7,199 bars. 2025-01-06 12:00:00 to 13:59:58 UTC, sample_ticks.ndjson.gz"
    )
    assert plain.text(words) == words
    assert formats.clipped("5\u202f%\x00\u202e") == "5\u202f%"


def test_charts_hold_no_tags_but_our_own() -> None:
    names = [TAG, "<b>B</b>", "&lt;i&gt;"]
    figure = scanner_heatmap.pvalue_heatmap(names, np.full((3, 3), 0.5))
    figure.update_layout(title={"text": TAG}, annotations=[{"text": "a<br>b<script>"}])
    figure.add_trace(go.Scatter(name=TAG, text=[TAG], x=[1], y=[1]))
    sent = orjson.loads(live_chart.chart_payload(figure, TAG, 100))["figure"]
    told = json.dumps(sent)
    assert "<a" not in told
    assert "<b>" not in told
    assert "&amp;lt;i&amp;gt;" in told
    assert sent["layout"]["annotations"][0]["text"] == "a<br>b&lt;script>"
    assert sent["data"][0]["hovertemplate"].count("<br>") == 1
    assert sent["data"][0]["hovertemplate"].endswith("<extra></extra>")
    report = figure_html.figure_block(TAG, figure, caption=TAG)
    assert "u003ca" not in report
    assert "<a href" not in report
    assert plain_figure({"data": [{"name": "<B>x"}]}) == {"data": [{"name": "&lt;B>x"}]}
    own = {"data": [], "layout": {"title": {"text": TAG}, "meta": {"source": TAG}}}
    assert plain_figure(own)["layout"]["meta"] == {"source": TAG}
    assert "<" not in plain_figure(own)["layout"]["title"]["text"]
    assert plain_json(r'"\u003cbr\u003e\u003ca\u003e"') == r'"\u003cbr\u003e&lt;a\u003e"'


def test_names_of_columns_are_cut_to_length(tmp_path: Path) -> None:
    path = tmp_path / "closes.csv"
    frame = pd.DataFrame({"time": [1, 2], "A" * 500: [1.0, 2.0], "B\n\x00": [1.0, 2.0]})
    frame.to_csv(path, index=False)
    assert [len(name) for name in read_closes(path, "closes.csv").columns] == [LONGEST_NAME, 1]


# Takes Markdown, and what stands in it is written out in the code or goes through `plain`.
MARKDOWN = {"markdown", "write", "caption", "info", "warning", "error", "success", "toast",
            "progress", "button", "form_submit_button", "expander", "popover", "title", "spinner",
            "badge", "metric", "toggle", "checkbox"}  # fmt: skip
OURS = {"RULE_WORDS[name]", "COST_WORDS[name]", "preset.label", "label", "f'Step {step}'",
        "self.again", "self.doing", "action.label", "f'Take bars of {name}'",
        "words.PROOF_EXPLAINED", "words.VALIDATION_EXPLAINED"}  # fmt: skip


def test_no_page_shows_words_as_markdown_past_the_one_place(project_root: Path) -> None:
    found = []
    for path in sorted((project_root / "pages").rglob("*.py")):
        if path.name == "plain.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            if not (isinstance(owner, ast.Name) and owner.id == "st" and node.args):
                continue
            said = node.args[1 if node.func.attr == "progress" else 0]
            told = ast.unparse(said)
            is_ours = isinstance(said, ast.Constant) or told in OURS
            is_ours |= told.startswith("plain.text(")
            if node.func.attr in MARKDOWN and not is_ours:
                found.append(f"{path.name}:{node.lineno} {ast.unparse(node)[:80]}")
    assert found == []


def test_a_notice_is_shown_by_the_one_place() -> None:
    def page() -> None:
        from test_pages_outside_words import IMAGE

        from pages.ui.parts import notices

        notices.show(notices.Notice(IMAGE, IMAGE))

    (shown,) = AppTest.from_function(page).run().error
    assert shown.value == plain.text(notices.Notice(IMAGE, IMAGE).text)


@pytest.mark.parametrize(
    "page", ["live", "evidence", "backtest", "feed", "scanner", "baskets", "factors", "research"]
)
def test_symbols_of_a_foreign_database_are_cut_to_length(project_root, tmp_path, page) -> None:
    db = tmp_path / "ticks.db"
    install_settings(Settings(db=db))
    store(db, ticks_of("Q" * 5_000, 100.0), ticks_of("B-" * 2_000, 50.0))
    test = opened(project_root, page, interval="1s", lookback="5min")
    overlong = re.compile(r"Q{81}|(?:B-){121}")  # which no packed numbers have
    for words in words_of(test):
        assert not overlong.search(words.replace("\\", "")), words[:500]
    for each in test.get("html"):
        assert not overlong.search(each.proto.body), each.proto.body[:500]
    for mounted in test.get("bidi_component"):
        if mounted.proto.component_name.endswith("live_chart"):
            assert not overlong.search(mounted.proto.bytes.decode())


def test_names_in_figures_are_cut_and_numbers_are_not() -> None:
    numbers = np.arange(1_000.0)
    figure = go.Figure(go.Scatter(name="A" * 5_000 + '"<br>é', x=numbers, y=numbers))
    sent = orjson.loads(plain_json(figure.to_json(engine="orjson")))["data"][0]
    assert sent["name"] == "A" * 79 + '…"<br>é'
    assert sent["x"] == orjson.loads(figure.to_json(engine="orjson"))["data"][0]["x"]
