"""Which exchange a lake's history is of: noted by the first writer who knows, kept by all others.

Ids and prices of a testnet are not those of the exchange, and files say nothing of where their rows
came from. Only exchanges known by name are told apart: a gateway on another host may pass on any.
"""

from pathlib import Path
from typing import Final

from ingest.errors import LakeError
from ingest.store.lake.whole_files import in_words, write_whole
from ingest.tick import Market
from ingest.venue import KNOWN

_NAME: Final = ".venue"


def claimed_by(root: Path, market: Market) -> str:
    """Name the exchange whose history of a market is held; empty where nobody has said.

    Raises
    ------
    LakeError
        It cannot be read.
    """
    path = root / market / _NAME
    with in_words(path):
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""


def check_claim(root: Path, market: Market, venue: str) -> None:
    """Refuse a history of another exchange.

    Raises
    ------
    LakeError
        One line: whose history it is, and what to do.
    """
    held = claimed_by(root, market)
    if venue in KNOWN and held and held != venue:
        raise LakeError(
            f"{root} holds {market} history of {held}, and this is of {venue}: it is left as it is."
            " Name another folder with --history"
        )


def claim(root: Path, market: Market, venue: str) -> None:
    """Note whose history it is, where that is known and was not yet; by the one who writes.

    Raises
    ------
    LakeError
        As `check_claim`, or the folder cannot be written to.
    """
    check_claim(root, market, venue)
    if venue in KNOWN and not claimed_by(root, market):
        write_whole(root / market / _NAME, lambda file: file.write(venue.encode()))
