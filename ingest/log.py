"""The log of what the program does, for whoever runs it: to standard error, with UTC times.

Each wing writes to a logger of its own below ``pairdesk``; libraries' loggers are left alone. What
the reader must act on stands on the pages besides.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Final, Literal

LogLevel = Literal["debug", "info", "warning", "error"]

# Of one kind of message; what is beyond it in a period is counted.
MOST_ALIKE: Final = 20
PERIOD_S: Final = 60.0

_ROOT: Final = "pairdesk"
_SENTENCE: Final = "%s"  # a message whose words are all in its one argument
_SENTENCE_CHARS: Final = 40  # of those words that name a kind
_MOST_KINDS: Final = 200
_FIGURES: Final = re.compile(r"\d+")
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def start_logging(level: LogLevel) -> None:
    """Write what is of this level or above to standard error; a second call changes the level."""
    logger = logging.getLogger(_ROOT)
    logger.setLevel(level.upper())
    logger.propagate = False
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(UtcFormatter())
        handler.addFilter(FloodFilter())
        logger.addHandler(handler)


class UtcFormatter(logging.Formatter):
    """Times in UTC to the millisecond, and one line a message whatever an exchange sends."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        self.converter = time.gmtime
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Write control characters as escapes; a traceback keeps its lines."""
        return super().formatMessage(record).translate(_CONTROLS)


class FloodFilter(logging.Filter):
    """Lets `most` messages of one kind through in a period, and says then how many it held back.

    A kind is a logger with a message's text before its figures are put in; of a whole sentence its
    beginning, figures apart. Where too many kinds are open at once, all further sentences are one.

    Parameters
    ----------
    most, period_s
        How many in how many seconds.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        most: int = MOST_ALIKE,
        period_s: float = PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._most, self._period_s, self._clock = most, period_s, clock
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}  # begun, seen since
        self._forgotten = 0  # messages held back, of kinds that are forgotten

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; from any thread."""
        with self._lock:
            return self._is_written(record)

    def _is_written(self, record: logging.LogRecord) -> bool:
        now_s = self._clock()
        kind = self._kind(record, now_s)
        begun_s, seen = self._kinds.get(kind, (now_s, 0))
        if now_s - begun_s >= self._period_s:
            if seen > self._most:
                record.msg = f"{record.msg} (and {seen - self._most:,} like it not written before)"
            begun_s, seen = now_s, 0
        self._kinds[kind] = (begun_s, seen + 1)
        is_written = seen < self._most
        if is_written and self._forgotten:
            others, self._forgotten = self._forgotten, 0
            record.msg = f"{record.msg} (and {others:,} of other kinds not written before)"
        return is_written

    def _kind(self, record: logging.LogRecord, now_s: float) -> tuple[str, str]:
        kind = record.name, str(record.msg)
        if record.msg != _SENTENCE:
            return kind
        sentence = record.name, _FIGURES.sub("#", record.getMessage()[:_SENTENCE_CHARS])
        if len(self._kinds) >= _MOST_KINDS:
            self._forget_ended(now_s)
        return sentence if sentence in self._kinds or len(self._kinds) < _MOST_KINDS else kind

    def _forget_ended(self, now_s: float) -> None:
        """Drop the kinds whose period is over; the next message says what they held back."""
        ended = [
            kind for kind, (begun_s, _) in self._kinds.items() if now_s - begun_s >= self._period_s
        ]
        for kind in ended:
            _, seen = self._kinds.pop(kind)
            self._forgotten += max(0, seen - self._most)
