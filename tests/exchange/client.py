"""What the exchange's own tests talk to it with: the plain websockets client and urllib."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from exchange.server import Exchange

SYMBOLS = ("BTCUSDT", "ETHUSDT")
BOTH = "/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade"
T0_US = 1_723_161_300_000_000  # a full minute


class Reply:
    """One REST answer: status, headers and decoded body."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body: Any = json.loads(body) if body else None


def fetch(url: str, headers: dict[str, str] | None = None) -> Reply:
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return Reply(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


async def get(exchange: Exchange, path: str, **headers: str) -> Reply:
    return await asyncio.to_thread(fetch, exchange.rest_url + path, headers)


@asynccontextmanager
async def client(exchange: Exchange, path: str = BOTH) -> AsyncIterator[ClientConnection]:
    """Connect, and go on when the exchange knows of it."""
    before = len(exchange.connections)
    async with connect(exchange.ws_url + path, compression=None, proxy=None) as websocket:
        await exchange.wait_for_clients(before + 1)
        yield websocket


async def receive(websocket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await websocket.recv())


async def ask(websocket: ClientConnection, **request: Any) -> Any:
    await websocket.send(json.dumps(request))
    return await receive(websocket)


async def close_of(websocket: ClientConnection) -> ConnectionClosed:
    async with asyncio.timeout(10):
        while True:
            try:
                await websocket.recv()
            except ConnectionClosed as closed:
                return closed
