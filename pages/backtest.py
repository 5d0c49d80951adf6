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
            window = data.longest_window(desk.view.params)
            show_backtest(of_desk(desk, window))


@st.fragment
def show_backtest(material: Material) -> None:
    """Show all of it; apart from the header, so that its controls redraw only this."""
    with notices.shown_in_place():
        body.show(material)


main()
