"""What can be wrong with a whole file, in words for the one who chose it."""

from ingest.tick import IngestError

WANTED = "needs trades as NDJSON (one JSON object a line), Binance frames, or CSV; .gz or .zip too"


class FileError(IngestError):
    """A file that cannot be read as trades at all: what was wrong, and what to do, in a line."""

    def __init__(self, words: str) -> None:
        # Names of files and headers are words of others: what would break the line is shown.
        super().__init__("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in words))


class SymbolNeededError(FileError):
    """Its rows name no symbol, and neither does the file: the reader has to."""


class FileLimitError(FileError):
    """It holds more text, or takes more computing, than a file may."""
