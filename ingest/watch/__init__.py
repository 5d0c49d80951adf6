"""Pairs watched with no browser open: lists, alerts, and what carries them out of the house."""

from ingest.watch.model import (
    Alert,
    Delivery,
    Silence,
    WatchedPair,
    WatchList,
)
from ingest.watch.store import WatchStore, watch_path

__all__ = [
    "Alert",
    "Delivery",
    "Silence",
    "WatchList",
    "WatchStore",
    "WatchedPair",
    "watch_path",
]
