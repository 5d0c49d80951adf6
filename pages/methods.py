"""The methods page: formula, sample, assumptions and reference of every number on the pages."""

import streamlit as st

from pages.ui.methods import SECTIONS
from pages.ui.methods.entry import Entry
from pages.ui.parts import markup


def main() -> None:
    """Show every entry; the links beside the figures end here."""
    markup.show(markup.block(markup.heading("Methods"), css="pd-head"))
    st.caption(
        "How each number is made, on which bars, what it takes for granted, and where it is from. "
        "y is S1, x is S2, s the spread, n the number of bars."
    )
    links = [(entry.key, entry.name) for entries in SECTIONS.values() for entry in entries]
    markup.show(markup.block(markup.contents(links)))
    for section, entries in SECTIONS.items():
        st.header(section)
        for entry in entries:
            show(entry)


def show(entry: Entry) -> None:
    """Show one entry."""
    st.subheader(entry.name, anchor=entry.key)
    markup.show(markup.block(markup.text(entry.what, kind="p")))
    if entry.formula:
        st.latex(entry.formula)
    definitions = [
        ("Sample", entry.sample),
        ("Assumptions", entry.assumptions),
        ("Reference", entry.reference),
        ("Shown on", entry.shown),
    ]
    markup.show(markup.block(markup.definitions(definitions), css="pd-method"))


main()
