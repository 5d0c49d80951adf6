"""Run a scan once for each state of the bars and settings, and tell which pairs moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from analytics.scanner import scan_pairs, spread_paths
from pages.ui.parts import formats
from pages.ui.parts.long_work import LongWork, Progress
from pages.ui.scanner import words
from pages.ui.scanner.data import ScanMaterial
from pages.ui.scanner.ranks import Moves, Places
from pages.ui.scanner.settings import ScanSettings
from pages.ui.scanner.store import ScanResult
from pages.ui.state.once import once_for_each

SPARKLINES: Final = 200
WORK: Final = LongWork("scan", "Scanning", "pairs", words.cancelled(), "Scan again")
# Between two scans of the recorded market: the ranks before, and those now.
RANKS: Final = "scan_ranks"


@dataclass(frozen=True)
class Ranks:
    """Place of each pair, from 1, at one closed bar of one kind of scan."""

    settings: ScanSettings
    bar: pd.Timestamp
    places: Places


def run(material: ScanMaterial, settings: ScanSettings) -> ScanResult | None:
    """Scan, or return what the same bars gave before; None once the reader has cancelled.

    Raises
    ------
    AnalyticsError
        The bars do not allow a scan.
    """
    # A live scan that was cancelled does not come back by itself at the next closed bar.
    asked = (material.name, settings) if material.is_live else None
    return WORK.run(material.key, lambda progress: _scan(material, settings, progress), asked=asked)


def _scan(material: ScanMaterial, settings: ScanSettings, progress: Progress) -> ScanResult:
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
        draw_progress=lambda done, steps: progress(done, steps, words.DRAWING),
    )
    index = material.closes.index
    paths = spread_paths(material.closes, table.head(SPARKLINES), on=settings.on)
    nothing: list[list[float]] = [[] for _ in range(len(table) - len(paths))]
    table = table.assign(spread=pd.Series([*paths, *nothing], dtype=object))
    return ScanResult(
        table, settings, material.name, formats.span(index[0], index[-1]), material.is_synthetic
    )


def moves(scan: ScanResult, bar: pd.Timestamp) -> Mapping[frozenset[str], int]:
    """Places each pair went up since the bar before, in this session; negative for down."""
    now = Ranks(scan.settings, bar, _places(scan))
    before, latest = st.session_state.get(RANKS, (None, None))
    if latest is None or latest.settings != scan.settings:
        before, latest = None, now
    elif latest.bar != bar:
        before, latest = latest, now
    st.session_state[RANKS] = (before, latest)
    return {} if before is None else Moves(before.places, latest.places)


@once_for_each
def _places(scan: ScanResult) -> Places:
    """Number the pairs of a scan once: each session holds those of two."""
    return Places.of(scan.table)
