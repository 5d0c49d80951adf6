"""The scanner page's body: headline, counts, table or heatmaps, keeping and downloading."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from pages.charts import scanner_heatmap
from pages.ui import (
    files,
    formats,
    markup,
    notices,
    plain,
    scanner_open,
    scanner_store,
    scanner_table,
    scanner_words,
)
from pages.ui.csv_file import csv_bytes
from pages.ui.files import Offer
from pages.ui.live_chart import live_chart
from pages.ui.scanner_store import KeptScan
from pages.ui.scanner_table import MOST_ROWS, Filters
from pages.ui.served_files import MadeFile

PVALUE_STEPS: Final = {"any": 1.0, "10 %": 0.10, "5 %": 0.05, "1 %": 0.01}


def show(scan: KeptScan, moves: Mapping[frozenset[str], int]) -> None:
    """Show a scan.

    Parameters
    ----------
    scan
        What to show.
    moves
        Places each pair went up since the bar before.
    """
    st.html(_head(scan))
    st.html(markup.block(
        markup.text(scanner_words.headline(scan), kind="p"), kind="section", css="pd-verdict"
    ))  # fmt: skip
    st.html(markup.block(markup.text(scanner_words.provenance(scan), "muted"), css="pd-covered"))
    st.html(markup.block(markup.figures(scanner_words.figures(scan))))
    chosen = st.segmented_control(
        "View", ["Table", *HEATMAPS], default="Table", key="scan_view", required=True,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if chosen in HEATMAPS:
        HEATMAPS[str(chosen)](scan)
    else:
        _show_table(scan, moves)
    notes = scanner_words.unusable_notes(scan)
    if notes:
        st.html(markup.block(markup.notes(notes)))
    _show_foot(scan)


def _head(scan: KeptScan) -> str:
    pieces = ["<h1>Scanner</h1>", markup.text(scan.source, "muted")]
    if scan.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    return markup.block(*pieces, css="pd-head")


def _show_table(scan: KeptScan, moves: Mapping[frozenset[str], int]) -> None:
    rows = scanner_table.filtered(scan.table, _choose_filters(scan.table))
    if rows.empty:
        notices.show(notices.Notice(
            f"None of {formats.count(len(scan.table), 'pair')} passes the filters",
            "Loosen one of them.", is_fault=False,
        ))  # fmt: skip
        return
    told = f"{formats.count(len(rows), 'pair')} of {len(scan.table):,}"
    if len(rows) > MOST_ROWS:
        told += f", the best {MOST_ROWS} shown; the CSV has all"
    plain.caption(
        f"{told}. A click on a pair opens it on Live, as Enter does; arrow keys move, a column's "
        "name sorts."
    )
    scanner_table.show_table(
        scanner_table.table_data(rows, moves, scanner_open.link(scan)),
        key=scanner_open.TABLE,
        on_open=partial(scanner_open.pick, scan),
    )
    scanner_open.follow()


def _choose_filters(table: pd.DataFrame) -> Filters:
    symbols = sorted({*table["y"], *table["x"]})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        symbol = st.selectbox("With symbol", ["any", *symbols], key="scan_with", width=150)
        highest = st.selectbox("p at most", list(PVALUE_STEPS), key="scan_p", width=110)
        correlation = st.number_input(
            "Correlation at least", -1.0, 1.0, -1.0, 0.1, key="scan_corr", width=150
        )
        half_life = st.number_input(
            "Half-life at most (bars)", 0, None, 0, 10, key="scan_half", width=170,
            help="0 asks nothing.",
        )  # fmt: skip
        traded = st.number_input(
            "Both traded at least (%)", 0, 100, 0, 5, key="scan_traded", width=170,
            disabled=bool(table["share_traded"].isna().all()),
        )  # fmt: skip
        held = st.toggle("Only those that hold", key="scan_held")
    return Filters(
        None if symbol == "any" else str(symbol),
        PVALUE_STEPS[str(highest)],
        float(correlation),
        float(half_life) if half_life else float("inf"),
        float(traded) / 100,
        bool(held),
    )


def _show_pvalues(scan: KeptScan) -> None:
    names, values = _square(scan.table, ("pvalue_ordered", "pvalue_swapped"))
    st.caption("Engle-Granger p of the row's symbol on the column's, not corrected for the number "
               "of pairs. First part of the sample.")  # fmt: skip
    live_chart(
        scanner_heatmap.pvalue_heatmap(names, values), key="scan_pvalues",
        label="p-values of all pairs", height_px=scanner_heatmap.heatmap_height_px(len(names)),
    )  # fmt: skip


def _show_correlations(scan: KeptScan) -> None:
    names, values = _square(scan.table, ("correlation", "correlation"))
    st.caption("Correlation of log returns. First part of the sample.")
    live_chart(
        scanner_heatmap.correlation_heatmap(names, values), key="scan_correlations",
        label="Correlations of all pairs", height_px=scanner_heatmap.heatmap_height_px(len(names)),
    )  # fmt: skip


HEATMAPS: Final = {"p-values": _show_pvalues, "Correlations": _show_correlations}


def _square(table: pd.DataFrame, columns: tuple[str, str]) -> tuple[list[str], np.ndarray]:
    """Lay a column out as a square: y on x from the first, x on y from the second."""
    names = sorted({*table["y"], *table["x"]})
    place = {name: number for number, name in enumerate(names)}
    rows, others = table["y"].map(place).to_numpy(), table["x"].map(place).to_numpy()
    values = np.full((len(names), len(names)), np.nan)
    values[rows, others] = table[columns[0]].to_numpy(dtype=np.float64)
    values[others, rows] = table[columns[1]].to_numpy(dtype=np.float64)
    return names, values


def _show_foot(scan: KeptScan) -> None:
    """Explain, download, keep."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("What the columns mean", key="scan_explain"):
            st.html(markup.block(markup.explanations(scanner_words.EXPLAINED)))
        files.show([Offer("All pairs (CSV)", "scan-csv", partial(_csv, scan))], key="scan_csv")
        with st.popover("Keep this scan", key="scan_keep"), notices.shown_in_place():
            name = st.text_input("Name", key="scan_name", max_chars=60,
                                 placeholder="majors 1min 24h")  # fmt: skip
            if st.button("Keep", key="scan_save", disabled=not name):
                path = scanner_store.save(scan, name.strip())
                plain.success(f"Kept as {path.name}; choose Saved scan above to see it.")


def _csv(scan: KeptScan, _: str) -> MadeFile:
    return MadeFile(csv_name(scan), "text/csv", scan_csv(scan))


def scan_csv(scan: KeptScan) -> bytes:
    """Write every pair and every column, numbers with every digit."""
    table = scan.table.drop(columns="spread", errors="ignore")
    return csv_bytes(table)


def csv_name(scan: KeptScan) -> str:
    """Name the file by what was scanned."""
    made = "_synthetic" if scan.is_synthetic else ""
    pairs = int(scan.table.attrs["pairs_tried"])
    return f"scan_{scan.settings.interval}_{pairs}pairs{made}.csv"
