"""The live connection: trades as they come, in order, with their gaps."""

from ingest.feed.feed import Feed, FeedLimits
from ingest.feed.link import Address, OpenConnection, open_socket

__all__ = [
    "Address",
    "Feed",
    "FeedLimits",
    "OpenConnection",
    "open_socket",
]
