"""Values of a link that no control takes: every page falls back, and says so."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from test_pages_outside_words import PAGES, opened

from ingest.settings import Settings, install_settings
from pages.ui.desk import link_numbers
from pages.ui.state import choices
from pages.ui.state.choices import OneOf

SAMPLE = {"mode": choices.FILE, "interval": "1min"}


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Iterator[None]:
    st.cache_data.clear()
    install_settings(Settings(db=tmp_path / "none.db"))
    yield
    install_settings(Settings())


def said(test: AppTest) -> str:
    return "\n".join(each.value for each in test.info)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_falls_back_and_says_so(project_root: Path, page: str) -> None:
    asked = dict.fromkeys(link_numbers.NUMBERS, "1e309")
    test = opened(project_root, page, rule="custom", bt_rule="custom", bt_costs="custom",
                  scan_source="Tick files", **SAMPLE, **asked)  # fmt: skip
    first, *_ = link_numbers.NUMBERS
    assert f"{first}=1e309 is not a whole number from 5 to 10,000, so 60 is used" in said(test)
    assert f"The same holds for {len(asked) - 3} other numbers of it" in said(test)
    drawn = {each.key: each.value for each in (*test.number_input, *test.slider)}
    for key in asked.keys() & drawn.keys():
        assert drawn[key] == link_numbers.NUMBERS[key].default


@pytest.mark.parametrize("text", ["4", "10001", "-1e400", "nan", "", "sixty", "60.5", "9" * 5_000])
def test_what_a_control_does_not_take_is_named_and_cut_to_length(project_root, text) -> None:
    test = opened(project_root, "live", window=text, **SAMPLE)
    (line,) = [each.value for each in test.info if "In the link, window=" in each.value]
    assert text[:30] in line
    assert len(line) < 200
    assert "so 60 is used" in line
    assert test.number_input(key="window").value == 60
    test.number_input(key="window").set_value(90).run()
    assert "window=" not in said(test)


def test_numbers_that_a_control_takes_are_taken_without_a_word(project_root: Path) -> None:
    test = opened(project_root, "live", window="120.0", **SAMPLE)
    assert test.number_input(key="window").value == 120
    assert "In the link" not in said(test)


def test_every_number_input_bound_to_the_address_is_known(project_root: Path) -> None:
    """A number that is bound and not in the list would stop its page."""
    for page in ("live", "backtest", "scanner", "evidence"):
        test = opened(project_root, page, rule="custom", bt_rule="custom", bt_costs="custom",
                      scan_source="Tick files", **SAMPLE)  # fmt: skip
        bound = [each for each in (*test.number_input, *test.slider) if each.proto.query_param_key]
        assert {each.key for each in bound} <= link_numbers.NUMBERS.keys()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_which_choices_are_unknown(project_root: Path, page: str) -> None:
    asked = {key: "zz" for key, kind in link_numbers.KINDS.items() if isinstance(kind, OneOf)}
    test = opened(project_root, page, **{**asked, "mode": choices.FILE})
    intervals = "1s, 5s, 15s, 30s, 1min, 5min, 15min, 1h"
    assert f"In the link, interval=zz is not one of {intervals}, so 1s is used" in said(test)
    assert f"The same holds for {len(asked) - 1 - 3} other values of it" in said(test)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("hedge", "zz", "hedge=zz is not one of"),
        ("spread", "<img src=x onerror=y>", "spread="),
        ("rule", "z" * 5_000, "rule=zzz"),
        ("zone", "![a](https://example.org/a.png)", "zone="),
        ("gate_pvalue", "perhaps", "gate_pvalue=perhaps is not true or false, so false is used"),
        ("section", "Nonsense", "section=Nonsense is not one of Tests"),
        ("interval", "", "interval= is not one of"),
    ],
)
def test_an_unknown_choice_is_named_escaped_and_cut_to_length(
    project_root, key, text, words
) -> None:
    test = opened(project_root, "live", **{**SAMPLE, key: text})
    (line,) = [each.value for each in test.info if "In the link" in each.value]
    assert words in formats_undone(line)
    assert len(line) < 700
    assert not re.search(r"(?<!\\)(<img|!\[)", line)


def formats_undone(line: str) -> str:
    """Without the signs that keep Markdown from reading it."""
    return line.replace("\\", "")


@pytest.mark.parametrize("name", ["1T", "1m", "1min"])
def test_an_interval_by_any_of_its_names_is_taken_without_a_word(project_root, name) -> None:
    test = opened(project_root, "live", mode=choices.FILE, interval=name)
    assert test.selectbox(key="interval").value == "1min"
    assert "In the link" not in said(test)


RANGES_OF_AN_HOUR = "auto, 4h, 24h, 3d, 7d, 30d, 90d, 1y and 1 more"


@pytest.mark.parametrize("page", ["live", "evidence", "backtest"])
@pytest.mark.parametrize(
    ("key", "text", "interval", "words"),
    [
        ("span", "5min", "1h", f"span=5min is not one of {RANGES_OF_AN_HOUR} at 1h, so all"),
        ("span", "90d", "1s", ""),  # too long a one is refused where its bars would be read
        ("span", "10d", "1min", ""),
        ("span", "1 day", "1min", "span=1 day is not one of auto, 5min"),
        (
            "lookback",
            "5min",
            "1h",
            f"lookback=5min is not one of {RANGES_OF_AN_HOUR} at 1h, so auto",
        ),
        ("lookback", "30d", "1T", ""),
        ("span", "all", "1h", ""),
    ],
)
def test_a_range_that_is_not_on_offer_at_the_interval_is_named(
    project_root, page, key, text, interval, words
) -> None:
    test = opened(project_root, page, mode=choices.FILE, interval=interval, **{key: text})
    assert words in said(test)
    assert (f"{key}=" in said(test)) == bool(words)
    assert ("interval=zz is not one of" in said(test)) == (interval == "zz")


def test_a_range_that_the_readers_own_interval_drops_is_not_blamed_on_a_link(
    project_root: Path,
) -> None:
    test = opened(project_root, "live", mode=choices.FILE, interval="1s", span="5min")
    test.selectbox(key="interval").set_value("1h").run()
    assert "In the link" not in said(test)


def test_choices_of_earlier_versions_are_taken_without_a_word(project_root: Path) -> None:
    test = opened(project_root, "live", rule="mission", bt_rule="symmetric", **SAMPLE)
    assert "In the link" not in said(test)


def test_every_selection_bound_to_the_address_is_known_with_its_options(project_root: Path) -> None:
    """But for those of names that depend on the data."""
    for page in ("live", "backtest", "scanner", "evidence", "feed"):
        own = dict.fromkeys(("rule", "bt_rule", "bt_costs"), "custom")
        test = opened(project_root, page, **own, **SAMPLE)
        drawn = (*test.selectbox, *test.radio, *test.get("button_group"))
        bound = [each for each in drawn if each.proto.query_param_key]
        assert bound or page == "feed"
        for each in bound:
            kind = {**choices.CHOICES, **link_numbers.KINDS}.get(each.proto.query_param_key)
            if isinstance(kind, choices.Word):
                continue
            assert isinstance(kind, choices.OneOf), each.proto.query_param_key
            shown = [getattr(option, "content", option) for option in each.proto.options]
            assert set(shown) <= set(kind.options), each.proto.query_param_key
