"""The API: state, pairs and alerts as JSON, what it refuses, and the document that describes it."""

import asyncio
import http.client
import json
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases.api import NAN, PAIR, READING, ROW, TESTS, alert_of, asked, desk, record, served
from cases.openapi import faults
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from test_pages_serving import body_of

from ingest.version import VERSION
from ingest.watch import (
    Delivery,
    Watch,
    WatchedBasket,
    WatchedPair,
    WatchList,
    WatchRow,
    install_watch,
)
from ingest.watch.message import Outgoing, alert_document
from pages.ui.server.api import api_routes
from pages.ui.server.exposure import under_base_path

PATHS = ("state", "pairs", "alerts")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as port:
        yield port


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with desk(tmp_path) as watch:
        yield watch


def described(port: int, path: str) -> Any:
    """An answer, which the document has to describe whole."""
    status, found, _ = asked(port, path)
    _, document, _ = asked(port, "openapi.json")
    name = path.partition("?")[0]
    answers = document["paths"][f"/{name}"]["get"]["responses"]
    schema = answers[str(status)]["content"]["application/json"]["schema"]
    assert not list(faults(document, found, schema))
    return found


def test_a_row_is_said_with_its_figures(watch: Watch, port: int) -> None:
    watch.board.publish({"majors": (ROW,)})
    assert described(port, "pairs") == {
        "pairs": [
            {
                "list": "majors",
                "y": "ETHUSDT",
                "x": "BTCUSDT",
                "symbols": ["ETHUSDT", "BTCUSDT"],
                "method": None,
                "interval": "1s",
                "window": 60,
                "spread": "log",
                "hedge": "ols",
                "group": "majors",
                "bar": "2023-11-14T22:13:20Z",
                "signal": "SELL",
                "reason": "z is above 2",
                "gate": "",
                "zscore": 2.5,
                "beta": 0.8,
                "alpha": -1.5,
                "spread_value": 0.25,
                "mean": 0.2,
                "std": 0.02,
                "correlation": 0.9,
                "price_y": 2000.5,
                "price_x": 40000.0,
                "weights": None,
                "signal_since": "2023-11-14T22:13:15Z",
                "test": "Engle-Granger",
                "pvalue": 0.03,
                "half_life": 12.5,
                "returns": True,
                "tests_age_s": 90.0,
                "y_age_s": 0.5,
                "x_age_s": 1.5,
                "problem": "",
            }
        ]
    }


def test_what_is_not_known_is_null(watch: Watch, port: int) -> None:
    unknown = replace(READING, zscore=NAN, beta=NAN, correlation=NAN, signal="NEUTRAL")
    walk = replace(TESTS, half_life=float("inf"), pvalue=NAN)
    rows = (
        WatchRow(PAIR, unknown, tests=walk),
        WatchRow(PAIR, problem="no trades of ETHUSDT"),
        WatchRow(PAIR, tests=TESTS),
    )
    watch.board.publish({"majors": rows})
    first, second, third = described(port, "pairs")["pairs"]
    assert [first[name] for name in ("zscore", "beta", "correlation", "y_age_s")] == [None] * 4
    assert [first[name] for name in ("half_life", "pvalue", "signal_since")] == [None] * 3
    assert (second["bar"], second["signal"], second["pvalue"]) == (None, None, None)
    assert second["problem"] == "no trades of ETHUSDT"
    assert third["tests_age_s"] == 0.0


def test_rows_of_one_list_alone(watch: Watch, port: int) -> None:
    watch.board.publish({"a": (ROW, ROW), "b / c": (ROW,), "none": ()})
    assert [each["list"] for each in described(port, "pairs")["pairs"]] == ["a", "a", "b / c"]
    assert [each["list"] for each in described(port, "pairs?list=b%20/%20c")["pairs"]] == ["b / c"]
    assert described(port, "pairs?list=none") == {"pairs": []}
    assert described(port, "pairs?list=d") == {"error": "no list is named 'd'"}


def test_a_process_that_does_not_record_says_that_it_evaluates_nothing(
    watch: Watch, port: int
) -> None:
    watch.store.save_list(WatchList("mine", (WatchedPair("SOLUSDT", "BTCUSDT"),)))
    watch.start()
    [row] = described(port, "pairs")["pairs"]
    assert (row["y"], row["zscore"]) == ("SOLUSDT", None)
    assert "--no-ingest" in row["problem"]
    state = described(port, "state")
    assert state["watch"]["evaluating"] is False
    assert "--no-ingest" in state["watch"]["why_not"]


def test_an_alert_is_said_with_its_way_out(watch: Watch, port: int) -> None:
    record(watch, alert_of(channels=("desk", "phone")))
    watch.store.update_deliveries([Delivery(1, "phone", "delivered", 2, is_repeated=True)])
    assert described(port, "alerts") == {
        "alerts": [
            {
                "id": watch.store.public_id(1),
                "number": 1,
                "rule": "wide",
                "kind": "fired",
                "y": "ETHUSDT",
                "x": "BTCUSDT",
                "interval": "1s",
                "bar": "2023-11-14T22:13:20Z",
                "forming": False,
                "zscore": 2.5,
                "signal": "SELL",
                "value": 2.5,
                "level": 2.0,
                "words": "ETHUSDT/BTCUSDT is wide",
                "suppressed": "",
                "fired": "2023-11-14T22:13:21Z",
                "deliveries": [
                    {"channel": "desk", "state": "waiting", "attempts": 0, "repeated": False},
                    {"channel": "phone", "state": "delivered", "attempts": 2, "repeated": True},
                ],
            }
        ],
        "next": 1,
    }


def test_an_alert_is_said_as_channels_are_sent_it(watch: Watch, port: int) -> None:
    record(watch, alert_of(kind="resolved", is_forming=True, value=NAN))
    sent = alert_document(Outgoing(watch.store.alerts()[0], watch.store.public_id(1)))
    [said] = described(port, "alerts")["alerts"]
    assert sent.keys() - said.keys() == {"repeated"}  # which is of each delivery
    assert all(said[key] == sent[key] for key in said.keys() & sent.keys())


def test_an_alert_of_the_desk_has_no_pair_and_no_figures(watch: Watch, port: int) -> None:
    record(watch, alert_of(y="", x="", interval="", zscore=NAN, value=NAN, level=NAN, signal=""))
    [alert] = described(port, "alerts")["alerts"]
    assert (alert["y"], alert["zscore"], alert["value"], alert["level"]) == ("", None, None, None)


def test_alerts_are_read_on_from_a_number(watch: Watch, port: int) -> None:
    several = {"channels": ("a", "b", "c")}
    record(watch, *(alert_of(str(i), **(several if i % 2 else {"channels": ()})) for i in range(7)))
    found, since = [], 0
    while (page := described(port, f"alerts?since={since}&limit=3"))["alerts"]:
        assert len(page["alerts"]) <= 3
        found += page["alerts"]
        since = page["next"]
    assert [each["words"] for each in found] == list("0123456")
    assert [len(each["deliveries"]) for each in found] == [0, 3, 0, 3, 0, 3, 0]
    assert page == {"alerts": [], "next": 7}


def test_alerts_are_read_on_from_the_id_that_went_out(watch: Watch, port: int) -> None:
    record(watch, *(alert_of(str(i)) for i in range(3)))
    first = described(port, "alerts?limit=1")["alerts"][0]["id"]
    rest = described(port, f"alerts?since={first}")["alerts"]
    assert [each["words"] for each in rest] == ["1", "2"]
    assert "must be a whole number" in asked(port, f"alerts?since=x{first}")[1]["error"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=x", "since = 'x': must be a whole number from 0 to 1000000000000000000"),
        ("since=-1", "since = '-1': must be a whole number from 0 to 1000000000000000000"),
        ("since=", "since = '': must be a whole number from 0 to 1000000000000000000"),
        ("since=%D9%A3", "since = '٣': must be a whole number from 0 to 1000000000000000000"),
        ("since=1.5", "since = '1.5': must be a whole number from 0 to 1000000000000000000"),
        ("since=9", "since = 9: the newest alert is 0; begin again from 0"),
        ("limit=0", "limit = '0': must be a whole number from 1 to 1000"),
        ("limit=1001", "limit = '1001': must be a whole number from 1 to 1000"),
    ],
)
def test_a_bad_number_is_said(watch: Watch, port: int, query: str, words: str) -> None:
    status, found, _ = asked(port, f"alerts?{query}")
    assert (status, found) == (400, {"error": words})


def test_the_state_says_version_recording_and_watch(watch: Watch, port: int) -> None:
    record(watch, alert_of(), alert_of())
    state = described(port, "state")
    assert state["version"] == VERSION
    assert state["recorder"] == {"state": "off", "cause": None, "symbols": {}}
    assert state["watch"]["newest_alert"] == 2


def test_without_a_watch_the_state_is_still_said(watch: Watch, port: int) -> None:
    install_watch(None)
    assert described(port, "state")["watch"] is None
    for path in ("pairs", "alerts", "stream"):
        status, found, _ = asked(port, path)
        assert status == 503
        assert found["error"].startswith("there is no watch")


def test_a_watch_that_cannot_be_read_is_said(watch: Watch, port: int) -> None:
    watch.store.close()
    for path in ("state", "alerts", "stream"):
        status, found, _ = asked(port, path)
        assert status == 503
        assert found["error"].startswith("the watch cannot be read")


@pytest.mark.parametrize("path", [*PATHS, "stream", "docs", "openapi.json", "nothing"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_api_is_only_read(watch: Watch, port: int, path: str, method: str) -> None:
    status, found, headers = asked(port, path, method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert found == {"error": f"{method} is not answered: the API is read, by GET"}


def test_what_is_not_there_is_said(watch: Watch, port: int) -> None:
    status, found, _ = asked(port, "pair/1")
    assert status == 404
    assert found == {"error": "nothing is at this address; /api/v1/docs says what is where"}


def test_a_basket_is_a_row_with_its_symbols_and_weights(watch: Watch, port: int) -> None:
    basket = WatchedBasket(("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    row = replace(ROW, pair=basket, tests=None, weights=(1.0, -0.5, math.nan))
    watch.board.publish({"majors": (row, WatchRow(basket))})
    found, empty = described(port, "pairs")["pairs"]
    assert (found["y"], found["x"]) == ("BTCUSDT/ETHUSDT+SOLUSDT", "")
    assert found["symbols"] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert (found["spread"], found["hedge"], found["method"]) == ("log", None, "johansen")
    assert found["weights"] == [1.0, -0.5, None]
    assert found["pvalue"] is None
    assert empty["weights"] is None


@pytest.mark.parametrize("path", [*PATHS, "nothing"])
def test_no_answer_is_kept_by_a_browser(watch: Watch, port: int, path: str) -> None:
    assert asked(port, path)[2]["Cache-Control"] == "no-store"


def test_the_document_describes_every_address(watch: Watch, port: int) -> None:
    _, document, _ = asked(port, "openapi.json")
    ours = {route.path.removeprefix("/api/v1") for route in api_routes()}
    aside = {"/docs", "/openapi.json", "/api/{rest:path}"}
    assert set(document["paths"]) == ours - aside
    assert set(document["paths"]["/alerts"]["get"]["responses"]) == {"200", "400", "401", "503"}


def test_the_page_of_the_api_names_every_value_and_loads_nothing(watch: Watch, port: int) -> None:
    _, document, _ = asked(port, "openapi.json")
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/api/v1/docs")
        page = connection.getresponse().read().decode()
    names = [name for each in document["components"]["schemas"].values()
             for name in each["properties"]]  # fmt: skip
    assert all(f"<code>{name}</code>" in page for name in (*names, "since", "Last-Event-ID"))
    assert all(f"GET {path}<" in page for path in document["paths"])
    assert not any(word in page for word in ("<script", " src=", "<link", "@import", "url("))


def test_a_look_at_the_head_of_the_stream_listens_to_nothing(watch: Watch, port: int) -> None:
    for _ in range(3):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("HEAD", "/api/v1/stream")
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("Content-Type", "")[:17]) == (
                200,
                "text/event-stream",
            )
            assert answer.read() == b""


@pytest.mark.parametrize("base", ["api/desk", "api/v1", "api"])
def test_a_base_path_below_the_api_leaves_the_pages_to_the_desk(base: str) -> None:
    page = Route(f"/{base}/watch", lambda _: PlainTextResponse("page"))
    app = Starlette(routes=[*under_base_path(api_routes(), base), page])
    assert asyncio.run(body_of(app, f"/{base}/watch")) == b"page"
    below = json.loads(asyncio.run(body_of(app, f"/{base}/api/v1/nothing")))
    assert below["error"].startswith("nothing is")


def test_under_the_path_of_a_proxy_the_api_is_there_too() -> None:
    paths = [route.path for route in under_base_path(api_routes(), "desk")]
    assert {"/desk/api/v1/pairs", "/desk/api/{rest:path}", "/api/v1/pairs"} <= set(paths)
