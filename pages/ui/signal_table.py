"""When the signal changed, and why."""

from typing import Final

from analytics.pair import PairAnalytics
from analytics.signals import signal_changes
from pages.ui import formats
from pages.ui.chart_view import changes
from pages.ui.markup import Cell, Tone, table

ICONS: Final = {"SELL": "▼", "BUY": "▲", "NEUTRAL": "■"}
TONES: Final[dict[str, Tone]] = {"SELL": "sell", "BUY": "buy"}
ROWS: Final = 15


def latest_changes(result: PairAnalytics) -> str:
    """Set the latest changes of the signal as a table, newest first."""
    params = result.params
    latest = signal_changes(
        result.zscore, params.sell_above, params.buy_below, limit=ROWS, gate=result.gate
    )
    columns = (latest[name].tolist() for name in ("time", "signal", "previous", "zscore"))
    rows = [
        (
            formats.utc(time),
            Cell(f"{ICONS[signal]} {signal}", TONES.get(signal)),
            previous,
            formats.zscore(zscore),
        )
        for time, signal, previous, zscore in zip(*columns, strict=True)
    ]
    count = int(changes(result.signal).sum())
    caption = f"Latest signal changes ({len(rows)} of {count:,})"
    return table(caption, ("Bar open", "Signal", "Before", "z-score"), rows)
