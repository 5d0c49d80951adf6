"""Many pairs at once: which belong together, with what certainty."""

from analytics.scanner.panel import ScanOn, coarser_closes
from analytics.scanner.scan import scan_pairs, spread_paths
from analytics.scanner.verdict import VERDICTS

__all__ = [
    "VERDICTS",
    "ScanOn",
    "coarser_closes",
    "scan_pairs",
    "spread_paths",
]
