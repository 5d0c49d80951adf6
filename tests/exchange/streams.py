"""Streams of the scripted exchange: who is subscribed to what, and frames sent cheaply.

A frame is built once for each of the up to four forms somebody listens in (combined or raw,
milliseconds or microseconds) and the same bytes go to everyone.
"""

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event
from websockets.protocol import State as ConnectionState

from exchange.faults import Faults, HandshakeFault
from exchange.market import Kind, MarketName, Tape, Trade, trade_payload

MAX_STREAMS = 1024
MESSAGES_PER_S = {"spot": 5, "usdm": 10}
MAX_UNSENT_BYTES = 64 * 1024 * 1024  # a client this far behind is dropped
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")


def text_frame(payload: bytes) -> bytes:
    """Give the bytes on the wire of one unmasked text message."""
    return bytes(Frame(Opcode.TEXT, payload).serialize(mask=False))


def in_envelope(stream: str, payload: bytes) -> bytes:
    return b'{"stream":"%b","data":%b}' % (stream.encode(), payload)


class ExchangeConnection(ServerConnection):
    """A connection that can be made a black hole and that counts what its client sends."""

    black_holed = False
    messages_per_s = 5
    fault: HandshakeFault | None = None  # how this connection was told to end

    def __init__(self, *args: Any, opened: set["ExchangeConnection"], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.writable = asyncio.Event()  # room for more, or nobody there to wait for
        self.writable.set()
        self._opened = opened
        self._second = 0
        self._messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._opened.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._opened.discard(self)
        super().connection_lost(exc)
        self.writable.set()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.writable.clear()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.writable.set()

    def send_data(self) -> None:
        if self.black_holed:
            self.protocol.data_to_send()  # taken and thrown away
        else:
            super().send_data()

    def process_event(self, event: Event) -> None:
        # Pongs count as messages too, but for those we asked for.
        if isinstance(event, Frame) and bytes(event.data) not in self.pending_pings:
            self._count_message()
        super().process_event(event)

    def _count_message(self) -> None:
        second = int(self.loop.time())
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        if self._messages > self.messages_per_s and self.protocol.state is ConnectionState.OPEN:
            self.protocol.fail(CloseCode.POLICY_VIOLATION, "Too many requests")
            self.send_data()

    def vanish(self) -> None:
        """Neither read nor write from now on, and say nothing about it."""
        self.black_holed = True
        self.writable.set()
        self.transport.pause_reading()

    def finish_without_close_frame(self) -> None:
        """End the TCP connection in order (FIN), the WebSocket connection not at all."""
        self.transport.close()

    def reset(self) -> None:
        """End the TCP connection with RST."""
        sock = self.transport.get_extra_info("socket")
        # struct linger {on, 0 seconds}: closing then resets. Winsock's fields are short.
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


class Session:
    """One client: the path it came by and what it is subscribed to."""

    def __init__(self, connection: ExchangeConnection, target: str, market: MarketName) -> None:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        path = parts.path
        self.connection = connection
        self.target = target
        # The old futures path acknowledges everything and never sends a frame.
        self.deaf = market == "usdm" and not path.startswith("/market/")
        self.combined = path.removeprefix("/market") == "/stream"
        micro = query.get("timeUnit", [""])[0].upper() == "MICROSECOND"
        self.unit_us = 1 if micro and market == "spot" else 1000
        self.muted = False
        self.subscriptions: dict[str, None] = {}
        self.unsent: list[bytes] = []
        named = (
            query.get("streams", [""])[0]
            if self.combined
            else unquote(path.removeprefix("/market").removeprefix("/ws").removeprefix("/"))
        )
        self.asked_for = [stream for stream in named.split("/") if stream]

    @property
    def silent(self) -> bool:
        return self.muted or self.deaf or self.connection.black_holed

    @property
    def healthy(self) -> bool:
        connection = self.connection
        is_open = connection.protocol.state is ConnectionState.OPEN
        return is_open and not connection.black_holed and not connection.transport.is_closing()


def is_stream_path(target: str, market: MarketName) -> bool:
    """Tell whether this market accepts WebSocket connections on the path of `target`."""
    path = urlsplit(target).path
    if market == "usdm":
        path = path.removeprefix("/market")
    return path in {"/stream", "/ws"} or path.startswith("/ws/")


def is_upgrade(request: Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


class Hub:
    """All sessions, by stream; publishing puts frames into them, `flush` sends what is there."""

    def __init__(self, market: MarketName, faults: Faults) -> None:
        self._market = market
        self._faults = faults
        self.sessions: set[Session] = set()
        self._listeners: dict[str, list[Session]] = {}
        self._waiting: set[Session] = set()

    def add(self, session: Session) -> None:
        self.sessions.add(session)
        for stream in session.asked_for:
            self.subscribe(session, stream)

    def remove(self, session: Session) -> None:
        self.sessions.discard(session)
        self._waiting.discard(session)
        for stream in list(session.subscriptions):
            self.unsubscribe(session, stream)

    def subscribe(self, session: Session, stream: str) -> None:
        if stream not in session.subscriptions:
            session.subscriptions[stream] = None
            self._listeners.setdefault(stream, []).append(session)

    def unsubscribe(self, session: Session, stream: str) -> None:
        if stream in session.subscriptions:
            del session.subscriptions[stream]
            self._listeners[stream].remove(session)

    def listeners(self, stream: str) -> list[Session]:
        """Give the sessions subscribed to a stream."""
        return list(self._listeners.get(stream, ()))

    def publish_trade(self, tape: Tape, trade: Trade, printed: bytes | None = None) -> None:
        """Put a trade into its two streams; `printed` is its trade event as it was recorded."""
        if tape.symbol in self._faults.withheld:
            return
        market = self._market
        for kind, stream in tape.streams.items():
            if self._listeners.get(stream):
                self._publish(stream, _payloads(trade, kind, market, printed))

    def publish(self, stream: str, payload: bytes) -> None:
        """Put any event into a stream as it is."""
        self.publish_made(stream, lambda _unit_us: payload)

    def publish_made(self, stream: str, payload_of: Callable[[int], bytes]) -> None:
        """Put an event into a stream, printed for each unit of time that somebody listens in."""
        symbol = stream.partition("@")[0].upper()
        if self._listeners.get(stream) and symbol not in self._faults.withheld:
            self._publish(stream, payload_of)

    def streams(self, suffix: str) -> list[str]:
        """Names of the streams of a kind that somebody listens to."""
        return [name for name, heard in self._listeners.items() if heard and name.endswith(suffix)]

    def _publish(self, stream: str, payload_of: Callable[[int], bytes]) -> None:
        frames: dict[tuple[bool, int], bytes] = {}
        for session in self._listeners[stream]:
            form = (session.combined, session.unit_us)
            if form not in frames:
                payload = payload_of(session.unit_us)
                frames[form] = text_frame(
                    in_envelope(stream, payload) if session.combined else payload
                )
            if not session.silent:
                session.unsent.append(frames[form])
                self._waiting.add(session)

    def flush(self) -> None:
        """Write what was published; a client too far behind is dropped, as Binance does."""
        for session in self._waiting:
            self.write(session, b"".join(session.unsent))
            session.unsent.clear()
        self._waiting.clear()

    def write(self, session: Session, wire: bytes) -> None:
        """Write finished frames to a client that is there to get them."""
        connection = session.connection
        if not session.healthy or session.silent:
            return
        connection.transport.write(wire)
        if connection.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            connection.transport.abort()


def _payloads(
    trade: Trade, kind: Kind, market: MarketName, printed: bytes | None
) -> Callable[[int], bytes]:
    if printed is not None and kind == "trade":
        return lambda unit_us: (
            printed if unit_us == 1000 else trade_payload(trade, kind, market, unit_us)
        )
    return lambda unit_us: trade_payload(trade, kind, market, unit_us)


class ControlError(Exception):
    """A control message refused in the exchange's own form."""

    def __init__(self, code: int, msg: str, request_id: object = None) -> None:
        super().__init__(msg)
        self.answer = {"error": {"code": code, "msg": msg}, "id": request_id}


def answer_control(hub: Hub, session: Session, message: str | bytes) -> str:
    """Do what a client's message says and give the answer."""
    try:
        method, params, request_id = _parse_control(message)
        result = _obey(hub, session, method, params, request_id)
    except ControlError as error:
        return json.dumps(error.answer, separators=(",", ":"))
    return json.dumps({"result": result, "id": request_id}, separators=(",", ":"))


def _parse_control(message: str | bytes) -> tuple[str, list[str], object]:
    try:
        request = json.loads(message)
    except ValueError as error:
        raise ControlError(3, f"Invalid JSON: {error}") from error
    if not isinstance(request, dict):
        raise ControlError(2, "Invalid request: expected an object")
    request_id = request.get("id")
    if not isinstance(request_id, int | str | None) or isinstance(request_id, bool):
        raise ControlError(2, "Invalid request: request ID must be an integer or a string")
    method, params = request.get("method"), request.get("params", [])
    if method is None:
        raise ControlError(2, "Invalid request: missing field `method`", request_id)
    if method not in METHODS:
        known = ", ".join(f"`{name}`" for name in METHODS)
        msg = f"Invalid request: unknown variant `{method}`, expected one of {known}"
        raise ControlError(2, msg, request_id)
    if not isinstance(params, list) or not all(isinstance(param, str) for param in params):
        raise ControlError(2, "Invalid request: params must be a list of strings", request_id)
    return method, params, request_id


def _obey(
    hub: Hub, session: Session, method: str, params: list[str], request_id: object
) -> list[str] | None:
    if method == "LIST_SUBSCRIPTIONS":
        return list(session.subscriptions)
    if any("@" not in stream for stream in params):
        raise ControlError(2, "Invalid request: unknown stream", request_id)
    if method == "UNSUBSCRIBE":
        for stream in params:
            hub.unsubscribe(session, stream)
        return None
    if len(set(session.subscriptions).union(params)) > MAX_STREAMS:
        raise ControlError(2, "Invalid request: too many parameters", request_id)
    for stream in params:
        hub.subscribe(session, stream)
    return None
