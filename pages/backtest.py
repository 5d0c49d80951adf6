"""The backtest page: what a rule on this pair would have earned after costs, and how one knows."""

import streamlit as st

from pages.ui import backtest_body, backtest_data, evidence_data, header, notices


def main() -> None:
    """Show the backtest for what the header says; this page does not refresh by itself."""
    desk = header.current()
    desk.show_missing()
    with notices.shown_in_place():
        if desk.view is None:
            desk.show_why_not()
        else:
            window = backtest_data.longest_window(desk.view.params)
            show_backtest(evidence_data.of_desk(desk, window))


@st.fragment
def show_backtest(material: evidence_data.Material) -> None:
    """Show all of it; apart from the header, so that its controls redraw only this."""
    with notices.shown_in_place():
        backtest_body.show(material)


main()
