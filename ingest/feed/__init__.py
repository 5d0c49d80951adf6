"""The live connections: trades and bars as they come, in order, with their gaps."""

from ingest.feed.feed import BarFeed, Feed, FeedLimits, FeedState
from ingest.feed.group import FeedGroup
from ingest.feed.link import Address, OpenConnection, Sink, open_socket

__all__ = [
    "Address",
    "BarFeed",
    "Feed",
    "FeedGroup",
    "FeedLimits",
    "FeedState",
    "OpenConnection",
    "Sink",
    "open_socket",
]
