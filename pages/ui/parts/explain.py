"""A figure's explanation, opened by its heading."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from pages.ui.parts import markup
from pages.ui.parts.markup import Figure


def explain(items: Sequence[Figure], *, key: str, is_told_anew: bool = False) -> None:
    """Offer what each figure means, for keyboards and touch too, where nothing can hover.

    Where it `is_told_anew`, opening it runs the fragment around it.
    """
    on_change: Literal["rerun", "ignore"] = "rerun" if is_told_anew else "ignore"
    with st.popover("What the figures mean", key=key, on_change=on_change):
        markup.show(markup.block(markup.explanations(items)))
