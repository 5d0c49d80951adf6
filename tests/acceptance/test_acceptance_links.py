"""What the user asked for of addresses: a copied link, and the browser's Back."""

from urllib.parse import parse_qs, urlsplit

import pytest
from desk.chromium import READY_MS, until

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from acceptance.desk_page import (
    INTERVAL,
    RULE,
    WINDOW,
    Desk,
    X,
    Y,
    tab,
    visit,
)
from acceptance.market_process import BOTH, SYMBOLS
from acceptance.moments import MOVING, Moments
from acceptance.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.timeout(240)]


def test_a_copied_link_shows_the_same_view_to_anyone(
    browser, reader, somebody_else, stage: Stage, moments: Moments
) -> None:
    with tab(reader, stage.url) as mine, tab(somebody_else, stage.url) as theirs:
        mine.open()
        mine.reads("r.bar !== null", READY_MS)
        mine.hurry()
        theirs.live(s1=SYMBOLS[2], s2=SYMBOLS[0], window=25)
        for moment in moments.rounds(MOVING):
            if moment.number > 1:
                mine.choose(INTERVAL, moments.random.choice(("5s", "15s")))
                window = moments.random.choice((20, 40))
                mine.type_number(WINDOW, window)
                mine.shows_window(window)
            moment.come(mine)
            mine.address_says(interval=mine.chosen(INTERVAL), s1=mine.chosen(Y), s2=mine.chosen(X))
            copied, seen = mine.page.url, settings(mine)
            # Somebody else's choices in between are theirs.
            theirs.choose(INTERVAL, "30s" if moment.number % 2 else "1min")
            with visit(browser, stage.url) as again:
                again.page.goto(copied)
                again.ready()
                again.reads("r.bar !== null", READY_MS)
                assert settings(again) == seen


def settings(desk: Desk) -> dict[str, object]:
    """Give what a reader would call the view."""
    return {
        "pair": desk.read().pair,
        "interval": desk.chosen(INTERVAL),
        "window": desk.number(WINDOW),
        "rule": desk.chosen(RULE),
        "range": desk.asked("lookback"),
        "samples": {
            name: each["note"].partition("n = ")[2]
            for name, each in desk.read().figures.items()
            if name in {"z-score", "Correlation"}
        },
    }


def test_back_undoes_page_pair_interval_and_range(reader, stage: Stage, moments) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30)
        for moment in moments.rounds(MOVING):
            steps = {
                "pair": lambda: desk.choose(X, SYMBOLS[2]),
                "interval": lambda: desk.choose(INTERVAL, "5s"),
                "range": lambda: desk.choose_range("1h"),
            }
            names = moments.random.sample(sorted(steps), 3)
            views = [place(desk)]
            moment.come(desk)
            for name in names:
                before = desk.page.url
                steps[name]()
                until(desk.page, "before => location.href !== before", arg=before)
                desk.refreshed()
                views.append(place(desk))
            desk.follow("Evidence")
            for view in reversed(views):
                desk.page.go_back()
                desk.page.wait_for_timeout(moment.wait_s * 100)
                desk.comes_to(view)


def place(desk: Desk) -> dict[str, str]:
    """Give where a reader is: page, pair, interval and range, as the controls and address say."""
    address = urlsplit(desk.page.url)
    asked = parse_qs(address.query)
    return {
        "path": address.path,
        "lookback": asked.get("lookback", [""])[0],
        Y: desk.chosen(Y),
        X: desk.chosen(X),
        INTERVAL: desk.chosen(INTERVAL),
    }
