"""What a file of the lake says of itself, in its footer's metadata: the truth about it."""

from pathlib import Path
from typing import Final

import msgspec

from ingest.errors import LakeError
from ingest.store.lake.holding import IdSpan, Source

FORM: Final = 1
KEY: Final = b"pairdesk"


class Footer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Facts about one file, written with it.

    Attributes
    ----------
    form
        Version of the form of files.
    rows, first_us, last_us
        How many, and times of the first and the last one by time: opens of bars; µs.
    sources
        Whose rows they are, the first one first; of trades and klines.
    fingerprint
        Of the trades, so that bars can name what they are made of.
    ids
        Of trades: ids without a hole, in order. What lies between two is missing.
    made_of
        Of bars: fingerprints of the trades they are made of, by day.
    lacking
        Of bars: opens (seconds) of those left out, since their volume is beyond BIGINT.
    spans
        Of klines: seconds ``(low, high)``, `high` excluded, that they cover without a hole.
    """

    form: int
    rows: int
    first_us: int
    last_us: int
    sources: tuple[Source, ...] = ()
    fingerprint: str = ""
    ids: tuple[IdSpan, ...] = ()
    made_of: dict[str, str] = {}
    lacking: tuple[int, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def whole_day(self) -> bool:
        """Whether a source said that its rows are all of the day."""
        return any(each.whole_day for each in self.sources)


def encode_footer(footer: Footer) -> bytes:
    """Footer as the JSON that stands under `KEY`."""
    return msgspec.json.encode(footer)


def decode_footer(text: bytes | None, path: Path) -> Footer:
    """Footer of a file; `LakeError` where it is none of ours, or of a later form."""
    if text is None:
        raise LakeError(f"{path} is no file of this history: move it out of the folder")
    try:
        form = msgspec.json.decode(text, type=_Form).form
        if form > FORM:
            raise LakeError(f"{path} has form {form}, this Pairdesk knows {FORM}: update Pairdesk")
        return msgspec.json.decode(text, type=Footer)
    except msgspec.MsgspecError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> LakeError:
    """Say that a file is damaged, and what to do."""
    reason = (str(error) or type(error).__name__).splitlines()[0][:200]
    return LakeError(f"{path} cannot be read ({reason}): move it away, and import its days again")


class _Form(msgspec.Struct):
    form: int
