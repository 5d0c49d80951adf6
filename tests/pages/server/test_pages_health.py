"""`/healthz`: what a monitor is told, state by state, and the route itself."""

import json

import pytest
from cases.status import NOW_US, status_of
from starlette.requests import Request

from ingest.recorder import install_recorder
from ingest.settings import Settings, install_settings
from ingest.status import DiskStatus, RecorderStatus, SymbolState, SymbolStatus
from ingest.version import VERSION
from pages.ui.desk.pill_route import current_pill
from pages.ui.server.health import health
from pages.ui.server.routes import routes

STARTED_US = NOW_US - 3_600_000_000


def silent_for(seconds: float, **changes) -> RecorderStatus:
    return status_of(last_received_us=NOW_US - int(seconds * 1_000_000), **changes)


def all_symbols(state: SymbolState) -> dict[str, SymbolStatus]:
    return {name: SymbolStatus(state=state) for name in ("BTCUSDT", "ETHUSDT")}


PLENTY = DiskStatus(free=50_000_000_000)
LITTLE = DiskStatus(free=150_000_000)


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (silent_for(0.3), 200, None),
        (silent_for(119), 200, None),
        (silent_for(121), 503, "no trade for 121 s"),
        (silent_for(121, per_symbol=all_symbols("quiet")), 200, None),
        (silent_for(121, per_symbol=all_symbols("silent")), 503, "no trade for 121 s"),
        (silent_for(59, state="reconnecting"), 200, None),
        (silent_for(61, state="reconnecting"), 503, "reconnecting, and no trade for 61 s"),
        (silent_for(130, state="connecting"), 503, "no trade for 130 s"),
        (silent_for(1, state="failed"), 503, "the recorder failed"),
        (silent_for(1, write_error="disk I/O error"), 503, "nothing is stored: disk I/O error"),
        (silent_for(1, state="blocked"), 503, "the exchange refuses this address"),
        (silent_for(1, state="no data"), 503, "connected, but no data ever came"),
        (silent_for(1, state="stopped"), 503, "the recorder was stopped"),
        (silent_for(9_999, state="off", symbols=(), per_symbol={}), 200, None),
        (silent_for(9_999, state="paused", disk=PLENTY), 200, None),
        (silent_for(9_999, state="paused", disk=LITTLE), 503, "paused with little disk space"),
    ],
)
def test_only_a_recording_that_is_as_it_should_be_is_well(status, code, cause):
    found, told = health(status, NOW_US, STARTED_US)
    assert (found, told["cause"]) == (code, cause)
    assert told["state"] == status.state


def test_before_the_first_trade_silence_counts_from_the_start():
    status = status_of(state="connecting", last_received_us=None)
    assert health(status, NOW_US, NOW_US - 30_000_000)[0] == 200
    assert health(status, NOW_US, NOW_US - 130_000_000)[0] == 503


def test_a_process_that_is_not_meant_to_record_is_well():
    assert health(None, NOW_US, STARTED_US, records=False)[0] == 200
    code, told = health(None, NOW_US, STARTED_US)
    assert (code, told["cause"]) == (503, "there is no recorder")


def test_the_answer_holds_what_a_monitor_charts():
    _, told = health(status_of(notices=("disk low",)), NOW_US, STARTED_US)
    symbols = told["symbols"]
    assert isinstance(symbols, dict)
    assert symbols["BTCUSDT"] == {
        "state": "live", "last_trade_age_s": 0.3, "open_gaps": 1
    }  # fmt: skip
    assert symbols["ETHUSDT"]["last_trade_age_s"] is None
    assert (told["queue_depth"], told["queue_capacity"], told["open_gaps"]) == (12, 200_000, 1)
    assert told["disk_free_bytes"] == 82_000_000_000
    assert told["notices"] == ["disk low"]


async def test_the_route_answers_with_json_that_no_cache_keeps():
    route = next(each for each in routes() if each.path == "/healthz")
    request = Request({"type": "http", "method": "GET", "headers": []})
    install_recorder(None)
    install_settings(Settings(ingest=False))
    try:
        well = await route.endpoint(request)
        install_settings(Settings())
        ill = await route.endpoint(request)
    finally:
        install_settings(Settings())
    assert (well.status_code, ill.status_code) == (200, 503)
    assert well.headers["content-type"] == "application/json"
    assert well.headers["cache-control"] == "no-store"
    assert json.loads(well.body) == {
        "version": VERSION,
        "state": "off",
        "cause": None,
        "symbols": {},
    }


def test_a_replay_that_does_not_run_says_nothing_of_the_recording():
    install_recorder(None)
    assert current_pill().word == "NOT RECORDING"
    assert current_pill(is_replay=True).word == "NO REPLAY"
