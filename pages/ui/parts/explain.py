"""A figure's explanation, opened by its heading."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from pages.ui.parts import markup
from pages.ui.parts.markup import Figure


def explain(items: Sequence[Figure], *, key: str, reruns_on_open: bool = False) -> None:
    """Offer what each figure means, for keyboards and touch too, where nothing can hover.

    With `reruns_on_open`, opening it runs the fragment around it.
    """
    on_change: Literal["rerun", "ignore"] = "rerun" if reruns_on_open else "ignore"
    with st.popover("What the figures mean", key=key, on_change=on_change):
        markup.show(markup.block(markup.explanations(items)))
