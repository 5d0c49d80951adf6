"""The script Streamlit runs for every visitor: page settings, style, header, and which page."""

from pathlib import Path

import streamlit as st

from ingest.version import VERSION
from pages.ui.server import loading

loading.wait()  # before what follows, which imports the same

from pages.ui.chart import live_chart  # noqa: E402 - see above
from pages.ui.desk import header  # noqa: E402 - see above
from pages.ui.parts import markup  # noqa: E402 - see above
from pages.ui.server import sign_in, warming  # noqa: E402 - see above
from pages.ui.server.compiling import PREPARATION  # noqa: E402 - see above
from pages.ui.state import address, page_parts  # noqa: E402 - see above

PAGES = Path(__file__).resolve().parent

st.set_page_config(page_title="Pairdesk", layout="wide", initial_sidebar_state="auto")
st.html(PAGES / "ui" / "style.css")
sign_in.require()
# Absolute paths: relative ones are looked up beside app.py, not here.
shown = st.navigation(
    [
        st.Page(PAGES / "live.py", title=page_parts.LIVE_PAGE.title, default=True),
        *(
            st.Page(PAGES / f"{page.path}.py", title=page.title, url_path=page.path)
            for page in page_parts.SUB_PAGES
        ),
    ],
    position="top",
)
if shown.title != "Methods":
    live_chart.load_early()
# Drawn here, so that the controls are the same ones on every page and keep what was chosen.
header.show(page_parts.PAGES[shown.title])
warming.wait_for_page(shown.title, header.current())
shown.run()
header.keep()
markup.show(markup.block(markup.text(f"Pairdesk {VERSION}", "muted")))
address.complete()
PREPARATION.page_drawn()
