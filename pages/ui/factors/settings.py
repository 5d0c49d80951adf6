"""What factors are asked for: the controls above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from analytics.factors import LEAST_SYMBOLS
from analytics.frames import INTERVALS
from pages.ui.state.page_choices import PAGE_CHOICES, PAGE_NUMBERS

RECORDED: Final = "Recorded symbols"
TICKS: Final = "NDJSON file"
SOURCES: Final = (RECORDED, TICKS)
SOURCE_HELP: Final = (
    "Recorded symbols: computed again at every closed bar while this page is open, every 30 s at "
    "most. NDJSON file: "
    "ticks of three symbols or more, in one file or several."
)
SAMPLES_S: Final = {"1h": 3_600, "4h": 14_400, "24h": 86_400, "7 days": 604_800, "all": None}
# A week of one-second bars of every symbol is more than a page should read.
RECORDED_SAMPLES: Final = ("1h", "4h", "24h")
SAMPLE_HELP: Final = "Back from the last bar. Correlation and factors stand on these bars."
WINDOW_HELP: Final = (
    "The latest bars, which each symbol is regressed on the factors in. Its half-life must be far "
    "shorter to be found."
)
COUNT_HELP: Final = (
    "How many factors are taken out of each symbol. Those that stand out exceed what the same "
    "returns give with random signs; a share takes as many as explain it."
)
OUT: Final = "as many as stand out"
COUNTS: Final[dict[str, tuple[int | None, float | None]]] = {
    "1": (1, None),
    "2": (2, None),
    "3": (3, None),
    "5": (5, None),
    OUT: (None, None),
    "55 % of the variance": (None, 0.55),
    "75 % of the variance": (None, 0.75),
}


@dataclass(frozen=True)
class FactorSettings:
    """Everything that the numbers depend on, but the bars themselves."""

    interval: str
    sample: str
    window: int
    count: str
    symbols: tuple[str, ...]

    @property
    def factors(self) -> int | None:
        """Fixed number of factors; None where it follows from the returns."""
        return COUNTS[self.count][0]

    @property
    def explained(self) -> float | None:
        """Share of the variance that they are to explain; None where that does not count."""
        return COUNTS[self.count][1]


def are_enough(symbols: Sequence[str]) -> bool:
    """Whether there are so many symbols that they may have factors."""
    return len(symbols) >= LEAST_SYMBOLS


def choose_source() -> str:
    """Choose what the symbols are from."""
    chosen = st.segmented_control(
        "Symbols of", SOURCES, default=RECORDED, key="factors_source", bind="query-params",
        required=True, help=SOURCE_HELP,
    )  # fmt: skip
    return str(chosen) if chosen in SOURCES else RECORDED


def choose_settings(symbols: Sequence[str], source: str) -> FactorSettings:
    """Choose interval, sample, window and number of factors, in one row."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [each.name for each in INTERVALS]
        first = names.index(PAGE_CHOICES["factors_interval"].default)
        interval = st.selectbox(
            "Bar interval", names, first, key="factors_interval", bind="query-params",
            help="Length of a bar.", width=120,
        )  # fmt: skip
        samples = list(RECORDED_SAMPLES if source == RECORDED else SAMPLES_S)
        sample = st.selectbox(
            "Sample", samples, samples.index("24h" if source == RECORDED else "all"),
            key=f"factors_sample_{'recorded' if source == RECORDED else 'file'}",
            help=SAMPLE_HELP, width=110,
        )  # fmt: skip
        bars = PAGE_NUMBERS["factors_window"]
        window = st.number_input(
            "Window (bars)", bars.low, bars.high, bars.default, bars.step, key="factors_window",
            bind="query-params", help=WINDOW_HELP, width=140,
        )  # fmt: skip
        count = st.selectbox(
            "Factors", list(COUNTS), key="factors_count", bind="query-params", help=COUNT_HELP,
            width=210,
        )  # fmt: skip
    return FactorSettings(
        str(interval), str(sample), int(window), str(count), tuple(sorted(symbols))
    )
