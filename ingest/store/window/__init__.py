"""Bars kept in memory, shared by all sessions: a refresh reads what is new or was repaired."""

from ingest.store.window.bar_view import BarView, add_kline_spans, add_sources
from ingest.store.window.bar_window import BarWindow
from ingest.store.window.many_windows import look_together
from ingest.store.window.shared_windows import BarWindows, shared_windows

__all__ = [
    "BarView",
    "BarWindow",
    "BarWindows",
    "add_kline_spans",
    "add_sources",
    "look_together",
    "shared_windows",
]
