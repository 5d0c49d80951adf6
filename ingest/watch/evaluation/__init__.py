"""From closed bars to rows, states and alerts: one thread, each pair at each of its bars."""

from ingest.watch.evaluation.desk_rules import ChannelFailures
from ingest.watch.evaluation.engine import Engine

__all__ = ["ChannelFailures", "Engine"]
