"""`python app.py --universe`, as its user starts it, beside the scripted exchange."""

import json
import time
from pathlib import Path

import pytest
from desk.app_process import free_port, running_app
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange

from ingest.errors import SettingsError
from ingest.settings import Settings, parse_settings
from ingest.universe import UniverseRules


def test_the_app_follows_a_universe_and_says_that_it_has_bars_only(tmp_path: Path) -> None:
    names = ["AUSDT", "BUSDT", "CUSDT", "USDCUSDT", "ABTC"]
    with ThreadedExchange(names, feed=LiveFeed(5.0, history_s=30)) as exchange:
        options = (
            *("--universe", "USDT:2", "--universe-bars", "1s", "--db", tmp_path / "ticks.db"),
            *("--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url),
        )
        with running_app(tmp_path, *options, port=free_port()) as app:
            end_s = time.monotonic() + 30
            while True:
                health = json.loads(app.answer("healthz"))
                if health["universe"]["bars_stored"] > 60:
                    break
                assert time.monotonic() < end_s, health
                time.sleep(0.2)
            assert (health["state"], health["cause"]) == ("live", None)
            assert health["universe"]["symbols"] == 2
            assert health["universe"]["records"] == "bars only, 1s"
            assert app.stop() == 0
            assert (
                "recording bars of the 2 USDT symbols with the highest volume (spot) into"
                in app.log()
            )
            assert "Traceback" not in app.log()


def test_the_options_make_rules() -> None:
    words = ["--universe", "USDT:50", "--universe-days", "30", "--universe-volume", "1e6"]
    with pytest.raises(SettingsError, match="--universe-volume: '1e6' is not a number above 0"):
        parse_settings(words, {})
    words[-1] = "1000000"
    more = ["--universe-without", "DOGEUSDT,ADAUSDT", "--universe-pegged"]
    assert parse_settings([*words, *more], {}).universe == UniverseRules(
        *("USDT", 50, "bars", "1m", 30.0, 1e6, ("ADAUSDT", "DOGEUSDT"), True)
    )
    assert parse_settings([], {}) == Settings()
    assert parse_settings(["--universe", "NONE"], {}).no_universe
    assert parse_settings([], {"PAIRDESK_UNIVERSE": "BTC"}).universe == UniverseRules("BTC")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--universe", "USDT:x"], "--universe: 'USDT:x': after the colon goes how many"),
        (["--universe", "USDT", "--universe-depth", "all"], "'all' is not a depth: bars or trades"),
        (
            ["--universe", "USDT", "--universe-bars", "1s", "--market", "usdm"],
            "USD-M futures have no bars of 1s; say 1m",
        ),
    ],
    ids=["no number", "no depth", "no such bars"],
)
def test_an_option_that_cannot_be_used_is_one_line(options: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        parse_settings(options, {})
    assert "\n" not in str(refused.value)
