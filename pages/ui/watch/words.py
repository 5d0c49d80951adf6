"""What the Watch page says where there is nothing to show, and what its columns mean."""

from typing import Final

from pages.ui.parts.markup import Figure
from pages.ui.parts.notices import Notice
from pages.ui.watch.table import COLUMNS

EXPLAINED: Final = tuple(Figure(label, "", tip=tip) for _, label, tip in COLUMNS)
SAME_AS_LIVE: Final = (
    "Figures and signal of a row are those that Live shows for the same pair and settings at its "
    "latest closed bar of both legs. ! beside a signal: the tests show no return at the level, or "
    "one slower than the window. The z of legs with nothing in common crosses its thresholds as "
    "well, and nothing brings it back. Figures of a basket are those of the Baskets page, its "
    "weights fitted anew at each bar, p and half-life now and then as for pairs."
)
NO_WATCH: Final = Notice(
    "This process has no watch",
    "Its database beside the ticks could not be opened: the line that the app started with says "
    "why.",
)
MOST_NAMED: Final = 40
EMPTY: Final = Notice(
    "No pair is watched here yet",
    "Type pairs below or upload a CSV; Live has Watch over its chart for the pair in sight, the "
    "Scanner for rows of a scan and its ten best.",
    is_fault=False,
)


def nothing_evaluated(why_not: str) -> Notice:
    """Say why no row has figures."""
    remedy = "Start the app without --no-ingest." if "--no-ingest" in why_not else ""
    return Notice(why_not[:1].upper() + why_not[1:], remedy, is_fault=False)


def not_recorded(symbols: list[str]) -> str:
    """Name the legs that nobody records."""
    named = ", ".join(symbols[:MOST_NAMED])
    more = f" and {len(symbols) - MOST_NAMED:,} more" if len(symbols) > MOST_NAMED else ""
    if len(symbols) == 1:
        return f"{named} is not recorded: its rows have no figures until it is."
    return f"{named}{more} are not recorded: their rows have no figures until they are."
