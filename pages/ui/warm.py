"""Imports every heavy module that any page uses, so that no visitor waits for them."""

import plotly.graph_objects  # noqa: F401 - imported to be loaded
import statsmodels.tsa.stattools  # noqa: F401 - imported to be loaded
