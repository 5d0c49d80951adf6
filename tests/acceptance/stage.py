"""What a scenario plays on: the exchange and the app, each in its own process, and a browser."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from desk.app_process import AppProcess, running_app

from acceptance.market_process import REST_ROWS, SYMBOLS, Market, RestTrade
from ingest.store import TickWriter
from ingest.tick import Tick

# A start on a busy machine, and what the app missed while it was off.
FILLED_WITHIN_S = 60.0


@dataclass(frozen=True)
class Stage:
    """A running desk: its exchange, its process, its database."""

    market: Market
    app: AppProcess
    db: Path

    @property
    def url(self) -> str:
        return self.app.url

    def trades(self, symbol: str, since_us: int = 0) -> pd.DataFrame:
        return stored_trades(self.db, symbol, since_us)

    def has_no_hole(self, symbol: str) -> bool:
        """Whether more than a page of trades is stored, and every one between first and last."""
        query = "SELECT COUNT(*), MIN(trade_id), MAX(trade_id) FROM tick_data WHERE symbol = ?"
        with _reading(self.db) as connection:
            count, first, last = connection.execute(query, (symbol,)).fetchone()
        return bool(count > REST_ROWS and last - first + 1 == count)

    def wait_for_trade(self, symbol: str, trade_id: int, within_s: float = 10.0) -> pd.DataFrame:
        """Wait until a trade is stored; gives all that are, up to it."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            stored = self.trades(symbol)
            if len(stored) and stored["trade_id"].iloc[-1] >= trade_id:
                return stored[stored["trade_id"] <= trade_id]
            time.sleep(0.05)  # another process's commit gives no event
        raise AssertionError(f"{symbol} {trade_id} was not stored within {within_s:g} s")


def stored_trades(db: Path, symbol: str, since_us: int = 0) -> pd.DataFrame:
    """Read the `tick_data` view as anyone with a SQLite shell would, in order of the ids."""
    query = (
        "SELECT trade_id, time_us, price, quantity, buyer_is_maker FROM tick_data "
        "WHERE symbol = ? AND time_us >= ? ORDER BY trade_id"
    )
    with _reading(db) as connection:
        return pd.read_sql_query(query, connection, params=(symbol, since_us))


def _reading(db: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=10))


def seed_trades(db: Path, market: Market, ago_s: int) -> None:
    """Leave what an app would have stored that was stopped so long ago: a trade of each symbol."""
    with closing(TickWriter(db)) as writer:
        for symbol in SYMBOLS:
            writer.write([_as_stored(symbol, first_trade(market, symbol, ago_s))])


def store_trades(db: Path, market: Market, ago_s: int) -> None:
    """Leave what an app would have stored that began so long ago and was stopped just now."""
    with closing(TickWriter(db)) as writer:
        for symbol in SYMBOLS:
            first, last_id = first_trade(market, symbol, ago_s), market.last_id(symbol)
            trades = market.trades_from(symbol, first.trade_id, last_id)
            writer.write([_as_stored(symbol, trade) for trade in trades])


def first_trade(market: Market, symbol: str, ago_s: int) -> RestTrade:
    """Give the first trade of a symbol since so long ago."""
    newest_us = market.trades(symbol)[-1].time_us
    return market.trades(symbol, startTime=newest_us - ago_s * 1_000_000)[0]


def _as_stored(symbol: str, trade: RestTrade) -> Tick:
    return Tick(
        market="spot",
        symbol=symbol,
        stream="aggTrade",
        trade_id=trade.trade_id,
        price=trade.price,
        quantity=trade.quantity,
        time_us=trade.time_us,
        received_us=trade.time_us + 1_500,
        buyer_is_maker=trade.buyer_is_maker,
    )


@contextmanager
def running_desk(
    folder: Path,
    market: Market,
    *,
    off_for_s: int = 0,
    port: int | None = None,
    more: tuple[str | Path, ...] = (),
) -> Iterator[Stage]:
    """Start ``python app.py``; with `off_for_s` it finds the database of a run that long ago."""
    db = folder / "ticks.db"
    if off_for_s and not db.exists():
        seed_trades(db, market, off_for_s)
    with running_app(folder, *options(market, db), *more, port=port) as app:
        yield Stage(market, app, db)


def wait_until_filled(stage: Stage) -> None:
    """Wait until everything is stored that happened while the app was off."""
    end_s = time.monotonic() + FILLED_WITHIN_S
    while time.monotonic() < end_s:
        if all(stage.has_no_hole(symbol) for symbol in SYMBOLS):
            return
        time.sleep(0.1)  # another process's commits give no event
    raise AssertionError(f"not filled within {FILLED_WITHIN_S:g} s: {stage.app.log()}")


def options(market: Market, db: Path) -> tuple[str, ...]:
    """Give the command line of an app that records this market."""
    history = db.parent / "history"
    names = ("--symbols", ",".join(SYMBOLS), "--db", str(db), "--history", str(history))
    return (*names, "--ws-url", market.ws_url, "--rest-url", market.rest_url)
