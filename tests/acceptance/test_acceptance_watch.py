"""What the user asked for of many pairs: watched with no page open, told of, opened on Live."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from desk.chromium import READY_MS, STEP_MS, until
from desk.webhook import Webhook

from acceptance.desk_page import WINDOW, tab
from acceptance.independent import closes, expect, rolling
from acceptance.market_process import BOTH, DENSE_S, SYMBOLS, Market
from acceptance.moments import MOVING, Moments
from acceptance.stage import Stage, running_desk, wait_until_filled

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.timeout(240)]

Y, X = SYMBOLS[0], SYMBOLS[1]
BARS = 20
WATCHED = {"y": Y, "x": X, "interval": "1s", "window": BARS}
LEVEL, REARM = 1.0, 0.5
RANGE_BARS = 1_800  # what Live takes at one second where nobody chose


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    with Webhook().serving() as running:
        yield running


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, market: Market, webhook: Webhook
) -> Iterator[Stage]:
    """A desk with a list, a rule and a channel, that was off for a while and has caught up."""
    folder = tmp_path_factory.mktemp("watch")
    more = ("--watch", watch_file(folder, webhook.url))
    with running_desk(folder, market, off_for_s=DENSE_S - 60, more=more) as running:
        wait_until_filled(running)
        yield running
        assert running.app.stop() == 0, running.app.log()


def watch_file(folder: "Path", url: str) -> "Path":
    path = folder / "watch.json"
    rule = {"name": "wide", "list": "majors", "when": "zscore", "crosses": "outside",
            "level": LEVEL, "rearm": REARM, "channels": ["desk"]}  # fmt: skip
    document = {
        "lists": [{"name": "majors", "pairs": [WATCHED]}],
        "channels": [{"name": "desk", "url": url}],
        "rules": [rule],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def asked(stage: Stage, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(stage.app.answer(f"api/v1/{path}"))
    return answer


def crossings(z: pd.Series) -> list[pd.Timestamp]:
    """Give the bars at which the rule fires, by its definition."""
    fired, is_armed = [], True
    for bar, value in z.items():
        if is_armed and abs(value) >= LEVEL:
            fired.append(pd.Timestamp(str(bar)))
            is_armed = False
        elif not is_armed and abs(value) < REARM:
            is_armed = True
    return fired


def zscores(stage: Stage, until: pd.Timestamp) -> pd.Series:
    """Give the z-score of the difference of the prices at each bar, by plain pandas."""
    legs = pd.DataFrame({name: closes(stage.trades(name), "1s") for name in (Y, X)}).dropna()
    spread = (legs[Y] - legs[X]).loc[:until]
    mean, std = rolling(spread, BARS)
    return pd.Series((spread.to_numpy() - mean) / std, index=spread.index)


def test_every_crossing_of_a_watched_pair_is_sent_with_no_page_open(
    stage: Stage, webhook: Webhook, moments: Moments
) -> None:
    for moment in moments.rounds(MOVING):
        time.sleep(moment.wait_s)  # no page is open that it could be a moment of
        sent = webhook.wait_for(moment.number + 1, lambda each: each["rule"] == "wide", 120.0)
        bars = [pd.Timestamp(each["bar"]) for each in sent]
        z = zscores(stage, bars[-1])
        # Where the rule stood before its first alert is not known from outside.
        assert bars == sorted(bars)
        assert bars == crossings(z.loc[bars[0] :])
        shown = np.array([each["zscore"] for each in sent])
        assert np.allclose(shown, z[bars], rtol=1e-6)
        assert len({each["id"] for each in sent}) == len(sent)
        assert not any(each["repeated"] for each in sent)
        stored = asked(stage, "alerts?since=0")["alerts"][: len(sent)]
        assert [each["id"] for each in stored] == [each["id"] for each in sent]


def test_a_pair_watched_from_live_has_its_figures_and_an_alert_opens_it_again(
    reader, stage: Stage, moments: Moments
) -> None:
    with tab(reader, stage.url) as desk:
        for moment in moments.rounds(MOVING):
            window = 30 + 7 * moment.number
            desk.live(**BOTH, window=window, spread="log")
            moment.come(desk)
            desk.page.locator(".st-key-watch_pair button").first.click()
            desk.page.get_by_role("button", name="Watch this pair").click()
            desk.page.get_by_role("link", name="Open the Watch page").click()
            row = desk.page.locator(".pd-watch tr[data-row]", has_text=f"log, ols, {window} bars")
            row.locator(".zscore b").wait_for(timeout=READY_MS)
            desk.no_traceback()
            is_as_stored(stage, window)
            moment.go(desk)
        desk.follow("Alerts")
        link = desk.page.locator(".pd-table tbody a", has_text=f"{Y} / {X}").first
        link.wait_for(timeout=READY_MS)
        query = parse_qs(urlsplit(str(link.get_attribute("href"))).query)
        assert (query["s1"], query["s2"]) == ([Y], [X])
        with desk.page.context.expect_page() as opening:
            link.click()
        opened = opening.value
        opened.wait_for_selector(".pd-word", timeout=READY_MS)
        until(
            opened,
            "([label, bars]) => document.querySelector(`input[aria-label='${label}']`)?.value"
            " === bars",
            arg=[WINDOW, *query["window"]],
        )
        opened.close()


def is_as_stored(stage: Stage, window: int) -> None:
    """Hold what a bot reads of the pair against the stored trades."""
    end_s = time.monotonic() + STEP_MS / 1e3
    while True:
        rows = asked(stage, "pairs")["pairs"]
        row = next(each for each in rows if each["window"] == window)
        if row["zscore"] is not None or time.monotonic() > end_s:
            break
        time.sleep(0.2)  # a bar closes each second
    bar = pd.Timestamp(row["bar"])
    expected = expect(stage.trades(Y), stage.trades(X), until=bar, interval="1s",
                      bars=RANGE_BARS, window=window, spread="log")  # fmt: skip
    last = expected.last
    assert expected.paths.index[-1] == bar
    assert row["beta"] == pytest.approx(expected.beta, rel=1e-6)
    assert row["zscore"] == pytest.approx(last["zscore"], rel=1e-5, abs=1e-6)
    assert row["correlation"] == pytest.approx(last["correlation"], rel=1e-6)
