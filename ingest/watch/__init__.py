"""Pairs watched with no browser open: lists, alerts, and what carries them out of the house."""

from ingest.watch.board import Board, WatchRow
from ingest.watch.current import current_watch, install_watch
from ingest.watch.model import (
    Alert,
    Delivery,
    Silence,
    WatchedPair,
    WatchList,
)
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore, watch_path
from ingest.watch.watch import Watch

__all__ = [
    "Alert",
    "Board",
    "Delivery",
    "Silence",
    "Watch",
    "WatchList",
    "WatchRow",
    "WatchStatus",
    "WatchStore",
    "WatchedPair",
    "current_watch",
    "install_watch",
    "watch_path",
]
