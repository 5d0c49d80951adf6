"""The Data page and from – to of Live as a user operates them."""

import re
from contextlib import suppress
from datetime import date

import pandas as pd
from desk.chromium import READY_MS, until
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from acceptance.desk_page import LIST_MS, LIST_TRIES, Desk

FETCH, SYMBOLS_TO_FETCH = "Fetch", "Symbols to fetch"
FROM, TO = "From (UTC)", "To (UTC)"
DONE = re.compile(r"done, ([\d,]+) bars\.")
ZIP, MANIFEST = "Parquet files of the series (zip)", "Manifest (CSV)"
SERIES = "1-min bars of the exchange"
ASKED = "([key, words]) => new URLSearchParams(location.search).get(key) === words"


def ask_for(desk: Desk, symbols: tuple[str, ...], first: date, last: date) -> None:
    """Fill in the form: symbols, first and last day."""
    for symbol in symbols:
        desk.box(SYMBOLS_TO_FETCH).click()
        desk.page.get_by_role("option", name=symbol, exact=True).click()
    desk.page.keyboard.press("Escape")
    for label, day in ((FROM, first), (TO, last)):
        _type_day(desk, label, day)


def _type_day(desk: Desk, label: str, day: date) -> None:
    for part, digits in (("year", f"{day:%Y}"), ("month", f"{day:%m}"), ("day", f"{day:%d}")):
        desk.page.get_by_role("spinbutton", name=f"{part}, {label}").click()
        desk.page.keyboard.type(digits)
    desk.page.keyboard.press("Tab")


def fetch(desk: Desk, number: int) -> int:
    """Click, and wait until this many fetches are done; gives the bars of the last."""
    desk.button(FETCH).click()
    done = desk.page.locator("[data-testid=stAlert]", has_text=DONE)
    done.nth(number - 1).wait_for(timeout=READY_MS)
    found = DONE.search(done.first.inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def held(desk: Desk) -> dict[str, list[str]]:
    """Give the rows of the table of what is held, by symbol."""
    desk.page.wait_for_selector(f"tr:has-text('{SERIES}')", timeout=READY_MS)
    rows = desk.read().rows
    return {name: cells for name, cells in rows.items() if SERIES in cells}


def choose_stretch(desk: Desk, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Write from – to into Live's own fields, and wait until it shows that."""
    for label, key, time in ((FROM, "from", first), (TO, "to", last)):
        _write_time(desk, label, key, f"{time:%Y-%m-%d %H:%M}")
    desk.page.keyboard.press("Escape")
    desk.reads("r.head.includes('not live') && /[+−]\\d/.test(r.z)", READY_MS)


def _write_time(desk: Desk, label: str, key: str, words: str) -> None:
    """Write one of both, and wait until the address has it; a run may draw the field anew."""
    field = desk.page.get_by_role("textbox", name=label, exact=True)
    for _ in range(LIST_TRIES):
        if not field.is_visible():
            desk.page.locator(".st-key-other_range button").first.click()
        with suppress(PlaywrightTimeoutError):
            field.fill(words, timeout=LIST_MS)
            field.press("Enter", timeout=LIST_MS)
            until(desk.page, ASKED, arg=[key, words], timeout=LIST_MS)
            return
    raise AssertionError(f"{label} does not take {words}: {desk.page.url}")
