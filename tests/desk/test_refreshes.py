"""The command that watches hundreds of refreshes: that it sees what it should, in a short form."""

from dataclasses import replace

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from desk import refreshes
from desk.chromium import chromium_path
from desk.refreshes import HEAP_LIMIT_MB, SERVER_LIMIT_MB, Reading

FLAT = [Reading(count, (1e6, 2e6), 40.0, 3_000, 570, 450.0, count) for count in range(5)]


def test_what_moved_or_grew_is_named():
    assert refreshes.judged(FLAT) == []
    moved = [*FLAT[:-1], replace(FLAT[-1], span_ms=(1e6, 2.1e6))]
    assert "the zoom went from" in refreshes.judged(moved)[0]
    grown = replace(FLAT[-1], heap_mb=41.0 + HEAP_LIMIT_MB, server_mb=452.0 + SERVER_LIMIT_MB)
    heap, server = refreshes.judged([*FLAT[:-1], grown])
    assert heap == "the heap grew by 6.0 MB"
    assert server == "the app grew by 22.0 MB"


def test_the_first_quarter_settles():
    begun = replace(FLAT[0], heap_mb=20.0, server_mb=300.0)
    assert refreshes.judged([begun, *FLAT[1:]]) == []


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_a_few_refreshes_keep_the_zoom(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PAIRDESK_CHROMIUM", chromium_path())
    with refreshes.zoomed_page(every_ms=400) as (app, chart):
        readings = list(refreshes.watched(app, chart, 4))
    assert [reading.refreshes for reading in readings] == [0, 1, 2, 3, 4]
    assert len({reading.span_ms for reading in readings}) == 1
    assert all(reading.heap_mb > 0 for reading in readings)
