"""The script Streamlit runs for every visitor: page settings, style, and which page to show."""

from pathlib import Path

import streamlit as st

from pages.ui.controls import enter_page

PAGES = Path(__file__).resolve().parent

st.set_page_config(page_title="Pairdesk", layout="wide", initial_sidebar_state="auto")
st.html(PAGES / "ui" / "style.css")
# Absolute paths: relative ones are looked up beside app.py, not here.
shown = st.navigation(
    [
        st.Page(PAGES / "live.py", title="Live", default=True),
        st.Page(PAGES / "evidence.py", title="Evidence", url_path="evidence"),
        st.Page(PAGES / "feed.py", title="Feed", url_path="feed"),
    ],
    position="sidebar",
)
enter_page(shown.title)
shown.run()
