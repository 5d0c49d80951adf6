"""Options: command line over environment over defaults, and one clear line for a bad one."""

from pathlib import Path

import pytest

from ingest import settings
from ingest.errors import SettingsError
from ingest.settings import DEFAULT_DB, Settings, parse_settings


def test_defaults_are_the_documented_ones() -> None:
    found = parse_settings([], {})
    assert found == Settings()
    assert (found.host, found.port, found.market, found.stream) == (
        *("127.0.0.1", 8501, "spot", "aggTrade"),
    )
    assert found.db == DEFAULT_DB
    assert found.ws_base == "wss://data-stream.binance.vision"
    assert found.rest_base == "https://data-api.binance.vision"


def test_every_option_is_read() -> None:
    words = "--symbols btcusdt,SOLUSDT --market usdm --stream trade --db /x/y.db --host ::1"
    words += " --port 9000 --no-browser --no-ingest --ws-url ws://h/ --rest-url http://h/"
    words += " --watch desk.json"
    found = parse_settings(words.split(), {})
    assert found == Settings(
        symbols=("BTCUSDT", "SOLUSDT"),
        market="usdm",
        stream="trade",
        db=Path("/x/y.db"),
        host="::1",
        port=9000,
        browser=False,
        ingest=False,
        ws_url="ws://h/",
        rest_url="http://h/",
        watch=Path("desk.json"),
    )
    assert (found.ws_base, found.rest_base) == ("ws://h", "http://h")


def test_the_command_line_wins_over_the_environment() -> None:
    environment = {"PAIRDESK_PORT": "9001", "PAIRDESK_NO_BROWSER": "1", "PAIRDESK_MARKET": "usdm"}
    assert parse_settings([], environment).port == 9001
    assert parse_settings([], environment).browser is False
    assert parse_settings(["--port", "9002"], environment).port == 9002
    assert parse_settings(["--market", "spot"], environment).market == "spot"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--market forex", "'forex' is not one of spot, usdm"),
        ("--stream ticks", "'ticks' is not one of aggTrade, trade"),
        ("--symbols BTC+USD", "'BTC+USD' is not a symbol"),
        ("--port 0", "'0' is not a port"),
        ("--port http", "'http' is not a port"),
        ("--ws-url http://x", "does not begin with ws:// or wss://"),
        ("--rest-url x", "does not begin with http:// or https://"),
        ("--nonsense", "unrecognized arguments: --nonsense"),
        ("--port", "expected one argument"),
    ],
)
def test_a_bad_option_is_one_clear_line(words: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(words.split(), {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_help_is_written_wherever_the_data_lies(monkeypatch, capsys) -> None:
    options = (("db", "PATH", "", "the SQLite database (default: /data/100%sure/t.db)"),)
    monkeypatch.setattr(settings, "_OPTIONS", options)
    with pytest.raises(SystemExit):
        parse_settings(["--help"], {})
    assert "/data/100%sure/t.db" in capsys.readouterr().out


def test_a_home_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(SettingsError, match=r"--db: '~nobody-of-this-name/t.db'"):
        parse_settings(["--db", "~nobody-of-this-name/t.db"], {})
