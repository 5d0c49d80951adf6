"""A Binance on the loopback: streams and REST on one port of 127.0.0.1, told what to do by a test.

In a test::

    async with Exchange(["BTCUSDT"]) as exchange:
        ...connect a client to exchange.ws_url and exchange.rest_url...
        await exchange.wait_for_subscribers(1)
        exchange.push("BTCUSDT", "61837.63", "0.02")
        await exchange.disconnect_all(code=1001)

`ThreadedExchange` is the same for synchronous tests. By hand, to try the app without a network::

    python tests/exchange --port 9443 --symbols BTCUSDT,ETHUSDT

What it does not do as Binance does: every trade is its own aggregate (``a = f = l = t``, so a run
of trades of one order is not merged, nor are futures aggregates held for 100 ms); there is no
connection limit per address; stream names are not checked beyond holding an ``@``.
"""

import asyncio
import concurrent.futures
import functools
import http
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from exchange.faults import Faults, HandshakeFault
from exchange.feeds import Feed
from exchange.klines import KlineStreams
from exchange.market import (
    MarketName,
    Tape,
    Trade,
    Venue,
    e8,
    non_trade_payload,
    system_time_us,
)
from exchange.rest import Rest, RestRequest, split_target
from exchange.streams import (
    MESSAGES_PER_S,
    ExchangeConnection,
    Hub,
    Session,
    answer_control,
    is_stream_path,
    is_upgrade,
    text_frame,
)

HOST = "127.0.0.1"
_STEPS_TO_CONNECTION = 5  # from accepting to `connection_made`, with one to spare
ResultT = TypeVar("ResultT")
FaultScript = Callable[["Exchange"], Awaitable[None]]


@dataclass(frozen=True)
class Handshake:
    """One WebSocket handshake as it came; `at_s` is of the monotonic clock, 101 is success."""

    at_s: float
    target: str
    status: int


class Exchange:
    """The scripted exchange; an asynchronous context manager.

    Parameters
    ----------
    symbols
        What is traded. Anything else is unknown (-1121) or, on a stream, silent.
    market
        ``spot`` or ``usdm``; decides paths, event shapes, intervals and weights.
    feed
        Source of trades that runs beside the exchange (`LiveFeed`, `ReplayFeed`), or None.
    port
        0 takes a free one.
    ping_interval_s, pong_timeout_s
        The server pings this often and ends a connection whose pong is later than that.
    clock_us
        The exchange's clock, microseconds since the epoch.
    historical_trades
        Whether REST has raw trades by id, which the public host has not.
    """

    def __init__(
        self,
        symbols: Iterable[str] = ("BTCUSDT", "ETHUSDT"),
        *,
        market: MarketName = "spot",
        feed: Feed | None = None,
        port: int = 0,
        ping_interval_s: float = 20.0,
        pong_timeout_s: float = 60.0,
        clock_us: Callable[[], int] = system_time_us,
        historical_trades: bool = False,
    ) -> None:
        self.venue = Venue(symbols, market, clock_us)
        self.faults = Faults()
        self.hub = Hub(market, self.faults)
        self.klines = KlineStreams(self)
        self.requests: list[RestRequest] = []
        self.handshakes: list[Handshake] = []
        self._rest = Rest(self.venue, self.faults, historical_trades=historical_trades)
        self._feed = feed
        self._port = port
        self._ping_interval_s = ping_interval_s
        self._pong_timeout_s = pong_timeout_s
        self._opened: set[ExchangeConnection] = set()  # TCP connections, whatever they are for
        self._server: Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._feed_task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._feed is not None:
            self._feed.prepare(self)
        make_connection = functools.partial(ExchangeConnection, opened=self._opened)
        self._server = await serve(
            self._serve_client,
            HOST,
            self._port,
            process_request=self._process_request,
            create_connection=cast("type[ServerConnection]", make_connection),
            compression=None,
            open_timeout=None,
            ping_interval=self._ping_interval_s,
            ping_timeout=self._pong_timeout_s,
            close_timeout=1.0,
            logger=logging.getLogger("tests.exchange"),
        )
        if self._feed is not None:
            self._feed_task = self.run_script(self._feed.run)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        for task in self._tasks:
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._server is not None, "__aenter__ made it"
        await self._let_in_no_more(self._server)
        # Closing waits for every client to answer: those that cannot are cut off.
        answering = {session.connection for session in self.connections}
        for connection in self._opened - answering:
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        for outcome in outcomes:
            if isinstance(outcome, Exception) and exc is None:
                raise outcome

    @staticmethod
    async def _let_in_no_more(server: Server) -> None:
        """Stop accepting, and wait until whoever was let in at the last moment is connected.

        A server that asyncio closes between the two leaves a socket open that nobody knows.
        """
        loop = asyncio.get_running_loop()
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())
        for _ in range(_STEPS_TO_CONNECTION):
            await asyncio.sleep(0)

    @property
    def port(self) -> int:
        assert self._server is not None, "the exchange is not open"
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def rest_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def connections(self) -> list[Session]:
        """Clients with an open connection, black holes not counted."""
        return [session for session in self.hub.sessions if session.healthy]

    def now_s(self) -> float:
        """Give the monotonic clock that lag, weights and records are measured by."""
        return self._loop.time()

    def push(
        self,
        symbol: str,
        price: str | float,
        quantity: str | float,
        *,
        trade_id: int | None = None,
        time_us: int | None = None,
        buyer_is_maker: bool = False,
        streamed: bool = True,
    ) -> Trade:
        """Make a trade happen now; without `streamed` only REST will ever tell of it."""
        tape = self.venue.tape(symbol)
        moment_us = self.venue.now_us() if time_us is None else time_us
        trade = Trade(
            symbol=symbol,
            trade_id=tape.next_id if trade_id is None else trade_id,
            price_e8=e8(price),
            quantity_e8=e8(quantity),
            time_us=moment_us,
            event_us=moment_us + 1000,
            buyer_is_maker=buyer_is_maker,
        )
        self.publish(trade, streamed=streamed)
        self.hub.flush()
        return trade

    def publish(self, trade: Trade, *, printed: bytes | None = None, streamed: bool = True) -> None:
        """Put a trade on its tape and into its streams; `hub.flush` or `drain` sends it."""
        tape = self.venue.tape(trade.symbol)
        tape.append(trade, self.now_s())
        if streamed:
            self.hub.publish_trade(tape, trade, printed)

    def resend(self, trade: Trade) -> None:
        """Stream a trade once more, as a reconnected stream may."""
        self.hub.publish_trade(self.venue.tape(trade.symbol), trade)
        self.hub.flush()

    def list_symbol(self, symbol: str) -> None:
        """Begin to trade a symbol that was not known."""
        self.venue.tapes[symbol] = Tape(symbol, market=self.venue.market)

    def delist(self, symbol: str, status: str | None = "BREAK") -> None:
        """Trade a symbol no more: its status from now on, None where nobody knows it any more."""
        if status is None:
            del self.venue.tapes[symbol]
        else:
            self.venue.tapes[symbol].status = status

    def skip_ids(self, symbol: str, count: int = 1) -> range:
        """Leave out ids that neither stream nor REST will ever have."""
        return self.venue.tape(symbol).skip_ids(count)

    def push_non_trade(self, symbol: str) -> int:
        """Print the futures event that is no trade and takes up an id; REST does not list it."""
        tape = self.venue.tape(symbol)
        number = tape.add_non_trade()
        payload = non_trade_payload(symbol, number, self.venue.now_us())
        self.hub.publish(tape.streams["trade"], payload)
        self.hub.flush()
        return number

    def push_raw(self, message: bytes, *, binary: bool = False) -> None:
        """Send a message to every client as it is, valid or not."""
        frame = Frame(Opcode.BINARY, message).serialize(mask=False)
        wire = frame if binary else text_frame(message)
        for session in self.connections:
            self.hub.write(session, wire)

    def announce_shutdown(self) -> None:
        """Send the event that may come before the exchange closes connections."""
        event = b'{"e":"serverShutdown","E":%d}' % (self.venue.now_us() // 1000)
        for session in self.connections:
            enveloped = b'{"stream":"!serverShutdown","data":%b}' % event
            self.hub.write(session, text_frame(enveloped if session.combined else event))

    def trades(self, symbol: str, *, history: bool = False) -> list[Trade]:
        """Give what was traded since the opening, with `history` also what REST knows before."""
        tape = self.venue.tape(symbol)
        first = 0 if history else tape.published_by(float("-inf"))
        return tape.trades(first, len(tape))

    async def drain(self) -> None:
        """Send what was published and wait until every healthy client has room for more."""
        self.hub.flush()
        for session in self.connections:
            await session.connection.writable.wait()
        await asyncio.sleep(0)

    async def disconnect_all(
        self, code: int | None = None, reason: str = "", *, abort: bool = False
    ) -> int:
        """End every connection: by a close frame, a reset (`abort`), or a bare FIN.

        Returns how many there were.
        """
        sessions = self.connections
        for session in sessions:
            if abort:
                session.connection.reset()
            elif code is None:
                session.connection.finish_without_close_frame()
        if code is not None and not abort:
            closing = (session.connection.close(code, reason) for session in sessions)
            await asyncio.gather(*closing)
        return len(sessions)

    def stall_all(self) -> None:
        """Send no more events on the open connections; pings go on, new connections are fine."""
        for session in self.connections:
            session.muted = True

    def black_hole_all(self) -> None:
        """Neither read nor write on the open connections from now on, pings and pongs included."""
        for session in self.connections:
            session.connection.vanish()
        self._notify()

    def run_script(self, script: FaultScript) -> asyncio.Task[None]:
        """Run a fault script beside the exchange until it ends or the exchange closes."""

        async def run() -> None:
            await script(self)
            self._notify()

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.append(task)
        return task

    async def wait_until(
        self, condition: Callable[[], bool], timeout_s: float | None = 10.0
    ) -> None:
        """Wait for a condition on clients, requests or handshakes, looked at on each change."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await self._changed.wait()

    async def wait_for_clients(self, count: int, timeout_s: float | None = 10.0) -> None:
        """Wait until `count` clients or more are connected."""
        await self.wait_until(lambda: len(self.connections) >= count, timeout_s)

    async def wait_for_subscribers(self, count: int, timeout_s: float | None = 10.0) -> None:
        """Wait until `count` clients or more are connected and subscribed to something."""
        await self.wait_until(
            lambda: sum(bool(client.subscriptions) for client in self.connections) >= count,
            timeout_s,
        )

    async def wait_for_requests(
        self, count: int, path: str = "", timeout_s: float | None = 10.0
    ) -> None:
        """Wait until `count` REST requests or more came whose path holds `path`."""
        await self.wait_until(
            lambda: sum(path in request.path for request in self.requests) >= count, timeout_s
        )

    async def wait_fed(self, timeout_s: float | None = 60.0) -> None:
        """Wait until a finite feed has sent everything; its error is raised here."""
        assert self._feed_task is not None, "the exchange has no feed"
        async with asyncio.timeout(timeout_s):
            await asyncio.shield(self._feed_task)

    def stop_feed(self) -> None:
        """Trade no more: what the feed has published stands."""
        assert self._feed_task is not None, "the exchange has no feed"
        self._feed_task.cancel()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        if not is_upgrade(request):
            return await self._answer_rest(request)
        assert isinstance(connection, ExchangeConnection)
        fault = connection.fault = self.faults.handshakes.take()
        status = 101 if is_stream_path(request.path, self.venue.market) else 404
        if fault is not None and fault.kind in {"refuse", "hang"}:
            status = fault.status
        self.handshakes.append(Handshake(self.now_s(), request.path, status))
        self._notify()
        if fault is not None and fault.kind == "hang":
            await self._closing.wait()
        if status == 101:
            return None
        retry_after_s = fault.retry_after_s if fault is not None else None
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return _response(status, b"", headers)

    async def _answer_rest(self, request: Request) -> Response:
        answer = self._rest.answer(request.path, request.headers, self.now_s())
        path, query = split_target(request.path)
        record = RestRequest(self.now_s(), path, query, answer.weight, answer.status)
        self.requests.append(record)
        self._notify()
        if self.faults.rest_delay_s:
            await asyncio.sleep(self.faults.rest_delay_s)
        headers = {"Content-Type": "application/json;charset=UTF-8", **answer.headers}
        return _response(answer.status, answer.body, headers)

    async def _serve_client(self, connection: ServerConnection) -> None:
        assert isinstance(connection, ExchangeConnection)
        if connection.fault is not None:
            await _end_at_once(connection, connection.fault)
            return
        assert connection.request is not None, "the handshake is done"
        market = self.venue.market
        connection.messages_per_s = MESSAGES_PER_S[market]
        session = Session(connection, connection.request.path, market)
        self.hub.add(session)
        self.klines.look()
        self._notify()
        try:
            async for message in _messages(connection):
                answer = answer_control(self.hub, session, message)
                self.klines.look()
                await connection.send(answer)
                self._notify()
        finally:
            self.hub.remove(session)
            self._notify()


async def _messages(connection: ServerConnection) -> AsyncIterator[str | bytes]:
    """Give a client's messages until its connection ends, however it ends."""
    while True:
        try:
            yield await connection.recv()
        except ConnectionClosed:
            return


async def _end_at_once(connection: ExchangeConnection, fault: HandshakeFault) -> None:
    if fault.kind == "close":
        await connection.close(fault.code)
    else:
        connection.reset()


def _response(status: int, body: bytes, headers: dict[str, str]) -> Response:
    known = {item.value: item.phrase for item in http.HTTPStatus}
    return Response(
        status,
        known.get(status, "Unknown"),
        Headers({"Content-Length": str(len(body)), "Connection": "close", **headers}),
        body,
    )


class ThreadedExchange:
    """An `Exchange` in a thread of its own, for synchronous tests and browser tests.

    The thread's exchange is touched only through `call` and `run`, and by the short forms here.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._arguments = (args, kwargs)
        self._opened: concurrent.futures.Future[Exchange] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._main, name="exchange", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._exchange = self._opened.result(timeout=60)
        self.ws_url = self._exchange.ws_url
        self.rest_url = self._exchange.rest_url
        self.port = self._exchange.port
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "the exchange did not stop within 30 s"
        if self._failure is not None and exc is None:
            raise self._failure

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._opened.done():
                self._failure = error
            else:
                self._opened.set_exception(error)

    async def _serve(self) -> None:
        args, kwargs = self._arguments
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with Exchange(*args, **kwargs) as exchange:
            self._opened.set_result(exchange)
            await self._stop.wait()

    def run(self, script: Callable[[Exchange], Awaitable[ResultT]]) -> ResultT:
        """Await ``script(exchange)`` on the exchange's loop and give its result."""

        async def awaited() -> ResultT:
            return await script(self._exchange)

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def call(self, action: Callable[[Exchange], ResultT]) -> ResultT:
        """Do ``action(exchange)`` on the exchange's loop and give its result."""

        async def called(exchange: Exchange) -> ResultT:
            return action(exchange)

        return self.run(called)

    @property
    def faults(self) -> Faults:
        """The switches; setting one from another thread is safe, reading too."""
        return self._exchange.faults

    def push(self, symbol: str, price: str | float, quantity: str | float, **more: Any) -> Trade:
        return self.call(lambda exchange: exchange.push(symbol, price, quantity, **more))

    def trades(self, symbol: str, *, history: bool = False) -> list[Trade]:
        return self.call(lambda exchange: exchange.trades(symbol, history=history))

    def requests(self) -> list[RestRequest]:
        return self.call(lambda exchange: list(exchange.requests))

    def handshakes(self) -> list[Handshake]:
        return self.call(lambda exchange: list(exchange.handshakes))

    def disconnect_all(
        self, code: int | None = None, reason: str = "", *, abort: bool = False
    ) -> int:
        return self.run(lambda exchange: exchange.disconnect_all(code, reason, abort=abort))

    def wait_for_clients(self, count: int, timeout_s: float | None = 10.0) -> None:
        self.run(lambda exchange: exchange.wait_for_clients(count, timeout_s))

    def wait_for_subscribers(self, count: int, timeout_s: float | None = 10.0) -> None:
        self.run(lambda exchange: exchange.wait_for_subscribers(count, timeout_s))

    def wait_fed(self, timeout_s: float | None = 60.0) -> None:
        self.run(lambda exchange: exchange.wait_fed(timeout_s))
