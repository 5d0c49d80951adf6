"""Binance's REST, asked at half its allowed weight at the most, and silent when asked to be."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from ingest.binance import (
    BLOCKED_STATUS,
    MAX_REST_ROWS,
    REST_WEIGHT_PER_MINUTE,
    UNKNOWN_SYMBOL_CODE,
    WEIGHT_AGG_TRADES,
    WEIGHT_ALL_TICKERS,
    WEIGHT_EXCHANGE_INFO,
    WEIGHT_HISTORICAL_TRADES,
    WEIGHT_KLINES,
    WEIGHT_TICKERS,
    WEIGHT_TIME,
    DayTicker,
    Kline,
    Listed,
    decode_agg_trades,
    decode_day_tickers,
    decode_exchange_info,
    decode_historical_trades,
    decode_klines,
    decode_last_ids,
    decode_rest_error,
    decode_server_time,
    decode_symbol_status,
    rest_call_url,
)
from ingest.clock import now_us as wall_clock_us
from ingest.errors import (
    HttpError,
    MalformedMessageError,
    RestBlockedError,
    RestFailedError,
    RestRefusedError,
)
from ingest.interception import Interception, interception
from ingest.rest.budget import WeightBudget
from ingest.rest.http import Fetch, HttpAnswer
from ingest.retry import Backoff, refusal_wait_s
from ingest.tick import Event, Market

_LOG: Final = logging.getLogger("pairdesk.rest")

# Who may use how much of our half: whoever has less waits first.
REPAIR_SHARE = 0.9
SEED_SHARE = 0.6

_LONGEST_WAIT_S = 7 * 86400.0  # bans last 3 days at the most: a longer one is a misprint
_UNKNOWN_PARAMETER_STATUSES = {400, 422}  # of a host that filters otherwise
_USED_WEIGHT = "x-mbx-used-weight-1m"
_MEANINGS = {
    403: "its firewall refuses this address",
    418: "this address is banned for a while",
    429: "too many requests",
    451: "it does not serve this country",
}

Query = dict[str, str | int | None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClockSample:
    """The exchange's clock and ours, each in µs, at the middle of a round trip of `rtt_s`."""

    server_us: int
    ours_us: int
    rtt_s: float


class RestClient:
    """Asks the exchange; every call waits for its turn.

    Made in the event loop it is used in; its attributes may be read from any thread. Calls may run
    side by side. A refusal with a wait (429, 418, 403) holds all of them back until it ends; after
    a failure of the network or the server all wait by a jittered backoff.

    Parameters
    ----------
    rest_base
        Scheme and host.
    market
        Decides paths and weights.
    fetch
        Gets a URL, as `HttpClient.get` does.
    now_us, rng
        Wall clock and jitter; replaceable for tests.
    most_weight
        Weight a minute; half of what the market allows by default.

    Attributes
    ----------
    last_error
        Why the newest call failed, in a sentence; None once one has succeeded.
    interception
        Who answered it in the exchange's place; None where nobody did.
    """

    def __init__(
        self,
        rest_base: str,
        market: Market,
        *,
        fetch: Fetch,
        now_us: Callable[[], int] = wall_clock_us,
        rng: random.Random | None = None,
        most_weight: int | None = None,
    ) -> None:
        self.rest_base = rest_base
        self.market: Market = market
        self.requests = 0
        self.last_error: str | None = None
        self.interception: Interception | None = None
        self._time = asyncio.get_running_loop().time
        self._fetch = fetch
        self._now_us = now_us
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        half = REST_WEIGHT_PER_MINUTE[market] // 2
        self._budget = WeightBudget(half if most_weight is None else most_weight)
        self._backoff = Backoff(base_s=0.5, cap_s=15.0, floor_s=0.5)
        self._resumes_s = 0.0  # after a failure of ours or the server's
        self._refused_until_s = 0.0  # what the exchange asked for
        self._blocked: str | None = None

    @property
    def used_weight(self) -> int:
        """Weight of the last 60 seconds, others' at our address included where known."""
        return self._budget.used(self._time())

    @property
    def used_share(self) -> float:
        """Part of our weight that is in use: above 1 where others at our address use it up."""
        return self.used_weight / self._budget.most

    @property
    def blocked_until_s(self) -> float | None:
        """Loop time before which the exchange wants no request; None where it wants nothing."""
        return self._refused_until_s if self._refused_until_s > self._time() else None

    @property
    def blocked_reason(self) -> str | None:
        """Why nothing is asked while the country is blocked; None otherwise."""
        return self._blocked if self.blocked_until_s is not None else None

    async def agg_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        limit: int = MAX_REST_ROWS,
        share: float = 1.0,
    ) -> list[Event]:
        """Aggregates from an id on or from a time on; without either the newest ones.

        Raises
        ------
        RestFailedError
            No answer of use; `RestRefusedError`, `RestBlockedError` for those that last.
        """
        query: Query = {
            "symbol": symbol,
            "fromId": from_id,
            "startTime": _ms(start_us),
            "endTime": _ms(end_us),
            "limit": limit,
        }
        weight = WEIGHT_AGG_TRADES[self.market]
        answer = await self._ask("aggTrades", weight, share, query)
        return self._decoded(
            lambda: decode_agg_trades(answer.body, symbol, self.market, self._now_us())
        )

    async def historical_trades(
        self, symbol: str, *, from_id: int | None, limit: int = MAX_REST_ROWS, share: float = 1.0
    ) -> list[Event]:
        """Trades of the ``trade`` stream from an id on; raises as `agg_trades` does."""
        query: Query = {"symbol": symbol, "fromId": from_id, "limit": limit}
        weight = WEIGHT_HISTORICAL_TRADES[self.market]
        answer = await self._ask("historicalTrades", weight, share, query)
        return self._decoded(
            lambda: decode_historical_trades(answer.body, symbol, self.market, self._now_us())
        )

    async def klines(
        self,
        symbol: str,
        interval: str,
        start_us: int,
        *,
        end_us: int | None = None,
        limit: int = MAX_REST_ROWS,
        share: float = 1.0,
    ) -> list[Kline]:
        """Bars that open at `start_us` or later, `end_us` included; raises as `agg_trades` does."""
        query: Query = {
            "symbol": symbol,
            "interval": interval,
            "startTime": _ms(start_us),
            "endTime": _ms(end_us),
            "limit": limit,
        }
        answer = await self._ask("klines", WEIGHT_KLINES[self.market], share, query)
        return self._decoded(lambda: decode_klines(answer.body))

    async def last_ids(self, symbols: Sequence[str] | None) -> dict[str, int]:
        """Newest raw trade id of each symbol, -1 without a trade in 24 h; None asks for all.

        At most `TICKERS_A_CALL` symbols. One that the exchange does not know refuses all of them.
        Raises as `agg_trades` does.
        """
        market = self.market
        weight = (WEIGHT_ALL_TICKERS if symbols is None else WEIGHT_TICKERS)[market]
        query: Query = {"type": "MINI"} if market == "spot" else {}
        if symbols is not None and market == "spot":
            query["symbols"] = msgspec.json.encode(list(symbols)).decode()
        elif symbols is not None:
            (query["symbol"],) = symbols
        answer = await self._ask("ticker/24hr", weight, 1.0, query)
        return self._decoded(lambda: decode_last_ids(answer.body))

    async def day_tickers(self, *, share: float = 1.0) -> dict[str, DayTicker]:
        """Price and volume of the last 24 hours of all symbols; raises as `agg_trades` does."""
        query: Query = {"type": "MINI"} if self.market == "spot" else {}
        answer = await self._ask("ticker/24hr", WEIGHT_ALL_TICKERS[self.market], share, query)
        return self._decoded(lambda: decode_day_tickers(answer.body))

    async def clock_sample(self) -> ClockSample:
        """Both clocks at one moment; raises as `agg_trades` does."""
        await self._turn(WEIGHT_TIME, 1.0)
        begun_s = self._time()
        answer = await self._answer("time", {})
        rtt_s = self._time() - begun_s
        server_us = self._decoded(lambda: decode_server_time(answer.body))
        return ClockSample(server_us, self._now_us() - round(rtt_s * 500_000), rtt_s)

    async def server_time_us(self) -> int:
        """Read the exchange's clock, µs since the epoch; raises as `agg_trades` does."""
        return (await self.clock_sample()).server_us

    async def symbol_status(self, symbol: str) -> str | None:
        """``TRADING``, ``HALT``, …; None for a symbol it does not know. Raises as `agg_trades`."""
        # Futures take no filter: the whole list comes.
        query: Query = {"symbol": symbol} if self.market == "spot" else {}
        try:
            answer = await self._ask("exchangeInfo", WEIGHT_EXCHANGE_INFO[self.market], 1.0, query)
        except RestRefusedError as error:
            if error.code == UNKNOWN_SYMBOL_CODE:
                return None
            raise
        return self._decoded(lambda: decode_symbol_status(answer.body, symbol))

    async def exchange_info(self, *, share: float = 1.0) -> dict[str, Listed]:
        """What the exchange lists: of spot what is traded just now, of futures all of it.

        Raises as `agg_trades` does.
        """
        weight = WEIGHT_EXCHANGE_INFO[self.market]
        # Spot's whole list is several times as long. Futures take no filter.
        query: Query = {"symbolStatus": "TRADING", "showPermissionSets": "false"}
        try:
            answer = await self._ask(
                "exchangeInfo", weight, share, query if self.market == "spot" else {}
            )
        except RestRefusedError as error:
            if self.market != "spot" or error.status not in _UNKNOWN_PARAMETER_STATUSES:
                raise
            answer = await self._ask("exchangeInfo", weight, share, {})
        return self._decoded(lambda: decode_exchange_info(answer.body))

    async def _ask(self, call: str, weight: int, share: float, query: Query) -> HttpAnswer:
        await self._turn(weight, share)
        return await self._answer(call, query)

    async def _turn(self, weight: int, share: float) -> None:
        """Wait until a request may go, and count it. Nothing is awaited between the two."""
        while True:
            now_s = self._time()
            if self._blocked is not None and now_s < self._refused_until_s:
                raise RestBlockedError(self._blocked, self._refused_until_s - now_s)
            resumes_s = max(self._resumes_s, self._refused_until_s)
            wait_s = max(resumes_s - now_s, self._budget.wait_s(weight, now_s, share))
            if wait_s <= 0:
                self._budget.spend(weight, now_s)
                return
            await asyncio.sleep(wait_s)

    async def _answer(self, call: str, query: Query) -> HttpAnswer:
        parameters = {name: value for name, value in query.items() if value is not None}
        url = rest_call_url(self.rest_base, self.market, call)
        self.requests += 1
        try:
            answer = await self._fetch(f"{url}?{urlencode(parameters)}" if parameters else url)
        except HttpError as error:
            self.interception = error.interception
            raise self._failed(f"REST {call}: {error}") from error
        self.interception = interception(url, answer.status, answer.headers, answer.body)
        if self.interception is not None:
            raise self._failed(f"REST {call}: {self.interception.sentence}", answer.status)
        used = answer.headers.get(_USED_WEIGHT, "")
        if used.isdecimal() and len(used) < 10:
            self._budget.correct(int(used), self._time())
        if answer.status != 200:
            raise self._refusal(call, answer)
        return answer

    def _decoded(self, decode: Callable[[], T]) -> T:
        try:
            decoded = decode()
        except MalformedMessageError as error:
            raise self._failed(f"REST: {error}", 200) from error
        self._backoff.reset()
        self.last_error = self._blocked = None
        return decoded

    def _refusal(self, call: str, answer: HttpAnswer) -> RestFailedError:
        status = answer.status
        wait_s = min(refusal_wait_s(status, answer.headers.get("retry-after")), _LONGEST_WAIT_S)
        said = decode_rest_error(answer.body)
        meaning = _MEANINGS.get(status) or (said.msg if said else "no reason given")
        message = f"REST {call}: HTTP {status}: {meaning}"
        if wait_s > 0:
            return self._wait_required(message, status, wait_s)
        if 400 <= status < 500 and status not in _MEANINGS:
            self._backoff.reset()
            self.last_error = message
            _LOG.info("refused: %s", message)
            return RestRefusedError(message, status, said.code if said else None)
        return self._failed(message, status)

    def _wait_required(self, message: str, status: int, wait_s: float) -> RestFailedError:
        self._refused_until_s = max(self._refused_until_s, self._time() + wait_s)
        self.last_error = message
        _LOG.warning("%s; nothing is asked for %g s", message, wait_s)
        if status == BLOCKED_STATUS:
            self._blocked = message
            return RestBlockedError(message, wait_s)
        self._blocked = None
        return RestFailedError(f"{message}; nothing is asked for {wait_s:g} s", status)

    def _failed(self, message: str, status: int | None = None) -> RestFailedError:
        now_s, wait_s = self._time(), 0.0
        if now_s >= self._resumes_s:  # else it was under way when another failed: one failure
            wait_s = self._backoff.next_wait_s(self._rng)
            self._resumes_s = now_s + wait_s
        _LOG.info("failed: %s; asked again in %.1f s at the earliest", message, wait_s)
        self.last_error = message
        return RestFailedError(message, status)


def _ms(time_us: int | None) -> int | None:
    return None if time_us is None else time_us // 1000
