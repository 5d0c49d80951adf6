"""The pages of the desk, and which controls play a part on each: only these are shown there."""

from dataclasses import dataclass
from typing import Final, Literal

MethodPart = Literal["whole", "causal"]


@dataclass(frozen=True)
class Page:
    """A page by its title, and what of the shared controls it answers to.

    Attributes
    ----------
    title
        As the navigation has it.
    has_pair
        Source, pair and interval, and the views saved of them.
    has_range
        The range, in the header; Live has it over its chart.
    method
        The whole method, or what a backtest takes of it; None for nothing.
    is_live
        It refreshes while the market moves.
    has_times
        It shows times, in a zone of the reader's choice.
    has_symbols
        The recorded symbols can be changed.
    """

    title: str
    has_pair: bool = False
    has_range: bool = False
    method: MethodPart | None = None
    is_live: bool = False
    has_times: bool = False
    has_symbols: bool = False

    @property
    def path(self) -> str:
        """Its name in the address."""
        return self.title.lower()


LIVE_PAGE: Final = Page(
    "Live", has_pair=True, method="whole", is_live=True, has_times=True, has_symbols=True
)
SUB_PAGES: Final = (
    Page("Watch", is_live=True, has_times=True, has_symbols=True),
    Page("Alerts", has_times=True),
    Page("Evidence", has_pair=True, has_range=True, method="whole", has_times=True),
    Page("Scanner", has_symbols=True),
    Page("Baskets", has_times=True, has_symbols=True),
    Page("Factors", has_symbols=True),
    Page("Backtest", has_pair=True, has_range=True, method="causal", has_times=True),
    Page("Research"),
    Page("Data"),
    Page("Feed", is_live=True, has_times=True, has_symbols=True),
    Page("Methods"),
)
PAGES: Final = {page.title: page for page in (LIVE_PAGE, *SUB_PAGES)}
