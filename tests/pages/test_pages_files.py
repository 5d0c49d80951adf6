"""Files on offer: the route, what it says where there is none, and the newest state at a click."""

import asyncio
import gc
import re
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

from analytics.errors import AnalyticsError
from ingest.errors import IngestError
from pages.ui.server.file_route import GONE
from pages.ui.server.routes import routes
from pages.ui.state.served_files import FILES_PATH, MadeFile, new_files

PAGE = "http://127.0.0.1:8501/?s1=A&s2=B"


def get(path: str, **query: str) -> httpx.Response:
    """Ask our routes as a browser would."""

    async def ask() -> httpx.Response:
        way = httpx.ASGITransport(Starlette(routes=routes()), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=way, base_url="http://127.0.0.1") as client:
            return await client.get(path, params=query)

    return asyncio.run(ask())


def of_words(words: str, name: str = "pair.csv"):
    return lambda _: MadeFile(name, "text/csv", words.encode())


def address_of(served, name: str) -> str:
    return f"{FILES_PATH}/{served.token}/{name}"


def test_a_click_gets_the_newest_state_under_the_same_address():
    served = new_files()
    for words in ("first", "second"):
        served.offer("csv", of_words(words))
        for _ in range(2):
            assert get(address_of(served, "csv")).text == words


def test_files_offered_together_do_not_take_each_others_place():
    served, other = new_files(), new_files()
    for each, owner in ((served, "one"), (other, "two")):
        for name in ("csv", "parquet", "report"):
            each.offer(name, of_words(f"{name} of {owner}"))
    for name in ("report", "csv", "parquet"):
        assert get(address_of(served, name)).text == f"{name} of one"
        assert get(address_of(other, name)).text == f"{name} of two"


@pytest.mark.parametrize("name", ["BTC-ETH_1s.csv", "币安人生USDT_1s.csv", 'a"b;c\n.csv'])
def test_the_name_of_the_file_is_as_it_was_given(name):
    served = new_files()
    served.offer("csv", of_words("x", name))
    answer = get(address_of(served, "csv"))
    coded = re.search(r"filename\*=UTF-8''(\S+)$", answer.headers["content-disposition"])
    assert coded is not None
    assert coded[1] == quote(name)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("error", [IngestError, AnalyticsError])
def test_a_file_that_cannot_be_made_is_said_in_a_sentence(error):
    def make(_: str) -> MadeFile:
        raise error("the database is gone")

    served = new_files()
    served.offer("csv", make)
    answer = get(address_of(served, "csv"))
    assert answer.status_code == 409
    assert answer.text.startswith("The database is gone. ")


def test_a_session_that_is_over_offers_nothing_any_more():
    served = new_files()
    served.offer("csv", of_words("x"))
    address = address_of(served, "csv")
    assert get(address).status_code == 200
    assert get(address_of(served, "other")).status_code == 404
    del served
    gc.collect()
    answer = get(address)
    assert (answer.status_code, answer.text) == (404, GONE)


@pytest.mark.parametrize(
    ("page", "expected"),
    [(PAGE, PAGE), ("javascript:alert(1)", ""), ("", ""), ("https://a/" + "x" * 5_000, None)],
)
def test_the_maker_is_told_the_address_of_the_page_and_nothing_else(page, expected):
    told = []

    def make(address: str) -> MadeFile:
        told.append(address)
        return MadeFile("x", "text/plain", b"")

    served = new_files()
    served.offer("report", make)
    get(address_of(served, "report"), page=page)
    assert told == [page[:4_000] if expected is None else expected]


def test_what_nobody_foresaw_is_a_sentence_too_and_the_terminal_has_the_whole(caplog):
    def make(_: str) -> MadeFile:
        raise ZeroDivisionError("a secret")

    served = new_files()
    served.offer("csv", make)
    answer = get(address_of(served, "csv"))
    assert answer.status_code == 500
    assert answer.text == "The file could not be made; the terminal says why."
    assert "ZeroDivisionError: a secret" in caplog.text
