"""The slim head: pair, signal and z in one line, in sight while the page is scrolled."""

from pathlib import Path

import streamlit as st

from analytics.pair import PairAnalytics
from pages.ui.component import component
from pages.ui.parts import formats, markup
from pages.ui.parts.markup import ICONS, TONES, Html
from pages.ui.state.once import once_for_each

_mount = component(
    "pairdesk_slim_head",
    script=(Path(__file__).parent / "slim_head.js").read_text(encoding="utf-8"),
)


def follow_scrolling() -> None:
    """Have the browser show the line while the signal itself is out of sight."""
    with st.container(key="slim_script"):
        _mount(key="slim_head")


@once_for_each
def slim_head(result: PairAnalytics) -> Html:
    """Say pair, signal and z; hidden until the page is scrolled, and from screen readers."""
    now = result.signal_now
    word = markup.text(f"{ICONS[now.signal]} {now.signal}", TONES.get(now.signal))
    score = markup.text(f"z {formats.zscore(now.zscore)}")
    return markup.slim(markup.text(result.params.label), word, score)
