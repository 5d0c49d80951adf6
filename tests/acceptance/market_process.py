"""The scripted exchange in a process of its own: a market that traded for days and goes on.

    python tests/acceptance/market_process.py

Its first line of output has its two addresses as JSON. It ends when its standard input is closed,
so it never outlives whoever started it. `running_market` starts it, and gives a `Market` to ask.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))

from exchange.feeds import Pace, numbered
from exchange.market import BEFORE_THE_STREAM
from exchange.server import Exchange
from exchange.synthetic import SyntheticMarket, default_symbols

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
PAIR = SYMBOLS[:2]
BOTH = {"s1": PAIR[0], "s2": PAIR[1]}  # as a link says it
RATE_PER_S = 8.0
SPARSE_PER_S = 0.03
SPARSE_S = 12 * 86_400  # long enough for a Kalman filter over hours, which learns from 200
DENSE_S = 3_600
REST_ROWS = 1_000


class DaysFeed:
    """Days of few trades and an hour of many, both known to REST only; then live ones."""

    def prepare(self, exchange: Exchange) -> None:
        names = list(exchange.venue.tapes)
        begin_us = exchange.venue.now_us() - (SPARSE_S + DENSE_S) * 1_000_000
        few = default_symbols(names, SPARSE_PER_S)
        self._market = SyntheticMarket(few, seed=12, start_us=begin_us)
        self._remember(exchange, SPARSE_S)
        many = (replace(symbol, trades_per_s=RATE_PER_S) for symbol in self._market.symbols)
        self._market.symbols = tuple(many)
        self._remember(exchange, DENSE_S)

    def _remember(self, exchange: Exchange, seconds: int) -> None:
        names = [symbol.name for symbol in self._market.symbols]
        for trade in numbered(exchange, names, self._market.advance(seconds)):
            exchange.venue.tapes[trade.symbol].append(trade, BEFORE_THE_STREAM)

    async def run(self, exchange: Exchange) -> None:
        names = [symbol.name for symbol in self._market.symbols]
        self._market.resume_at(exchange.venue.now_us())
        pace = Pace(exchange, self._market.now_us, 1.0)
        while True:
            for trade in numbered(exchange, names, self._market.advance(1)):
                await pace.wait(trade.time_us)
                exchange.publish(trade)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    async with Exchange(SYMBOLS, feed=DaysFeed()) as exchange:
        print(json.dumps({"ws": exchange.ws_url, "rest": exchange.rest_url}), flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


@dataclass(frozen=True)
class RestTrade:
    """A trade as the exchange's REST tells it."""

    trade_id: int
    price: float
    quantity: float
    time_us: int
    buyer_is_maker: bool


@dataclass(frozen=True)
class Market:
    """The running exchange, asked as anybody can: over REST."""

    ws_url: str
    rest_url: str

    def trades(self, symbol: str, **query: int) -> list[RestTrade]:
        """Give at most 1,000 aggregate trades; see Binance's aggTrades for the query."""
        words = "&".join(f"{name}={value}" for name, value in query.items())
        url = f"{self.rest_url}/api/v3/aggTrades?symbol={symbol}&limit={REST_ROWS}&{words}"
        asked = urllib.request.Request(url, headers={"X-MBX-TIME-UNIT": "MICROSECOND"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            rows = json.load(answer)
        return [
            RestTrade(row["a"], float(row["p"]), float(row["q"]), row["T"], row["m"])
            for row in rows
        ]

    def trades_from(self, symbol: str, first_id: int, last_id: int) -> list[RestTrade]:
        """Give all trades of these ids, both included."""
        found: list[RestTrade] = []
        while first_id <= last_id:
            page = self.trades(symbol, fromId=first_id)
            if not page:
                break
            found += page
            first_id = page[-1].trade_id + 1
        return [trade for trade in found if trade.trade_id <= last_id]

    def last_id(self, symbol: str) -> int:
        """Give the newest trade's id."""
        return self.trades(symbol)[-1].trade_id


@contextmanager
def running_market(folder: Path) -> Iterator[Market]:
    """Run the exchange until the block ends; what it complains of goes to ``market.log``."""
    command = [sys.executable, str(Path(__file__).resolve())]
    with (folder / "market.log").open("wb") as complaints:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
        )
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield Market(told["ws"], told["rest"])
        finally:
            process.communicate(timeout=20)


def main(_: Sequence[str]) -> int:
    """Serve until the standard input ends, or Ctrl-C."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
