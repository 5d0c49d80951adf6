"""The Methods page: an entry for every number, and no link that leads nowhere."""

import re
from pathlib import Path

import pytest
from desk.script_page import run_page, shown, store, ticks_of

from pages.ui import methods
from pages.ui.methods import ENTRIES, SECTIONS


def test_every_entry_says_all_and_has_a_name_of_its_own():
    entries = [entry for each in SECTIONS.values() for entry in each]
    assert len(ENTRIES) == len(entries)
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9-]+", entry.key), entry.key
        for words in (entry.what, entry.sample, entry.assumptions, entry.reference):
            assert len(words) > 12, entry.key
            assert words.endswith("."), (entry.key, words)
            assert "!" not in words


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_formula_has_as_many_opening_as_closing_braces(entry):
    formula = entry.formula.replace(r"\{", "").replace(r"\}", "")
    assert formula.count("{") == formula.count("}")
    assert formula.count(r"\begin") == formula.count(r"\end")


def test_every_link_of_a_figure_leads_to_an_entry(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    linked = set(re.findall(r'href="methods#([^"]+)"', shown(run_page(project_root))))
    assert {"z-score", "spread", "hedge-ratio", "half-life", "engle-granger"} <= linked
    assert linked <= set(ENTRIES)


def test_links_written_in_the_code_lead_to_an_entry(project_root: Path):
    for path in (project_root / "pages").rglob("*.py"):
        for key in re.findall(r'about="([a-z0-9-]+)"', path.read_text(encoding="utf-8")):
            assert key in ENTRIES, f"{path.name}: {key}"


def test_a_tooltip_says_what_the_page_says():
    assert methods.what("half-life") == ENTRIES["half-life"].what
