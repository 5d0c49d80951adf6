"""The feed page: whether the recording can be trusted, symbol by symbol, and what to do if not."""

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui.desk import controls, header, pair_data, recording
from pages.ui.feed import body
from pages.ui.parts import notices
from pages.ui.state.source import current_recorder


@st.fragment
def live_feed(refresh: controls.Refresh) -> None:
    """Draw everything that moves; the timer stands inside, so that only this is redrawn."""
    recorder = current_recorder()
    status = None if recorder is None else recorder.status()
    now_us = recording.now_us(recorder)
    body.show_head(status)
    body.show_notices(status)
    with notices.shown_in_place():
        body.show_feed(pair_data.database_path(), recorder, status, now_us)
    if not refresh.is_paused:
        st_autorefresh(refresh.every_s * 1_000, key="refresh")


live_feed(header.current().refresh)
