"""What is missing, asked for again: gaps, bars from before, silence, skew."""

from ingest.repair.bar_gaps import BarGaps
from ingest.repair.delivery import tell
from ingest.repair.kline_reach import read_reach
from ingest.repair.kline_seed import LENGTHS_US, KlineName, intervals
from ingest.repair.repair import Repair

__all__ = [
    "LENGTHS_US",
    "BarGaps",
    "KlineName",
    "Repair",
    "intervals",
    "read_reach",
    "tell",
]
