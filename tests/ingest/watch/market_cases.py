"""Trades of a made-up market in a database of its own, and an engine that is stepped by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from ingest.recorder import Recorder
from ingest.store import SECOND_US, TickWriter
from ingest.tick import Tick
from ingest.watch import WatchStore, watch_path
from ingest.watch.board import Board
from ingest.watch.evaluation import ChannelFailures, Engine

START_S = 1_790_000_000


def walk(count: int, seed: int, start: float = 100.0) -> list[float]:
    rng = np.random.default_rng(seed)
    path = start * np.exp(np.cumsum(rng.normal(0, 1e-4, count)))
    return [round(float(price), 6) for price in path]


@dataclass
class Market:
    """Writes one trade a second a symbol, or what it is told."""

    path: Path
    writer: TickWriter = field(init=False)
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.writer = TickWriter(self.path)

    def trade(self, symbol: str, second: float, price: float, *, skip: int = 0) -> Tick:
        """Make the next trade of a symbol, after so many ids that never came."""
        self.ids[symbol] = self.ids.get(symbol, 0) + 1 + skip
        return self.trade_with(symbol, self.ids[symbol], second, price)

    def trade_with(self, symbol: str, trade_id: int, second: float, price: float) -> Tick:
        time_us = round((START_S + second) * SECOND_US)
        return Tick("spot", symbol, "aggTrade", trade_id, price, 1.0, time_us, time_us, False)

    def write(self, *trades: Tick) -> None:
        self.writer.write(trades)

    def seconds(self, first: int, **prices: Sequence[float]) -> None:
        """Store a trade a second of each symbol, from a second on."""
        for symbol, path in prices.items():
            self.write(*(self.trade(symbol, first + n, price) for n, price in enumerate(path)))


def idle_recorder(**more: Any) -> Recorder:
    """Stand for a recorder that is well, for what the engine asks of one."""
    status = SimpleNamespace(
        state="live", replay=None, skew_ms=None, per_symbol={},
        disk=SimpleNamespace(free=10**12), **more,
    )  # fmt: skip
    told = SimpleNamespace(status=lambda: status, clock_us=lambda: START_S * SECOND_US, told=status)
    return cast(Recorder, told)


@dataclass
class Stepped:
    """An engine without its thread, over a store of its own."""

    db: Path
    recorder: Recorder = field(default_factory=idle_recorder)
    woken: int = 0
    now_s: float = 1_000.0
    failures: list[ChannelFailures] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = WatchStore(watch_path(self.db))
        self.board = Board()
        self.engine = self.make()

    def make(self) -> Engine:
        return Engine(
            self.store,
            self.board,
            self.db,
            self.recorder,
            recorded=self._wake,
            channels=lambda: self.failures,
            now_us=lambda: START_S * SECOND_US,
            clock=lambda: self.now_s,
        )

    def step(self, after_s: float = 0.1) -> None:
        """Let time pass, and do one pass."""
        self.now_s += after_s
        self.engine.run_once()

    def restart(self) -> None:
        """Go on as a process that was killed and started again does."""
        self.store.close()
        self.__post_init__()

    def _wake(self) -> None:
        self.woken += 1
