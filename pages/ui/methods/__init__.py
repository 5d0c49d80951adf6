"""All entries of the Methods page, by name."""

from typing import Final

from pages.ui.methods.baskets import BASKETS
from pages.ui.methods.entry import Entry
from pages.ui.methods.evidence import TESTS
from pages.ui.methods.factors import FACTORS
from pages.ui.methods.pair import PAIR
from pages.ui.methods.trading import BACKTEST, SCAN

SECTIONS: Final[dict[str, tuple[Entry, ...]]] = {
    "The pair": PAIR,
    "Tests and stability": TESTS,
    "Scanner": SCAN,
    "Factors": FACTORS,
    "Baskets": BASKETS,
    "Backtest": BACKTEST,
}
ENTRIES: Final[dict[str, Entry]] = {
    entry.key: entry for entries in SECTIONS.values() for entry in entries
}


def what(key: str) -> str:
    """Return what a number tells, for its tooltip."""
    return ENTRIES[key].what
