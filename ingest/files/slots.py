"""What stands in a line between the bytes that all lines share: kinds of values, and their names.

Both sides of the fast path have these, `layout` that finds them and `kernel_lines` that reads them,
of which the second is imported only where it is needed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

U64s = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Whole numbers that are kept: the kind of a slot is the row of the table that its value goes to.
TIME, TRADE_ID, FIRST_ID, RAW_ID, MAKER, SYMBOL, STREAM, MARKER = range(8)
WHOLE_KINDS: Final = 8
# Amounts, likewise, in a table of their own that begins at PRICE.
PRICE, QUANTITY = 8, 9
# A time as text goes to TIME; what is skipped must be well formed all the same.
ISO_TIME, SKIPPED_TEXT, SKIPPED_NUMBER, SKIPPED_BOOL, SKIPPED_DIGITS = range(10, 15)

# Details of a slot: a value outside of quotation marks in JSON, an amount without exponent.
BARE, NO_EXPONENT = 1, 2

WORD_BYTES = 8


class Texts(NamedTuple):
    """Texts as words of eight bytes, little-endian, one text after the other.

    Attributes
    ----------
    words, masks
        The bytes, and which of them belong to the text (the last word may hold less than eight).
    ends
        Of each text, where its words end.
    lengths
        Of each text, in bytes.
    """

    words: U64s
    masks: U64s
    ends: Ints
    lengths: Ints


class Slots(NamedTuple):
    """The values of a line in their order.

    Attributes
    ----------
    kinds, details
        Of each, as above; the detail of an ISO time is its length in bytes.
    stops
        The byte that ends each.
    """

    kinds: Ints
    details: Ints
    stops: Ints


def texts_of(texts: Sequence[bytes]) -> Texts:
    """Lay texts out as `Texts`."""
    padded = [text + bytes(-len(text) % WORD_BYTES) for text in texts]
    masks = [b"\xff" * len(text) + bytes(-len(text) % WORD_BYTES) for text in texts]
    lengths = np.array([len(text) for text in texts], np.int64)
    return Texts(
        np.frombuffer(b"".join(padded), "<u8"),
        np.frombuffer(b"".join(masks), "<u8"),
        np.cumsum(-(-lengths // WORD_BYTES), dtype=np.int64),
        lengths,
    )


def words_of(text: bytes) -> U64s:
    """The eight bytes from each place of a text, as one number each, without copying them.

    After the text come 64 newlines, so that no look ahead leaves it.
    """
    padded = text + b"\n" * 64
    return np.ndarray((len(padded) - WORD_BYTES + 1,), "<u8", buffer=padded, strides=(1,))
