"""Numbers of a link that no control takes: every page falls back, and says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from test_pages_outside_words import opened

from ingest.settings import Settings, install_settings
from pages.ui.desk import link_numbers
from pages.ui.state import choices

SAMPLE = {"mode": choices.FILE, "interval": "1min"}


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Iterator[None]:
    st.cache_data.clear()
    install_settings(Settings(db=tmp_path / "none.db"))
    yield
    install_settings(Settings())


def said(test: AppTest) -> str:
    return "\n".join(each.value for each in test.info)


@pytest.mark.parametrize("page", ["live", "evidence", "scanner", "backtest", "feed", "methods"])
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
