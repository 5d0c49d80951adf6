"""Imports the heavy modules of the first page and of the light ones: no visitor waits for them.

Not the pages themselves and not `streamlit_autorefresh`: those ask for a visitor when imported.
"""

import plotly.graph_objects  # noqa: F401 - imported to be loaded

import pages.charts.coverage_figure
import pages.charts.pair_figure
import pages.ui.body
import pages.ui.feed_body
import pages.ui.file_choice  # noqa: F401 - imported to be loaded, as are those above
