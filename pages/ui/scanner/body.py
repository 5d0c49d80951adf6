"""The scanner page's body: headline, counts, table or heatmaps, keeping and downloading."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from pages.charts import scanner_heatmap
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import file_choice, pair_data
from pages.ui.desk.fees import fill_bps
from pages.ui.parts import files, formats, markup, notices, plain
from pages.ui.parts.csv_file import csv_bytes
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Html
from pages.ui.scanner import store, watch, words
from pages.ui.scanner import table as scanner_table
from pages.ui.scanner.payment import with_payment
from pages.ui.scanner.store import ScanResult
from pages.ui.scanner.table import MOST_ROWS, Filters
from pages.ui.state import choices
from pages.ui.state.choices import FILE, LIVE, SAMPLE, Value
from pages.ui.state.served_files import MadeFile

PVALUE_STEPS: Final = {"any": 1.0, "10 %": 0.10, "5 %": 0.05, "1 %": 0.01}


def show(scan: ScanResult, moves: Mapping[frozenset[str], int], *, is_live: bool = False) -> None:
    """Show a scan.

    Parameters
    ----------
    scan
        What to show.
    moves
        Places each pair went up since the bar before.
    is_live
        It is of the recording, and made again at every closed bar.
    """
    markup.show(_head(scan))
    markup.show(markup.block(
        markup.text(words.headline(scan), kind="p"), kind="section", css="pd-verdict"
    ))  # fmt: skip
    markup.show(markup.block(markup.text(words.provenance(scan), "muted"), css="pd-covered"))
    markup.show(markup.block(markup.figures(words.figures(scan))))
    chosen = st.segmented_control(
        "View", ["Table", *HEATMAPS], default="Table", key="scan_view", required=True,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if chosen in HEATMAPS:
        HEATMAPS[str(chosen)](scan)
    else:
        _show_table(scan, moves, is_live=is_live)
    notes = words.unusable_notes(scan)
    if notes:
        markup.show(markup.block(markup.notes(notes)))
    _show_foot(scan)


def _head(scan: ScanResult) -> Html:
    pieces = [markup.heading("Scanner"), markup.text(scan.source, "muted")]
    if scan.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    return markup.block(*pieces, css="pd-head")


def _show_table(scan: ScanResult, moves: Mapping[frozenset[str], int], *, is_live: bool) -> None:
    table = with_payment(scan, fill_bps())
    rows = scanner_table.filtered(table, _choose_filters(table))
    if rows.empty:
        notices.show(notices.Notice(
            f"None of {formats.count(len(scan.table), 'pair')} passes the filters",
            "Loosen one of them.", is_fault=False,
        ))  # fmt: skip
        return
    summary = f"{formats.count(len(rows), 'pair')} of {len(scan.table):,}"
    if len(rows) > MOST_ROWS:
        summary += f", the best {MOST_ROWS} shown; the CSV has all"
    plain.caption(
        f"{summary}. A click on a pair opens it on Live, as Enter does; arrow keys move, a "
        "column's name sorts."
    )
    scanner_table.show_table(
        scanner_table.table_data(rows, moves, link(scan)),
        key=TABLE,
        on_open=partial(pick, scan),
    )
    follow()
    watch.show(scan, rows.head(MOST_ROWS), is_live=is_live)


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
        confirmed_only = st.toggle("Only those that hold", key="scan_held")
    return Filters(
        None if symbol == "any" else str(symbol),
        PVALUE_STEPS[str(highest)],
        float(correlation),
        float(half_life) if half_life else float("inf"),
        float(traded) / 100,
        bool(confirmed_only),
    )


def _show_pvalues(scan: ScanResult) -> None:
    names, values = _square(scan.table, ("pvalue_ordered", "pvalue_swapped"))
    st.caption("Engle-Granger p of the row's symbol on the column's, not corrected for the number "
               "of pairs. First part of the sample.")  # fmt: skip
    live_chart(
        scanner_heatmap.pvalue_heatmap(names, values), key="scan_pvalues",
        label="p-values of all pairs", height_px=scanner_heatmap.heatmap_height_px(len(names)),
    )  # fmt: skip


def _show_correlations(scan: ScanResult) -> None:
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


def _show_foot(scan: ScanResult) -> None:
    """Explain, download, keep."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("What the columns mean", key="scan_explain"):
            markup.show(markup.block(markup.explanations(words.EXPLAINED)))
        files.show(
            [Offer("All pairs (CSV)", "scan-csv", partial(_csv, scan, fill_bps()))], key="scan_csv"
        )
        with st.popover("Keep this scan", key="scan_keep"), notices.shown_in_place():
            name = st.text_input("Name", key="scan_name", max_chars=60,
                                 placeholder="majors 1min 24h")  # fmt: skip
            if st.button("Keep", key="scan_save", disabled=not name):
                path = store.save(scan, name.strip())
                plain.success(f"Kept as {path.name}; choose Saved scan above to see it.")


def _csv(scan: ScanResult, bps: float, _: str) -> MadeFile:
    return MadeFile(csv_name(scan), "text/csv", scan_csv(scan, bps))


def scan_csv(scan: ScanResult, bps: float) -> bytes:
    """Write every pair and every column, numbers with every digit; payments at a fill's cost."""
    table = with_payment(scan, bps).drop(columns="spread", errors="ignore")
    return csv_bytes(table)


def csv_name(scan: ScanResult) -> str:
    """Name the file by what was scanned."""
    made = "_synthetic" if scan.is_synthetic else ""
    pairs = int(scan.table.attrs["pairs_tried"])
    return f"scan_{scan.settings.interval}_{pairs}pairs{made}.csv"


TABLE: Final = "scan_table"


_LACKING: Final = "scan_lacking"


_OPENING: Final = "scan_opening"


def link(scan: ScanResult) -> dict[str, Any]:
    """Say how an address names a pair of the scan on Live, and what else it says there."""
    is_sample = _is_sample(scan)
    legs = ["file_s1", "file_s2"] if is_sample else ["s1", "s2"]
    return {"legs": legs, "choices": _choices(scan)}


def pick(scan: ScanResult) -> None:
    """Note the pair of the clicked row; the header takes it up in the next whole run."""
    pair = st.session_state[TABLE]["open"]
    st.session_state[_LACKING] = None
    if not _holds(scan, pair):
        return
    y, x = pair
    recorded = pair_data.symbols_or_none(pair_data.database_path())
    lacking = [symbol for symbol in (y, x) if symbol not in recorded]
    if lacking and not _is_sample(scan):
        st.session_state[_LACKING] = lacking[0]
        return
    legs = dict(zip(link(scan)["legs"], (y, x), strict=True))
    choices.request({**_choices(scan), **legs})
    st.session_state[_OPENING] = True


def _holds(scan: ScanResult, pair: Any) -> bool:
    """Whether the browser named a pair of this scan."""
    table = scan.table
    if not (isinstance(pair, list | tuple) and len(pair) == 2):
        return False
    return bool(((table["y"] == pair[0]) & (table["x"] == pair[1])).any())


def _is_sample(scan: ScanResult) -> bool:
    return scan.source == file_choice.SAMPLE_NAME


def _choices(scan: ScanResult) -> dict[str, Value]:
    """What Live is to show besides the pair: the scan's interval, and the spread it tests."""
    shared: dict[str, Value] = {"interval": scan.settings.interval, "spread": "log"}
    if _is_sample(scan):
        return {"mode": FILE, "file": SAMPLE, **shared}
    return {"mode": LIVE, **shared}


def follow() -> None:
    """Go to Live with the pair taken up, or say why not."""
    lacking = st.session_state.get(_LACKING)
    if lacking:
        notices.show(words.not_on_live(lacking))
    if st.session_state.pop(_OPENING, False):
        # Given none, it would clear them by a call that refuses while a control is bound to one.
        st.switch_page("live.py", query_params={})
