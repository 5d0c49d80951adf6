"""The route that the bell asks, and the bell in the head of every page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk.script_page import START_US, run_page
from starlette.applications import Starlette

from ingest.errors import StoreError
from ingest.settings import current_settings
from ingest.watch import Alert, Silence, Watch, WatchStore, install_watch
from pages.ui.desk.bell_route import BELL_PATH, MOST_ALERTS, desk_name, news_since
from pages.ui.server.door import Door, Rules
from pages.ui.server.routes import routes

HOUR_US = 3_600_000_000


@pytest.fixture
def watch(database: Path) -> Iterator[Watch]:
    watch = Watch(current_settings(), None)
    install_watch(watch)
    yield watch
    install_watch(None)
    watch.stop()


def fire(store: WatchStore, count: int = 1, **more: Any) -> None:
    plain: dict[str, Any] = {
        "words": "z = +2.31",
        "y": "ETHUSDT",
        "x": "BTCUSDT",
        "params": "s1=ETHUSDT",
    }
    alert = Alert("wide", "fired", START_US, START_US, **{**plain, **more})
    store.record([alert] * count, {}, {})


async def ask(since: str | None = None, may_ask: bool = True) -> httpx.Response:
    app = Door(Starlette(routes=routes()), lambda: Rules("127.0.0.1"), lambda _: may_ask)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8501") as client:
        return await client.get(BELL_PATH, params={} if since is None else {"since": since})


async def test_it_answers_what_came_since_oldest_first(watch):
    fire(watch.store)
    fire(watch.store, suppressed="quiet hours")
    fire(watch.store, y="", x="", params="", words="disk free 2 GB")
    answer = (await ask("1")).json()
    assert answer["newest"] == 3
    assert [each["id"] for each in answer["alerts"]] == [2, 3]
    quiet, disk = answer["alerts"]
    assert quiet["head"] == "wide: ETHUSDT / BTCUSDT"
    assert (quiet["suppressed"], disk["suppressed"]) == (True, False)
    assert (disk["head"], disk["view"], disk["words"]) == ("wide: the desk", "", "disk free 2 GB")
    assert (await ask("3")).json() == {"newest": 3, "alerts": [], "silenced": ""}


async def test_the_head_names_the_pair_and_the_words_do_not_again(watch):
    fire(watch.store, words="ETHUSDT/BTCUSDT: z = -2.31")
    (told,) = (await ask("0")).json()["alerts"]
    assert (told["head"], told["words"]) == ("wide: ETHUSDT / BTCUSDT", "z = −2.31")


@pytest.mark.parametrize(
    ("silences", "said"),
    [
        ([Silence(0, START_US - 1)], ""),
        ([Silence(0, START_US + HOUR_US)], "silenced until 23:13 UTC"),
        ([Silence(0, START_US + 3 * HOUR_US)], "silenced until 2025-08-01 01:13 UTC"),
        ([Silence(0, START_US + HOUR_US, "wide")], "partly silenced until 23:13 UTC"),
        (
            [Silence(0, START_US + HOUR_US), Silence(0, START_US + 3 * HOUR_US, "wide")],
            "silenced until 23:13 UTC",
        ),
    ],
)
def test_the_bell_says_until_when_the_desk_is_silenced(watch, silences, said):
    for each in silences:
        watch.store.add_silence(each)
    assert news_since(watch.store, 0, START_US)["silenced"] == said


async def test_of_many_it_answers_the_newest(watch):
    fire(watch.store, MOST_ALERTS + 20)
    answer = (await ask("0")).json()
    ids = [each["id"] for each in answer["alerts"]]
    assert ids == list(range(21, MOST_ALERTS + 21))


@pytest.mark.parametrize("since", [None, "", "x", "-1", "1e9", "9" * 40, "٣"])
async def test_an_odd_question_is_answered_from_the_beginning(watch, since):
    fire(watch.store)
    answer = await ask(since)
    assert answer.status_code == 200
    assert [each["id"] for each in answer.json()["alerts"]] == [1]
    assert answer.headers["cache-control"] == "no-store"


async def test_words_are_cut_and_on_one_line(watch):
    fire(watch.store, words="a\n\x00b" + "c" * 5_000)
    (alert,) = (await ask("0")).json()["alerts"]
    assert alert["words"].startswith("a  bc")
    assert len(alert["words"]) < 300


async def test_who_has_not_signed_in_is_told_nothing(watch):
    fire(watch.store)
    answer = await ask("0", may_ask=False)
    assert answer.status_code == 401
    assert "wide" not in answer.text


async def test_a_watch_that_cannot_be_read_is_no_empty_answer(watch, monkeypatch):
    def refuse(_: WatchStore) -> int:
        raise StoreError("the watch cannot be read")

    monkeypatch.setattr(WatchStore, "newest_alert_id", refuse)
    assert (await ask("0")).status_code == 503


async def test_without_a_watch_nothing_came(database):
    assert (await ask("0")).json() == {"newest": 0, "alerts": [], "silenced": ""}


@pytest.mark.parametrize("name", ["live", "alerts", "methods"])
def test_the_bell_stands_in_the_head_of_each_page(project_root, watch, name):
    page = run_page(project_root)
    if name != "live":
        page.switch_page(str(project_root / "pages" / f"{name}.py")).run()
    assert not page.exception, page.exception
    (bell,) = (each.proto.json for each in page.get("bidi_component") if "bell" in each.proto.id)
    assert desk_name(watch.store) in bell


def test_two_databases_are_two_desks(tmp_path):
    stores = [WatchStore(tmp_path / name) for name in ("a.db", "b.db")]
    assert len({desk_name(each) for each in stores}) == 2
    for each in stores:
        each.close()
