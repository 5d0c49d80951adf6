"""The evidence page: whether the pair's relation is real, on how much data, and how one knows."""

import streamlit as st

from pages.ui.desk import header
from pages.ui.desk.material import Material, of_desk
from pages.ui.evidence import body
from pages.ui.parts import notices


def main() -> None:
    """Show the evidence for what the header says; this page does not refresh by itself."""
    desk = header.current()
    desk.show_missing()
    with notices.shown_in_place():
        if desk.view is None:
            desk.show_why_not()
        else:
            show_evidence(of_desk(desk))


@st.fragment
def show_evidence(material: Material) -> None:
    """Show all of it; apart from the header, so that its buttons redraw only this."""
    with notices.shown_in_place():
        body.show(material)


main()
