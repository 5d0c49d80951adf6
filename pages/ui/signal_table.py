"""When the signal changed, and why."""

from typing import Final

from analytics.pair import PairAnalytics
from pages.ui import formats
from pages.ui.chart_view import count_changes
from pages.ui.markup import Cell, Tone, table

ICONS: Final = {"SELL": "▼", "BUY": "▲", "NEUTRAL": "■"}
TONES: Final[dict[str, Tone]] = {"SELL": "sell", "BUY": "buy"}
ROWS: Final = 15


def latest_changes(result: PairAnalytics) -> str:
    """Set the latest changes of the signal as a table, newest first."""
    latest = result.signal_changes(ROWS)
    columns = (latest[name].tolist() for name in ("time", "signal", "previous", "zscore"))
    rows = [
        (
            formats.moment(time),
            Cell(f"{ICONS[signal]} {signal}", TONES.get(signal)),
            previous,
            formats.zscore(zscore),
        )
        for time, signal, previous, zscore in zip(*columns, strict=True)
    ]
    count = count_changes(result.signal_codes)
    caption = f"Latest signal changes ({len(rows)} of {count:,})"
    return table(caption, ("Bar open", "Signal", "Before", "z-score"), rows)
