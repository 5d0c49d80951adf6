"""One WebSocket connection's life: opened with its subscriptions, read until it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxyStatus,
    InvalidStatus,
    WebSocketException,
)

from ingest.binance import (
    MAX_URL_STREAMS,
    MESSAGES_EVERY_S,
    Ack,
    BarUpdate,
    Control,
    ErrorReply,
    ServerShutdown,
    combined_stream_url,
    parse_bar_frame,
    parse_frame,
    stream_name,
    subscribe_message,
    unsubscribe_message,
)
from ingest.clock import now_us
from ingest.errors import LinkLostError, MalformedMessageError
from ingest.feed.bulk_socket import BulkConnection
from ingest.interception import Interception, interception, old_http_answer, proxy_refuses
from ingest.retry import refusal_wait_s
from ingest.tick import BAR_STREAMS, BarStream, Event, Market, NonTrade, StreamKind, Tick

Received = TypeVar("Received", Event, BarUpdate)
TakenT_contra = TypeVar("TakenT_contra", Event, BarUpdate, contravariant=True)


class Connection(Protocol):
    """What a link needs of a socket; `websockets` gives it, a simulation may stand in."""

    async def recv(self) -> bytes | list[bytes]:
        """Receive the next message, or all that are here; raises `LinkLostError` at the end."""

    async def send(self, message: str) -> None:
        """Send a text message."""

    async def close(self) -> None:
        """Begin the closing handshake and wait for it, within the close time limit."""


class Sink(Protocol[TakenT_contra]):
    """Where a link's findings go. None of these may wait, but `room`."""

    def event(self, event: TakenT_contra) -> None:
        """A trade, an id without a trade, or what a stream of bars says."""

    def reject(self, error: MalformedMessageError) -> None:
        """A frame that is no known message."""

    async def room(self) -> None:
        """Wait as long as it is better not to bring more."""

    def connected(self, where: str) -> None:
        """A connection is open."""

    def lost(self, reason: str) -> None:
        """A connection ended, or could not be made."""


@dataclass(frozen=True, slots=True)
class Address:
    """Which stream kind of which market, and where it is served."""

    ws_base: str
    market: Market
    stream: StreamKind | BarStream


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Time limits of one connection, in seconds."""

    open_s: float = 10.0
    ping_every_s: float = 20.0
    ping_within_s: float = 20.0
    close_s: float = 1.5
    answer_s: float = 10.0


_EVENTS = (Tick, NonTrade, BarUpdate)  # a tuple: twice as fast to ask for as their union
OpenConnection = Callable[[str, LinkLimits], Awaitable[Connection]]


class _Socket:
    """A `websockets` connection, its many exceptions made one."""

    def __init__(self, connection: "connect", url: str) -> None:
        self._opened, self._url = connection, url
        self._connection: BulkConnection

    async def establish(self) -> None:
        """Finish the handshake, or raise LinkLostError with the reason."""
        try:
            self._connection = cast("BulkConnection", await self._opened)
        except InvalidStatus as error:
            raise _refused(error, self._url) from error
        except InvalidProxyStatus as error:
            raise _intercepted(proxy_refuses(error.response.status_code)) from error
        except (OSError, WebSocketException, TimeoutError) as error:
            # A redirect that is not followed: what was answered says more than why.
            answered = error.__cause__ or error.__context__
            if isinstance(answered, InvalidStatus):
                raise _refused(answered, self._url) from error
            if (old := old_http_answer(error.__cause__)) is not None:
                raise _intercepted(old) from error
            raise LinkLostError(f"cannot connect: {_words(error)}") from error

    async def recv(self) -> bytes | list[bytes]:
        """Wait for what has come, or raise LinkLostError."""
        try:
            return await self._connection.recv_many()
        except ConnectionClosed as error:
            raise LinkLostError(_words(error)) from error

    async def send(self, message: str) -> None:
        """Send one text frame, or raise LinkLostError."""
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise LinkLostError(_words(error)) from error

    async def close(self) -> None:
        """Close it; waits for the other side `close_s` at most."""
        await self._connection.close()


async def open_socket(url: str, limits: LinkLimits) -> Connection:
    """Open a WebSocket.

    Raises
    ------
    LinkLostError
        It could not be opened, with the reason; ``wait_s`` where an HTTP refusal names one.
    """
    loopback = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    socket = _Socket(
        connect(
            url,
            open_timeout=limits.open_s,
            ping_interval=limits.ping_every_s,
            ping_timeout=limits.ping_within_s,
            close_timeout=limits.close_s,
            compression=None,  # deflate doubles the cost of receiving
            max_queue=1024,
            create_connection=BulkConnection,
            proxy=None if loopback else True,
        ),
        url,
    )
    await socket.establish()
    return socket


@dataclass(slots=True)
class _Request:
    """A request that waits for its answer."""

    subscribe: bool
    symbols: frozenset[str]


@dataclass(slots=True)
class Link(Generic[Received]):
    """A connection and what it carries.

    `pending` collects events instead of the sink while another link is still the current one.
    """

    connection: Connection
    address: Address
    sink: Sink[Received]
    limits: LinkLimits
    wanted: set[str]
    now_us: Callable[[], int] = now_us
    dropped_symbols: set[str] = field(default_factory=set)
    pending: list[Received] | None = None
    frames: int = 0
    trades: int = 0
    opened_s: float = 0.0
    last_frame_s: float = 0.0
    refusal: str | None = None
    first_trade: asyncio.Event = field(default_factory=asyncio.Event)
    shutdown: asyncio.Event = field(default_factory=asyncio.Event)
    _refused: frozenset[str] = frozenset()
    _requests: dict[int, _Request] = field(default_factory=dict)
    _next_request: int = 1
    _end_reason: str | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _may_send_s: float = 0.0

    async def pump(self) -> str:
        """Read until the connection ends; returns why it ended. No frame can end it."""
        loop = asyncio.get_running_loop()
        recv = self.connection.recv
        while True:
            try:
                received = await recv()
            except LinkLostError as error:
                return self._end_reason or str(error)
            frames = [received] if isinstance(received, bytes) else received
            self.frames += len(frames)
            self.last_frame_s = loop.time()
            self._read(frames, self.now_us())
            await self.sink.room()

    async def change(self, symbols: Iterable[str]) -> None:
        """Subscribe and unsubscribe so that just `symbols` are carried."""
        wanted = set(symbols)
        added, dropped = sorted(wanted - self.wanted), sorted(self.wanted - wanted)
        self.wanted, self.dropped_symbols = wanted, self.dropped_symbols | set(dropped)
        if self._refused and not self._refused & wanted:
            self.refusal = None
        if dropped:
            await self._ask(unsubscribe_message, dropped, subscribe=False)
        if added:
            await self._ask(subscribe_message, added, subscribe=True)

    def release(self) -> None:
        """Hand the pending events to the sink, and go on straight into it."""
        pending, self.pending = self.pending or [], None
        for event in pending:
            self.sink.event(event)

    async def break_off(self, reason: str) -> None:
        """End the connection ourselves, with our reason."""
        self._end_reason = reason
        await self.connection.close()

    def _read(self, frames: Sequence[bytes], received_us: int) -> None:
        market = self.address.market
        parse = parse_bar_frame if self.address.stream in BAR_STREAMS else parse_frame
        for raw in frames:
            try:
                message = parse(raw, received_us, market)
            except MalformedMessageError as error:
                self.sink.reject(error)
                continue
            if isinstance(message, _EVENTS):
                self._take(cast("Received", message), raw)
            elif message is not None:
                self._control(message)

    def _take(self, event: Received, raw: bytes) -> None:
        if event.symbol in self.wanted and event.stream == self.address.stream:
            self.trades += 1
            self.first_trade.set()
            if self.pending is None:
                self.sink.event(event)
            else:
                self.pending.append(event)
        elif event.symbol not in self.dropped_symbols:
            reason = f"not subscribed: {event.symbol} {event.stream}"
            self.sink.reject(MalformedMessageError(reason, raw))

    def _control(self, control: Control) -> None:
        if isinstance(control, ServerShutdown):
            self.shutdown.set()
        elif isinstance(control, Ack) and isinstance(control.id, int):
            self._requests.pop(control.id, None)
        elif isinstance(control, ErrorReply):
            request = self._requests.pop(control.id, None) if isinstance(control.id, int) else None
            self._refused = request.symbols if request else frozenset()
            names = ", ".join(sorted(request.symbols)) if request else "a request"
            self.refusal = f"the exchange refused {names}: {control.msg} (code {control.code})"

    async def _ask(
        self, message: Callable[[int, Sequence[str]], str], symbols: list[str], *, subscribe: bool
    ) -> None:
        async with self._turn:  # one batch after the other, in the order they were wanted
            for first in range(0, len(symbols), MAX_URL_STREAMS):
                batch = symbols[first : first + MAX_URL_STREAMS]
                await self._wait_turn()
                request_id, self._next_request = self._next_request, self._next_request + 1
                self._requests[request_id] = _Request(subscribe, frozenset(batch))
                streams = [stream_name(symbol, self.address.stream) for symbol in batch]
                await self.connection.send(message(request_id, streams))
                loop = asyncio.get_running_loop()
                loop.call_later(self.limits.answer_s, self._check_answer, request_id)

    async def _wait_turn(self) -> None:
        """Keep under the messages a second that the exchange takes."""
        now_s = asyncio.get_running_loop().time()
        if self._may_send_s > now_s:
            await asyncio.sleep(self._may_send_s - now_s)
        self._may_send_s = max(now_s, self._may_send_s) + MESSAGES_EVERY_S

    def _check_answer(self, request_id: int) -> None:
        if request_id in self._requests:
            reason = f"no answer to a subscription within {self.limits.answer_s:g} s"
            asyncio.ensure_future(self.break_off(reason))  # noqa: RUF006 - pump ends with it


async def open_link(
    address: Address,
    symbols: Sequence[str],
    sink: Sink[Received],
    limits: LinkLimits,
    open_connection: OpenConnection = open_socket,
    clock_us: Callable[[], int] = now_us,
) -> Link[Received]:
    """Connect with the subscriptions in the URL; `clock_us` dates what is received.

    An address takes `MAX_URL_STREAMS` of them: `Link.change` asks for the rest.

    Raises
    ------
    LinkLostError
        The connection could not be made.
    """
    first = symbols[:MAX_URL_STREAMS]
    url = combined_stream_url(address.ws_base, address.market, first, address.stream)
    connection = await open_connection(url, limits)
    now_s = asyncio.get_running_loop().time()
    return Link(
        *(connection, address, sink, limits, set(first), clock_us),
        opened_s=now_s,
        last_frame_s=now_s,
    )


def _refused(error: InvalidStatus, url: str) -> LinkLostError:
    response, status = error.response, error.response.status_code
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    intercepted = interception(url, status, headers, bytes(response.body))
    if intercepted is not None:
        return _intercepted(intercepted)
    wait_s = refusal_wait_s(status, error.response.headers.get("Retry-After"))
    meaning = {
        403: "its firewall refuses this address",
        418: "this address is banned for a while",
        429: "too many requests",
        451: "it does not serve this country",
    }.get(status, "handshake refused")
    return LinkLostError(f"the exchange answered HTTP {status}: {meaning}", wait_s, status)


def _intercepted(cause: Interception) -> LinkLostError:
    return LinkLostError(f"cannot connect: {cause.sentence}", between=cause.between)


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    plain = error.strerror if isinstance(error, OSError) else None  # without its number
    text = plain or str(error) or type(error).__name__
    return f"connection closed: {text}" if isinstance(error, ConnectionClosed) else text
