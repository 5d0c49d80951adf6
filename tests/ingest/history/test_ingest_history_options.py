"""The options of history, and the one clear line for what cannot be."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import SettingsError
from ingest.settings import DEFAULT_HISTORY, FetchOptions, parse_settings


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def test_history_lies_beside_the_database_and_nothing_moves_there_unasked() -> None:
    found = parse_settings([], {})
    assert (found.history, found.lake_days, found.imports, found.fetch) == (
        *(DEFAULT_HISTORY, None, (), None),
    )
    assert found.history == found.db.parent / "history"


def test_what_to_fetch_is_read_whole() -> None:
    words = "--fetch btcusdt,ETH/USDT --from 2024-01-01 --to 2024-02-03 --history /h"
    found = parse_settings(words.split(), {})
    assert found.history == Path("/h")
    assert found.fetch == FetchOptions(
        ("BTCUSDT", "ETHUSDT"), date(2024, 1, 1), date(2024, 2, 3), "1m"
    )
    hours = parse_settings([*words.split(), "--bars", "1h"], {}).fetch
    trades = parse_settings([*words.split(), "--trades"], {}).fetch
    assert hours is not None
    assert trades is not None
    assert (hours.bars, trades.bars) == ("1h", None)


def test_without_an_end_it_reaches_to_yesterday() -> None:
    before = yesterday()
    found = parse_settings(["--fetch", "BTCUSDT", "--from", "2024-01-01"], {}).fetch
    assert found is not None
    assert before <= found.last <= yesterday()


def test_paths_to_import_are_several_and_may_come_from_the_environment() -> None:
    assert parse_settings(["--import", "a.zip", "b"], {}).imports == (Path("a.zip"), Path("b"))
    environment = {"PAIRDESK_IMPORT": os.pathsep.join(["a.zip", "c"]), "PAIRDESK_LAKE_DAYS": "30"}
    found = parse_settings([], environment)
    assert (found.imports, found.lake_days) == ((Path("a.zip"), Path("c")), 30)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--fetch BTCUSDT", "--fetch needs --from"),
        ("--fetch BTC+USDT --from 2024-01-01", "'BTC+USDT' is not a symbol"),
        ("--fetch BTCUSDT --from yesterday", "--from: 'yesterday' is not a day like 2024-01-31"),
        ("--fetch BTCUSDT --from 2024-02-30", "--from: '2024-02-30' is not a day"),
        ("--fetch BTCUSDT --from 2099-01-01", "--from: 2099-01-01 is not over, UTC"),
        ("--fetch BTCUSDT --from 2024-01-01 --to 2099-01-01", "--to: 2099-01-01 is not over, UTC"),
        (
            "--fetch BTCUSDT --from 2024-01-02 --to 2024-01-01",
            "--from 2024-01-02 is after --to 2024-01-01",
        ),
        ("--fetch BTCUSDT --from 2024-01-01 --bars 2m", "'2m' is not one of 1s, 1m, 5m, 1h"),
        ("--fetch BTCUSDT --from 2024-01-01 --bars 1m --trades", "one of the two"),
        ("--fetch BTCUSDT --from 2024-01-01 --bars 1s --market usdm", "no bars finer than 1m"),
        ("--from 2024-01-01", "--from says what to fetch: it needs --fetch"),
        ("--trades", "--trades says what to fetch: it needs --fetch"),
        ("--lake-days 0", "--lake-days: '0' is not a whole number of days"),
        ("--lake-days 1.5", "--lake-days: '1.5' is not a whole number of days"),
        ("--import", "expected at least one argument"),
    ],
)
def test_what_cannot_be_fetched_is_one_clear_line(words: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(words.split(), {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trades_are_not_deleted_before_they_can_have_moved() -> None:
    assert parse_settings(["--keep-days", "10", "--lake-days", "7"], {}).keep_days == 10
    with pytest.raises(SettingsError, match="--keep-days 9 deletes trades before --lake-days 7"):
        parse_settings(["--keep-days", "9", "--lake-days", "7"], {})
