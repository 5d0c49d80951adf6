"""What a scan was asked for: the controls above it, and the same as a plain record."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, cast

import streamlit as st

from analytics.frames import INTERVALS
from analytics.scanner import ScanOn
from pages.ui.state.choices import LEVELS
from pages.ui.state.page_choices import PAGE_NUMBERS
from pages.ui.state.source import is_replay

RECORDED: Final = "Recorded symbols"
CLOSES: Final = "File of closes"
TICKS: Final = "Tick files"
SAVED: Final = "Saved scan"
SOURCES: Final = (RECORDED, CLOSES, TICKS, SAVED)

SOURCE_HELP: Final = (
    "{}: ranked again at every closed bar while this page is open. File of closes: a "
    "CSV with a time column and a column of closes for each symbol. Tick files: NDJSON or CSV of "
    "trades, several at once. Saved scan: a result kept earlier."
)
SAMPLES_S: Final = {
    "1h": 3_600,
    "4h": 14_400,
    "24h": 86_400,
    "7 days": 604_800,
    "30 days": 2_592_000,
    "all": None,
}
# A week of one-second bars of every symbol is more than a page should read.
RECORDED_SAMPLES: Final = ("1h", "4h", "24h")
SAMPLE_HELP: Final = "Back from the last bar. Everything is computed from these bars."
TRAIN_HELP: Final = (
    "The first part of the sample: pairs are chosen by it. The rest is held out, and only asked "
    "whether the spread, with β from the first part, still comes back. 100 holds nothing out."
)
LAGS_HELP: Final = "Lagged changes in the test: chosen for each pair by AIC, or a fixed number."
LAGS: Final[dict[str, int | None]] = {"automatic (AIC)": None, "0": 0, "1": 1, "5": 5}
ON_HELP: Final = "log: ln S1 = α + β·ln S2. price: S1 = α + β·S2."


@dataclass(frozen=True)
class ScanSettings:
    """Everything that a scan's numbers depend on, but the bars themselves."""

    interval: str
    sample: str
    train_percent: int
    lags: str
    on: ScanOn
    window: int
    level: float
    symbols: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "symbols": list(self.symbols)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """From plain values."""
        return cls(**{**record, "symbols": tuple(record["symbols"])})

    @property
    def max_lags(self) -> int | None:
        """Fixed number of lags; None where it is chosen."""
        return LAGS.get(self.lags)

    @property
    def autolag(self) -> str | None:
        """How the number of lags is chosen; None where it is fixed."""
        return "aic" if self.max_lags is None else None


def live_title() -> str:
    """Name the symbols of the database that the reader looks at: recorded, or of a replay."""
    return "Replayed symbols" if is_replay() else RECORDED


def choose_source() -> str:
    """Choose what is scanned."""
    title = live_title()
    chosen = st.segmented_control(
        "Scan", SOURCES, default=RECORDED, key="scan_source", bind="query-params", required=True,
        help=SOURCE_HELP.format(title),
        format_func=lambda source: title if source == RECORDED else str(source),
    )  # fmt: skip
    return str(chosen) if chosen in SOURCES else RECORDED


def choose_settings(symbols: Sequence[str], source: str) -> ScanSettings:
    """Choose the settings of a scan of these symbols, in one row."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [each.name for each in INTERVALS]
        interval = st.selectbox(
            "Bar interval", names, names.index("1min"), key="scan_interval", bind="query-params",
            help="Length of a bar.", width=120,
        )  # fmt: skip
        samples = list(RECORDED_SAMPLES if source == RECORDED else SAMPLES_S)
        first = samples.index("4h") if source == RECORDED else len(samples) - 1
        sample = st.selectbox(
            "Sample", samples, first, key=f"scan_sample_{_key(source)}", help=SAMPLE_HELP, width=110
        )
        share = PAGE_NUMBERS["scan_train"]
        train = st.slider(
            "Train share (%)", share.low, share.high, share.default, share.step, key="scan_train",
            bind="query-params", help=TRAIN_HELP, width=190,
        )  # fmt: skip
        chosen = st.multiselect(
            "Symbols", list(symbols), key=f"scan_symbols_{_key(source)}", placeholder="all of them",
            help="None chosen means all of them.", width=320,
        )  # fmt: skip
        lags, on, window, level = _choose_details()
    wanted = tuple(sorted(chosen or symbols))
    return ScanSettings(str(interval), str(sample), int(train), lags, on, window, level, wanted)


def _key(source: str) -> str:
    return source.lower().replace(" ", "_")


def _choose_details() -> tuple[str, ScanOn, int, float]:
    """Choose what is seldom changed."""
    with st.popover("Method", key="scan_method"):
        lags = st.selectbox(
            "Lags", list(LAGS), key="scan_lags", bind="query-params", help=LAGS_HELP
        )
        on = st.selectbox(
            "Regress on", ["log", "price"], key="scan_on", bind="query-params", help=ON_HELP
        )
        bars = PAGE_NUMBERS["scan_window"]
        window = st.number_input(
            "z-score window (bars)", bars.low, bars.high, bars.default, bars.step,
            key="scan_window", bind="query-params",
        )  # fmt: skip
        level = st.selectbox(
            "Level of tests (%)", list(LEVELS), 1, key="scan_level", bind="query-params"
        )
    return str(lags), cast("ScanOn", on), int(window), LEVELS[str(level)]
