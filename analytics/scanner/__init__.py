"""Many pairs at once: which belong together, with what certainty."""

from analytics.scanner.held_draws import null_stats as held_out_null_stats
from analytics.scanner.multiple_testing import benjamini_hochberg
from analytics.scanner.panel import ScanOn, coarser_closes, even_closes, make_panel
from analytics.scanner.scan import scan_pairs, spread_paths
from analytics.scanner.verdict import VERDICTS

__all__ = [
    "VERDICTS",
    "ScanOn",
    "benjamini_hochberg",
    "coarser_closes",
    "even_closes",
    "held_out_null_stats",
    "make_panel",
    "scan_pairs",
    "spread_paths",
]
