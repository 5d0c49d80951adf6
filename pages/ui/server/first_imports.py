"""Imports the heavy modules of the first page and of the light ones: no visitor waits for them.

Not the pages themselves and not `streamlit_autorefresh`: those ask for a visitor when imported.
"""

import plotly.graph_objects  # noqa: F401 - imported to be loaded
