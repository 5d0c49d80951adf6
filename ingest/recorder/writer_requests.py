"""What the recorder asks of the writing thread: each request waits in the queue for its turn."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Final

from ingest.binance import MAX_STREAMS, parse_symbols
from ingest.counts import Counts
from ingest.event_queue import Call, EventQueue
from ingest.settings import DEFAULT_SYMBOLS, Settings, say
from ingest.store import PublishedGaps, TickWriter

_LOG: Final = logging.getLogger("pairdesk.recorder")
_LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True)
class WriterRequests:
    """Puts requests to the writer into the queue; what one did is noted."""

    settings: Settings
    queue: EventQueue
    published: PublishedGaps
    counts: Counts
    now_us: Callable[[], int]

    def remember_symbols(self, symbols: Sequence[str]) -> None:
        """Have the symbols remembered for the next start."""
        key, value = _symbols_key(self.settings), ",".join(symbols)
        self.queue.put(Call(lambda writer: writer.remember(key, value)))

    def accept_again(self, symbols: Collection[str] | None = None) -> None:
        """Have refused symbols judged again; None: all."""
        self.queue.put(Call(lambda writer: writer.accept_again(symbols)))

    def reopen_given_up(self, symbols: Sequence[str]) -> None:
        """Have the given-up ids of symbols asked for again."""
        keys = [(self.settings.market, symbol, self.settings.stream) for symbol in symbols]

        def reopen(writer: TickWriter) -> None:
            if ids := self.published.requested.reopen(writer, keys):
                self._note("repair", f"{ids:,} given-up trades are asked for")

        self.queue.put(Call(reopen))

    def give_up_again(self) -> None:
        """Have given up what was reopened and has not come."""

        def give_up(writer: TickWriter) -> None:
            missing = self.published.requested.give_up(writer)
            self._note("repair", f"stopped by the user, {missing:,} trades left")

        self.queue.put(Call(give_up))

    def set_aside_future(self) -> None:
        """Have stored trades dated far in the future moved to the quarantine."""
        self.queue.put(Call(self._set_aside))

    def have_done(self, do: Callable[[TickWriter], object]) -> bool:
        """Have something done in the writing thread, and wait; False where it stops before that."""
        outcome: Future[None] = Future()

        def do_and_say(writer: TickWriter) -> None:
            """Do it and say how it went; what the database refuses just now is tried again."""
            try:
                do(writer)
            except sqlite3.DatabaseError:  # it refuses just now, and will be asked again
                raise
            except Exception as error:
                outcome.set_exception(error)
                raise
            outcome.set_result(None)

        self.queue.put(Call(do_and_say))
        while not wait([outcome], _LOOK_EVERY_S).done:
            if self.queue.is_closed:
                break
        return outcome.done() and outcome.exception() is None

    def _set_aside(self, writer: TickWriter) -> None:
        if moved := writer.set_aside_future(self.now_us()):
            trades = "1 stored trade" if moved == 1 else f"{moved:,} stored trades"
            message = f"{trades} dated far in the future: moved to the quarantine, asked for again"
            self._note("quarantine", message)
            _LOG.info("quarantine: %s", message)
            say(message)

    def _note(self, kind: str, message: str) -> None:
        self.counts.note(self.now_us(), kind, message)


def remembered_symbols(settings: Settings, writer: TickWriter) -> tuple[str, ...]:
    """Return the symbols that the options name, else those of the last run, else the default.

    The default is none where a universe is followed.
    """
    if settings.symbols is not None:
        return settings.symbols
    remembered = writer.setting(_symbols_key(settings))
    if remembered is None:
        return DEFAULT_SYMBOLS if settings.universe is None else ()
    most = MAX_STREAMS[settings.market]  # more than an option may name: added one by one
    return parse_symbols(remembered, most) if remembered else ()


def _symbols_key(settings: Settings) -> str:
    return f"symbols {settings.market} {settings.stream}"
