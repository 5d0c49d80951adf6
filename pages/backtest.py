"""The backtest page: what a rule on this pair would have earned after costs, and how one knows."""

import streamlit as st

from pages.ui.backtest import body, data
from pages.ui.desk import header
from pages.ui.desk.material import Material, of_desk
from pages.ui.parts import notices


def main() -> None:
    """Show the backtest for what the header says; this page does not refresh by itself."""
    desk = header.current()
    desk.show_missing()
    with notices.shown_in_place():
        if desk.view is None:
            desk.show_why_not()
        else:
            window = data.bars_to_read(desk.view.params)
            show_backtest(of_desk(desk, window), is_fitted=data.is_fitted())


@st.fragment
def show_backtest(material: Material, *, is_fitted: bool) -> None:
    """Show all of it; apart from the header, so that its controls redraw only this.

    `is_fitted`: whether the bars reach as far back as a rule that fits its entries asks for.
    """
    if data.is_fitted() and not is_fitted:
        st.rerun()
    with notices.shown_in_place():
        body.show(material)


main()
