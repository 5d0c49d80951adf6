"""What the ingest room refuses, each in words fit for a user: one tree."""

from http import HTTPStatus

from ingest.interception import Between, Interception


class IngestError(Exception):
    """Anything the ingest room refuses, in words fit for a user."""


class RestFailedError(IngestError):
    """A REST call brought nothing of use.

    Attributes
    ----------
    status
        HTTP status; None when no answer came.
    code
        The exchange's own error code, where it gave one.
    """

    def __init__(self, message: str, status: int | None = None, code: int | None = None) -> None:
        self.status = status
        self.code = code
        super().__init__(message)


class RestRefusedError(RestFailedError):
    """The exchange will not do what this call asks, however often (HTTP 4xx of other kinds)."""


class RestBlockedError(RestFailedError):
    """The country is blocked (451): nothing is asked any more for `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(message, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)


class HttpError(IngestError):
    """A request that got no answer: no network, a broken connection, no time left.

    `interception` says who answered in the exchange's place, where that is known.
    """

    def __init__(self, message: str, interception: Interception | None = None) -> None:
        self.interception = interception
        super().__init__(message)


class SettingsError(IngestError):
    """An option has a value that cannot be used."""


class FileError(IngestError):
    """A file that cannot be read as trades at all: what was wrong, and what to do, in a line."""

    def __init__(self, words: str) -> None:
        super().__init__(_in_one_line(words))


class WatchFileError(IngestError):
    """A watch file that cannot be taken up: what is wrong, where, and what it may be, in a line."""

    def __init__(self, words: str) -> None:
        super().__init__(_in_one_line(words))


class SymbolNeededError(FileError):
    """Its rows name no symbol, and neither does the file: the reader has to."""


class FileLimitError(FileError):
    """It holds more text, or takes more computing, than a file may."""


class ReplayError(IngestError):
    """A replay cannot be begun, or cannot do what was asked."""


class RecorderError(IngestError):
    """The recorder cannot start, or cannot do what was asked."""


class StoreError(IngestError):
    """The database cannot be used, with the reason in a user's words."""


class LakeError(StoreError):
    """The history folder cannot be read or written: what is wrong, and what to do, in a line."""

    def __init__(self, words: str) -> None:
        super().__init__(_in_one_line(words))


class NewerDatabaseError(StoreError):
    """A later Pairdesk has written the database; `version` is its schema's."""

    def __init__(self, version: int, known: int) -> None:
        self.version = version
        super().__init__(
            f"the database has version {version}, this Pairdesk knows {known}: update Pairdesk"
        )


class LinkLostError(IngestError):
    """A connection could not be made, or ended.

    `wait_s` is what an HTTP refusal asked for; `status` its number, None for anything else;
    `between` who answered in the exchange's place, where that is known.
    """

    def __init__(
        self,
        message: str,
        wait_s: float = 0.0,
        status: int | None = None,
        between: Between | None = None,
    ) -> None:
        self.wait_s, self.status, self.between = wait_s, status, between
        super().__init__(message)


class MalformedMessageError(IngestError):
    """A message that Binance is not known to send.

    Attributes
    ----------
    reason
        What is wrong with it, at most 200 characters.
    excerpt
        Its beginning, at most 200 characters, safe to print and store.
    """

    def __init__(self, reason: str, raw: str | bytes) -> None:
        self.reason = printable(reason)
        self.excerpt = printable(raw)
        super().__init__(f"malformed message: {self.reason}: {self.excerpt!r}")


class SymbolError(IngestError):
    """A text that cannot be a Binance symbol, or too many or too few of them."""


MAX_EXCERPT_CHARS = 200


def _in_one_line(words: str) -> str:
    """Show what would break the line: names of files and keys are words of others."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in words)


def printable(text: str | bytes) -> str:
    """At most 200 characters of `text` that any file, database or terminal takes."""
    head = text[:MAX_EXCERPT_CHARS]
    raw = head if isinstance(head, bytes) else head.encode("utf-8", "backslashreplace")
    shown = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)[:MAX_EXCERPT_CHARS]
