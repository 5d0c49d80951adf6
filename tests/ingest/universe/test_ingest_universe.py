"""Which symbols are followed, and what is said of those that are not, that join and that leave."""

from dataclasses import replace

import msgspec
import pytest

from ingest.binance import DayTicker, Listed
from ingest.status import UniverseChange
from ingest.universe import (
    Chosen,
    UniverseRules,
    UniverseState,
    choose,
    parse_universe,
    rename_of,
    updated,
)

NOW_US = 1_764_000_000_000_000
HOUR_US = 3_600_000_000
ALL = UniverseRules("USDT")


def listed(*symbols: str, status: str = "TRADING") -> dict[str, Listed]:
    """Each written BASE/QUOTE."""
    parts = [each.split("/") for each in symbols]
    return {base + quote: Listed(status, None, base, quote) for base, quote in parts}


def tickers(**volumes: float) -> dict[str, DayTicker]:
    return {symbol: DayTicker(10.0, volume) for symbol, volume in volumes.items()}


MARKET = listed("BTC/USDT", "ETH/USDT", "SOL/USDT", "ETH/BTC")
VOLUMES = tickers(BTCUSDT=900.0, ETHUSDT=700.0, SOLUSDT=500.0, ETHBTC=5000.0)


def test_all_of_the_quote_currency_are_taken_by_volume() -> None:
    assert choose(ALL, MARKET, VOLUMES) == Chosen(("BTCUSDT", "ETHUSDT", "SOLUSDT"), ())


def test_the_top_is_by_volume_and_the_rest_is_told_its_place() -> None:
    chosen = choose(replace(ALL, top=2), MARKET, VOLUMES)
    assert chosen.symbols == ("BTCUSDT", "ETHUSDT")
    assert chosen.left_out == (("SOLUSDT", "place 3 by volume, taken are 2"),)


@pytest.mark.parametrize(
    ("volume", "symbols"),
    [(590.0, ("ETHUSDT",)), (610.0, ("SOLUSDT",))],
    ids=["less than a fifth more", "a fifth more"],
)
def test_who_is_followed_leaves_the_top_only_for_one_with_a_fifth_more_volume(
    volume: float, symbols: tuple[str, ...]
) -> None:
    market = listed("ETH/USDT", "SOL/USDT")
    volumes = tickers(ETHUSDT=500.0, SOLUSDT=volume)
    chosen = choose(replace(ALL, top=1), market, volumes, followed=("ETHUSDT",))
    assert chosen.symbols == symbols


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("USDC/USDT", "a stablecoin against a stablecoin"),
        ("EUR/USDT", "a currency against a stablecoin"),
        ("WBTC/USDT", "wrapped BTC"),
        ("WBETH/USDT", "staked ETH"),
    ],
)
def test_what_is_pegged_is_left_out_and_named_unless_it_is_wanted(symbol: str, reason: str) -> None:
    market, name = MARKET | listed(symbol), symbol.replace("/", "")
    assert dict(choose(ALL, market, VOLUMES).left_out) == {name: reason}
    assert name in choose(replace(ALL, with_pegged=True), market, VOLUMES).symbols


def test_a_twin_whose_coin_is_not_listed_is_no_twin() -> None:
    assert choose(ALL, listed("WBTC/USDT", "ETH/USDT"), {}).left_out == ()


def test_filters_say_why() -> None:
    market = MARKET | listed("LUNA/USDT", status="BREAK") | listed("NEW/USDT", "THIN/USDT")
    rules = replace(ALL, least_days=30, least_volume=100, without=("SOLUSDT",))
    ages = dict.fromkeys(market, 400.0) | {"NEWUSDT": 2.5}
    volumes = VOLUMES | tickers(NEWUSDT=1e6, THINUSDT=99.0)
    chosen = choose(rules, market, volumes, ages)
    assert chosen.symbols == ("BTCUSDT", "ETHUSDT")
    assert dict(chosen.left_out) == {
        "LUNAUSDT": "not trading (BREAK)",
        "NEWUSDT": "listed for 2.5 days, asked for 30",
        "SOLUSDT": "left out by the options",
        "THINUSDT": "volume of 24 h 99 USDT, asked for 100",
    }


def test_an_age_that_is_not_known_is_no_age() -> None:
    left_out = dict(choose(replace(ALL, least_days=1), MARKET, VOLUMES).left_out)
    assert set(left_out.values()) == {"its age is not known yet"}


def test_a_contract_with_a_last_day_is_left_out() -> None:
    market = {"BTCUSDT_260925": Listed("TRADING", None, "BTC", "USDT")}
    assert choose(ALL, market, {}).left_out == (("BTCUSDT_260925", "a contract with a last day"),)


FIRST = UniverseState(ALL, NOW_US - HOUR_US)


def look(
    state: UniverseState, market: dict[str, Listed], at_us: int, **statuses: str | None
) -> UniverseState:
    volumes = {symbol: DayTicker(10.0, 1.0) for symbol in market}
    chosen = choose(state.rules, market, volumes, followed=state.symbols)
    return updated(state, chosen, market, volumes, statuses, at_us)


def test_the_first_look_is_no_change() -> None:
    state = look(FIRST, MARKET, NOW_US)
    assert set(state.symbols) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert (state.changes, state.since_us, state.asked_us) == ((), NOW_US - HOUR_US, NOW_US)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("BREAK", "not trading (BREAK); what is stored of it stays"),
        (None, "not listed any more; what is stored of it stays"),
    ],
)
def test_a_symbol_that_is_not_traded_any_more_leaves_and_comes_back(
    status: str | None, reason: str
) -> None:
    before = look(FIRST, MARKET, NOW_US)
    without = {symbol: each for symbol, each in MARKET.items() if symbol != "SOLUSDT"}
    state = look(before, without, NOW_US + HOUR_US, SOLUSDT=status)
    assert state.changes == (UniverseChange(NOW_US + HOUR_US, "SOLUSDT", "left", reason),)
    assert "SOLUSDT" not in state.symbols
    again = look(state, MARKET, NOW_US + 2 * HOUR_US)
    assert again.changes[1:] == (
        UniverseChange(NOW_US + 2 * HOUR_US, "SOLUSDT", "joined", "trading again"),
    )


def test_a_new_symbol_joins_and_one_at_the_price_of_a_lost_one_may_be_its_new_name() -> None:
    before = look(FIRST, MARKET, NOW_US)
    newer = look(before, MARKET | listed("APT/USDT"), NOW_US + HOUR_US)
    assert newer.changes == (UniverseChange(NOW_US + HOUR_US, "APTUSDT", "joined", "newly listed"),)
    renamed = {symbol: each for symbol, each in MARKET.items() if symbol != "SOLUSDT"}
    after = look(before, renamed | listed("SOLX/USDT"), NOW_US + HOUR_US, SOLUSDT="BREAK")
    assert [(each.symbol, each.kind) for each in after.changes] == [
        ("SOLUSDT", "left"),
        ("SOLXUSDT", "joined"),
    ]
    assert after.changes[1].reason == (
        "newly listed at the price of SOLUSDT, which went: a new name? Both histories are kept"
    )


def test_two_lost_symbols_at_one_price_name_no_rename() -> None:
    market = listed("SOLX/USDT")
    volumes = {"SOLXUSDT": DayTicker(10.0, 1.0)}
    assert rename_of("SOLXUSDT", market, volumes, {"AUSDT": 10.1, "BUSDT": 40.0}) == "AUSDT"
    assert rename_of("SOLXUSDT", market, volumes, {"AUSDT": 10.1, "BUSDT": 9.9}) is None
    assert rename_of("SOLXUSDT", market, volumes, {}) is None


def test_a_universe_is_remembered_whole() -> None:
    state = look(look(FIRST, MARKET, NOW_US), MARKET | listed("APT/USDT"), NOW_US + HOUR_US)
    assert msgspec.json.decode(msgspec.json.encode(state), type=UniverseState) == state


def test_rules_are_read_from_a_word() -> None:
    assert parse_universe("usdt") == ALL
    assert parse_universe("USDT:50", bars="1s") == replace(ALL, top=50, bars="1s")
    assert parse_universe("BTC:200", depth="trades").depth == "trades"
    assert replace(ALL, top=50).words == "the 50 USDT symbols with the highest volume"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("US DT", {}, "'US DT' is not a quote currency, as USDT or USDT:50"),
        ("USDT:0", {}, "after the colon goes how many by volume, as USDT:50"),
        ("USDT:", {}, "after the colon goes how many"),
        ("USDT", {"depth": "ticks"}, "'ticks' is not a depth: bars or trades"),
        ("USDT", {"bars": "5m"}, "'5m' is not a length of bars: 1m or 1s"),
        ("USDT", {"depth": "trades"}, "at most 200 symbols"),
        ("USDT:201", {"depth": "trades"}, "say USDT:200 or fewer, or record bars"),
    ],
)
def test_what_cannot_be_used_says_what_can(
    text: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parse_universe(text, **options)  # type: ignore[arg-type]
