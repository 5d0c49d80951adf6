"""A Binance that sends trades as fast as it is told, in a process of its own: frames by the block.

    python tests/exchange/blaster.py --rate 40000 --seconds 60

Prints its port. Sends to the one client that comes, with the time of day in each trade, then
prints how many; lives until its standard input ends. Every REST call is answered with nothing.
"""

import argparse
import base64
import hashlib
import itertools
import re
import socket
import struct
import sys
import threading
import time
from contextlib import suppress

import numpy as np

SYMBOLS = ("BTCUSDT", "ETHUSDT")
STEP_S = 0.005
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PAYLOAD = (
    b'{"stream":"%b@aggTrade","data":{"e":"aggTrade","E":EEEEEEEEEEEEE,"s":"%b","a":AAAAAAAAAA,'
    b'"p":"6PPPP.PP000000","q":"0.QQQQ0000","f":AAAAAAAAAA,"l":AAAAAAAAAA,"T":EEEEEEEEEEEEE,'
    b'"m":%b,"M":true}}'
)
_FIRST_ID = 1_000_000_000
_UPGRADE = b"\r\nupgrade: websocket\r\n"


class Template:
    """A symbol's frame, whose digits are written for many trades at once."""

    def __init__(self, symbol: str, *, maker: bool, first_id: int = _FIRST_ID) -> None:
        name = symbol.encode()
        payload = _PAYLOAD % (name.lower(), name, b"true" if maker else b"false")
        self._frame = np.frombuffer(b"\x81\x7e" + struct.pack(">H", len(payload)) + payload, "u1")
        text = self._frame.tobytes()
        self._places = {
            letter: [list(range(*match.span())) for match in re.finditer(pattern, text)]
            for letter, pattern in (
                ("time", rb"E{13}"), ("id", rb"A{10}"),
                ("price", rb"P{4}"), ("cents", rb"P{2}(?=0{6})"), ("size", rb"Q{4}"),
            )
        }  # fmt: skip
        self._next_id = first_id

    def frames(self, count: int, time_ms: int) -> bytes:
        """Give the next `count` trades, all of one time."""
        rows = np.repeat(self._frame[None], count, axis=0)
        ids = np.arange(self._next_id, self._next_id + count)
        self._next_id += count
        self._write(rows, "time", np.full(count, time_ms))
        self._write(rows, "id", ids)
        self._write(rows, "price", 1000 + ids * 7919 % 50)
        self._write(rows, "cents", ids * 31 % 100)
        self._write(rows, "size", 1 + ids * 17 % 9999)
        return rows.tobytes()

    def _write(self, rows: np.ndarray, letter: str, values: np.ndarray) -> None:
        for places in self._places[letter]:
            powers = 10 ** np.arange(len(places) - 1, -1, -1)
            rows[:, places] = (values[:, None] // powers % 10 + ord("0")).astype("u1")


def first_id(place: int) -> int:
    """Id of the first trade of a symbol, by its place among them: each has others."""
    return _FIRST_ID + 7 * place * place


def blast(client: socket.socket, lock: threading.Lock, options: argparse.Namespace) -> int:
    """Send at a rate, symbol by symbol in blocks of five milliseconds; how many were sent."""
    templates = [
        # Other ids, other prices.
        Template(symbol, maker=place == 0, first_id=first_id(place))
        for place, symbol in enumerate(options.symbols.split(","))
    ]
    begun_s, sent = time.monotonic(), 0
    while (passed_s := time.monotonic() - begun_s) < options.seconds:
        due = (int(options.rate * passed_s) - sent) // len(templates)
        if due > 0:
            now_ms = time.time_ns() // 1_000_000
            block = b"".join(each.frames(due, now_ms) for each in templates)
            with lock:
                client.sendall(block)
            sent += due * len(templates)
        time.sleep(STEP_S)
    return sent


def answer_pings(client: socket.socket, lock: threading.Lock) -> None:
    """Read what the client sends, answer pings, and end with its close frame."""
    with suppress(OSError):  # a client that goes without one
        _answer_pings(client, lock)


def _answer_pings(client: socket.socket, lock: threading.Lock) -> None:
    stream = client.makefile("rb")
    while len(head := stream.read(2)) == 2:
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", stream.read(2))
        mask = stream.read(4)
        data = bytes(
            a ^ b for a, b in zip(stream.read(length), itertools.cycle(mask), strict=False)
        )
        opcode = head[0] & 0x0F
        if opcode in {8, 9}:
            with lock:
                client.sendall(bytes([0x88 if opcode == 8 else 0x8A, len(data)]) + data)
        if opcode == 8:
            client.shutdown(socket.SHUT_WR)


def serve(client: socket.socket, options: argparse.Namespace) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        part = client.recv(65_536)
        if not part:
            return
        request += part
    if _UPGRADE not in request.lower():
        client.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: 2\r\n\r\n[]"
        )
        client.close()
        return
    match = re.search(rb"sec-websocket-key: *(\S+)", request, re.IGNORECASE)
    assert match is not None, "an upgrade has a key"
    accept = base64.b64encode(hashlib.sha1(match[1] + _GUID).digest())
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )
    lock = threading.Lock()
    threading.Thread(target=answer_pings, args=(client, lock), daemon=True).start()
    time.sleep(options.wait)
    with suppress(OSError):  # a client that has seen enough goes
        print("sent", blast(client, lock, options), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=40_000, help="trades a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--symbols", default=",".join(SYMBOLS), help="separated by commas")
    parser.add_argument("--wait", type=float, default=0.5, help="seconds before the first trade")
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, options), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
