"""What a person can ask of a recording: symbols, pause, repair, earlier bars, a copy."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ingest.binance import valid_symbol
from ingest.counts import Counts
from ingest.errors import RecorderError
from ingest.event_queue import Cause, EventQueue
from ingest.recorder.followed_universe import FollowedUniverse
from ingest.recorder.listing import (
    LOOK_UP_WITHIN_S,
    Standing,
    refuse_too_many,
    refuse_unlisted,
)
from ingest.recorder.maintenance import Maintenance
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.refusals import Refusals
from ingest.recorder.trade_source import TradeSource
from ingest.recorder.writer_requests import WriterRequests
from ingest.recorder.writing import WritingLoop
from ingest.repair import KlineName, intervals
from ingest.settings import Settings
from ingest.store import back_up

_LOG: Final = logging.getLogger("pairdesk.recorder")


class RecorderRequests:
    """The part of a `Recorder` that is called from outside; the parts it asks are made there."""

    settings: Settings
    _symbols: tuple[str, ...]
    _universe: FollowedUniverse | None
    _receiving: TradeSource
    _writing: WritingLoop
    _maintenance: Maintenance
    _refusals: Refusals
    _ask: WriterRequests
    _queue: EventQueue
    _counts: Counts
    _now_us: Callable[[], int]
    _paused: bool

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols being recorded."""
        return self._symbols

    @property
    def bar_symbols(self) -> tuple[str, ...]:
        """Symbols of which bars alone are recorded, as they close."""
        return () if self._universe is None else self._universe.bar_symbols

    @property
    def universe_symbols(self) -> tuple[str, ...]:
        """Symbols that are followed by rules, by their volume of 24 h at the last look."""
        return () if self._universe is None else self._universe.state.symbols

    @property
    def follows(self) -> str:
        """What is followed by rules, in words: ``bars of all USDT symbols``; nothing without."""
        if self._universe is None:
            return ""
        rules = self._universe.state.rules
        return f"{rules.depth} of {rules.words}"

    @property
    def bar_length_s(self) -> int:
        """Length of these bars."""
        is_second = self._universe is not None and self._universe.state.rules.bars == "1s"
        return 1 if is_second else 60

    def add_symbol(self, text: str) -> str:
        """Record one more symbol, now and at the next start; returns its name.

        Raises
        ------
        SymbolError
            The text is no symbol.
        RecorderError
            One connection cannot carry more, or the exchange does not list the symbol. Where it
            cannot be asked within `LOOK_UP_WITHIN_S` the symbol is taken: see `standing`.
        """
        symbol = valid_symbol(text)
        if symbol in self._symbols:
            return symbol
        refuse_too_many(self._symbols, self.settings)
        if isinstance(self._receiving, ReceivingLoop):
            standing = self._receiving.look_up(symbol, LOOK_UP_WITHIN_S)
            refuse_unlisted(symbol, standing, self.settings)
        self._set_symbols((*self._symbols, symbol))
        return symbol

    def standing(self, symbol: str) -> Standing:
        """Whether the exchange trades a symbol, as far as it is known; never waits."""
        receiving = self._receiving
        return receiving.standing(symbol) if isinstance(receiving, ReceivingLoop) else "not known"

    def listed(self) -> tuple[str, ...]:
        """Symbols that the exchange trades; none while its list could not be had."""
        receiving = self._receiving
        return receiving.listed() if isinstance(receiving, ReceivingLoop) else ()

    def remove_symbol(self, symbol: str) -> None:
        """Stop recording a symbol; what is stored stays."""
        self._set_symbols(tuple(each for each in self._symbols if each != symbol))

    def pause(self) -> None:
        """Stop receiving until `resume`; what is missed then is fetched afterwards."""
        self._paused = True
        self._queue.put(Cause("paused by the user"))
        self._counts.note(self._now_us(), "paused", "by the user")
        _LOG.info("paused by the user")
        self._receive("paused by the user")

    def resume(self) -> None:
        """Receive again, also after the exchange blocked us, or its ids started over."""
        self._paused = False
        self._ask.accept_again()
        self._counts.note(self._now_us(), "resumed", "by the user")
        _LOG.info("resumed by the user")
        self._receive()

    def repair_now(self) -> None:
        """Ask for every missing id at once, the given-up ones too, whatever the limits.

        They are fetched as far back as the exchange has them; what it has not stays marked.
        """
        self._ask.reopen_given_up(self._symbols)
        self._receiving.repair_now()

    def stop_repair(self) -> None:
        """Give up again what `repair_now` asked for and has not come yet; the rest goes on."""
        self._ask.give_up_again()

    def fetch_klines(self, symbols: Sequence[str], kline: KlineName, span_s: int) -> None:
        """Fetch the exchange's own bars of a length as far back as `span_s` seconds before now.

        They stand before the first stored trade: where bars or trades reach so far already, nothing
        happens, nor when it is asked twice. Returns at once; how far it is stands in
        `RecorderStatus.warm_start`.

        Raises
        ------
        RecorderError
            A symbol is not recorded, or the market has no bars of that length.
        """
        if kline not in intervals(self.settings.market):
            raise RecorderError(f"{self.settings.market} has no {kline} bars")
        in_bars = [each for each in symbols if each in self.bar_symbols]
        in_trades = [each for each in symbols if each in self._symbols]
        if unknown := set(symbols) - {*in_bars, *in_trades}:
            raise RecorderError(f"{min(unknown)} is not recorded: add it first")
        if self._universe is not None:
            self._universe.fetch_klines(in_bars, kline, span_s * 1_000_000)
        if isinstance(self._receiving, ReceivingLoop):
            self._receiving.fetch_klines(in_trades, kline, span_s * 1_000_000)

    def backup(self, path: Path) -> Path:
        """Write a compact copy of the database while recording goes on.

        Raises
        ------
        StoreError
            The target exists or cannot be written; nothing is left there.
        """
        return back_up(self.settings.db, path)

    def clock_us(self) -> int:
        """Now, as the trades have it: ages are measured from here. µs since the epoch."""
        return self._now_us()

    def _receive(self, reason: str = "no symbols to record") -> None:
        idle = self._paused or self._maintenance.low or self._refusals.other_venue is not None
        self._receiving.set_symbols(() if idle else self._accepted(), reason)
        if self._universe is not None:
            self._universe.receive(self._symbols, reason if idle else None)

    def _accepted(self) -> tuple[str, ...]:
        """Symbols whose trades are of this recording."""
        refused = {symbol for _, symbol, _ in self._writing.restarted}
        return tuple(symbol for symbol in self._symbols if symbol not in refused)

    def _follow(self, joined: tuple[str, ...], left: tuple[str, ...]) -> None:
        """Record trades of those that joined a universe, no more of those that left."""
        self._set_symbols((*(each for each in self._symbols if each not in left), *joined))

    def _set_symbols(self, symbols: tuple[str, ...]) -> None:
        removed = set(self._symbols) - set(symbols)  # added again, they are judged again
        if removed:
            self._ask.accept_again(removed)
        self._symbols = tuple(dict.fromkeys(symbols))
        self._remember_symbols()
        self._receive()

    def _remember_symbols(self) -> None:
        self._ask.remember_symbols(self._symbols)
