"""What is missing, asked for again: gaps, bars from before, silence, skew."""

from ingest.repair.kline_seed import KlineName, intervals
from ingest.repair.repair import Repair

__all__ = [
    "KlineName",
    "Repair",
    "intervals",
]
