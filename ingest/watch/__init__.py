"""Pairs watched with no browser open: lists, alerts, and what carries them out of the house."""

from ingest.watch.board import Board, WatchRow
from ingest.watch.channel import ChannelStanding
from ingest.watch.current import current_watch, install_watch
from ingest.watch.market_scan import MarketScanStatus
from ingest.watch.model import (
    Alert,
    Delivery,
    Silence,
    Watched,
    WatchedBasket,
    WatchedPair,
    WatchList,
)
from ingest.watch.pair_link import (
    BASKET_GATES,
    BASKET_METHODS,
    basket_choices,
    is_of_basket,
    link_of,
)
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore, watch_path
from ingest.watch.watch import Watch
from ingest.watch.watch_file import parse_watch, read_watch_file, take_up, write_watch

__all__ = [
    "BASKET_GATES",
    "BASKET_METHODS",
    "Alert",
    "Board",
    "ChannelStanding",
    "Delivery",
    "MarketScanStatus",
    "Silence",
    "Watch",
    "WatchList",
    "WatchRow",
    "WatchStatus",
    "WatchStore",
    "Watched",
    "WatchedBasket",
    "WatchedPair",
    "basket_choices",
    "current_watch",
    "install_watch",
    "is_of_basket",
    "link_of",
    "parse_watch",
    "read_watch_file",
    "take_up",
    "watch_path",
    "write_watch",
]
