"""What came of reading a file, for the one who chose it."""

from dataclasses import dataclass

from ingest.files.columns import BadRow

_SHOWN_SYMBOLS = 20


@dataclass(frozen=True)
class ReadReport:
    """What was read from a file, what was left out, and why.

    Attributes
    ----------
    rows_read, kept
        Rows seen (blank lines and the header are none), and ticks in the frame.
    dropped
        Rows left out, by reason; ``rows_read == kept + sum(dropped.values())``.
    first_bad
        The first rows that could not be read (at most 20): line number, reason, excerpt.
    symbols
        Ticks kept, by symbol.
    time_assumption
        How times were understood where the file leaves it open.
    bytes
        Bytes of text, after unpacking.
    notes
        Anything else a user should know, a sentence each.
    """

    name: str
    format: str
    rows_read: int
    kept: int
    dropped: dict[str, int]
    first_bad: tuple[BadRow, ...]
    symbols: dict[str, int]
    time_assumption: str
    duration_s: float
    bytes: int
    notes: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """The same in plain words, a sentence each."""
        counts = _counts(self.symbols)
        place = "Row" if self.format == "JSON array" else "Line"
        lines = [
            f"{self.name} ({self.format}): {self.kept:,} of {self.rows_read:,} rows kept: {counts}."
        ]
        lines += [f"{count:,} left out: {reason}." for reason, count in self.dropped.items()]
        lines += [
            f"{place} {bad.line_number:,}: {bad.reason}: {bad.excerpt}" for bad in self.first_bad
        ]
        lines += [_sentence(note) for note in (self.time_assumption, *self.notes) if note]
        return lines


def _counts(symbols: dict[str, int]) -> str:
    """Ticks by symbol in words: the most traded of many, and how many more there are."""
    shown = symbols.items()
    if len(symbols) > _SHOWN_SYMBOLS:
        shown = sorted(shown, key=lambda item: -item[1])[:_SHOWN_SYMBOLS]  # type: ignore[assignment]
    counts = ", ".join(f"{count:,} {symbol}" for symbol, count in shown)
    more = len(symbols) - _SHOWN_SYMBOLS
    return f"{counts} and {more:,} symbols more" if more > 0 else counts


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."
