"""Deleting days of a series, after the reader has said twice that this is meant."""

from datetime import date
from pathlib import Path

import streamlit as st

from ingest.errors import IngestError
from ingest.store.lake import Lake
from ingest.tick import Market
from pages.ui.data import words
from pages.ui.data.days import days_of
from pages.ui.data.held import HeldSeries
from pages.ui.parts import formats, plain


def show(root: Path, series: HeldSeries) -> None:
    """Show the form in a box that is closed at first."""
    days = sorted(days_of(series.holdings))
    if not days:
        return
    box = st.expander("Delete days of this series")
    with box:
        plain.caption(words.DELETE)
        with st.form("delete_history", border=False):
            span = st.date_input(
                "Days to delete (UTC)", (days[0], days[0]), min_value=days[0], max_value=days[-1],
                key=f"delete_days_{series.market}_{series.kind}_{series.symbol}",
            )  # fmt: skip
            is_sure = st.checkbox("I want these days deleted", key="delete_is_sure")
            is_asked = st.form_submit_button("Delete")
    if is_asked:
        _delete(root, series, span, is_sure=is_sure)


def _delete(root: Path, series: HeldSeries, span: object, *, is_sure: bool) -> None:
    match span:
        case (date() as first, date() as last):
            pass
        case _:
            plain.warning("Choose the first and the last day.")
            return
    if not is_sure:
        plain.warning("Nothing was deleted: tick the box as well.")
        return
    market: Market = "usdm" if series.market == "usdm" else "spot"
    try:
        freed = Lake(root).delete(market, series.kind, series.symbol, first, last)
    except IngestError as error:
        plain.error(f"{error}.")
        return
    st.toast(plain.text(f"{series.label}: {formats.data_size(freed)} are free again."))
    st.rerun()
