"""Imports every heavy module that any page uses, so that no visitor waits for them.

Not the pages themselves and not `streamlit_autorefresh`: those ask for a visitor when imported.
"""

import plotly.graph_objects  # noqa: F401 - imported to be loaded

import pages.charts.coverage_figure
import pages.charts.pair_figure
import pages.ui.backtest_body
import pages.ui.body
import pages.ui.evidence_body
import pages.ui.feed_body
import pages.ui.file_choice
import pages.ui.scanner_body  # noqa: F401 - imported to be loaded, as are those above
