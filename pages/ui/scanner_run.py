"""Run a scan once for each state of the bars and settings, with a bar to watch and a way out."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from analytics.scanner import scan_pairs, spread_paths
from pages.ui import formats
from pages.ui.scanner_data import ScanMaterial
from pages.ui.scanner_settings import ScanSettings
from pages.ui.scanner_store import KeptScan

MAX_KEPT: Final = 4
SPARKLINES: Final = 200
CANCELLED: Final = "scan_cancelled"
# Between two scans of the recorded market: the ranks before, and those now.
RANKS: Final = "scan_ranks"


@dataclass(frozen=True)
class Ranks:
    """Place of each pair, from 1, at one closed bar of one kind of scan."""

    settings: ScanSettings
    bar: pd.Timestamp
    places: dict[frozenset[str], int]


def run(material: ScanMaterial, settings: ScanSettings) -> KeptScan | None:
    """Scan, or return what the same bars gave before; None once the reader has cancelled.

    Raises
    ------
    AnalyticsError
        The bars do not allow a scan.
    """
    kept = _kept_scans()
    found = kept.get(material.key)
    if found is None:
        if st.session_state.get(CANCELLED) == material.key:
            return None
        found = _scan(material, settings)
        while len(kept) >= MAX_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[material.key] = found
    return found


def forget_cancel() -> None:
    """Let the cancelled scan run again."""
    st.session_state.pop(CANCELLED, None)


@st.cache_resource
def _kept_scans() -> dict[Hashable, KeptScan]:
    """Scans by key, oldest first. A plain cache would replay the progress bar at each hit."""
    return {}


def _cancel(key: Hashable) -> None:
    st.session_state[CANCELLED] = key


def _scan(material: ScanMaterial, settings: ScanSettings) -> KeptScan:
    """Scan with a progress bar; a click on Cancel ends it at the bar's next step."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Scanning")
        # Streamlit ends this run when the button is clicked, inside `bar.progress`.
        st.button("Cancel", key="scan_cancel", on_click=_cancel, args=(material.key,))

    def progress(done: int, pairs: int) -> None:
        bar.progress(done / pairs, f"Scanning: {done:,} of {pairs:,} pairs")

    try:
        table = scan_pairs(
            material.closes,
            on=settings.on,
            train_share=settings.train_percent / 100,
            window=settings.window,
            max_lags=settings.max_lags,
            autolag=settings.autolag,
            level=settings.level,
            traded=material.traded,
            quote_volume=material.quote_volume,
            progress=progress,
        )
    finally:
        place.empty()
    index = material.closes.index
    paths = spread_paths(material.closes, table.head(SPARKLINES), on=settings.on)
    nothing: list[list[float]] = [[] for _ in range(len(table) - len(paths))]
    table = table.assign(spread=pd.Series([*paths, *nothing], dtype=object))
    return KeptScan(
        table, settings, material.name, formats.span(index[0], index[-1]), material.is_synthetic
    )


def moves(scan: KeptScan, bar: pd.Timestamp) -> dict[frozenset[str], int]:
    """Places each pair went up since the bar before, in this session; negative for down."""
    table = scan.table
    legs = zip(table["y"], table["x"], strict=True)
    now = Ranks(scan.settings, bar, {frozenset(pair): n for n, pair in enumerate(legs, start=1)})
    before, latest = st.session_state.get(RANKS, (None, None))
    if latest is None or latest.settings != scan.settings:
        before, latest = None, now
    elif latest.bar != bar:
        before, latest = latest, now
    st.session_state[RANKS] = (before, latest)
    if before is None:
        return {}
    return {
        pair: before.places[pair] - place
        for pair, place in latest.places.items()
        if pair in before.places
    }
