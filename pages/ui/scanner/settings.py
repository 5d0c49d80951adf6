"""What a scan was asked for: the controls above it, and the same as a plain record."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, cast

import streamlit as st

from analytics.frames import INTERVALS, parse_interval
from analytics.scanner import ScanOn
from pages.ui.desk import controls
from pages.ui.parts import plain
from pages.ui.parts.notices import sentence
from pages.ui.state import choices, ranges
from pages.ui.state.choices import LEVELS
from pages.ui.state.page_choices import PAGE_NUMBERS
from pages.ui.state.source import is_replay

SECOND_US: Final = 1_000_000
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
ALL: Final = "all"
SAMPLES_S: Final = {
    "1h": 3_600,
    "4h": 14_400,
    "24h": 86_400,
    "7 days": 604_800,
    "30 days": 2_592_000,
    "90 days": 7_776_000,
    "1 year": 31_536_000,
    ALL: None,
}
# Closes of all symbols together: more is more than a page should read.
MOST_CLOSES: Final = 20_000_000
SAMPLE_HELP: Final = (
    "Back from the last bar, or from one time to another. Everything is computed from these bars. "
    f"A scan of recorded symbols holds {MOST_CLOSES:,} closes at most: all is so many."
)
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
    until: int | None = None  # end of the sample, seconds since the epoch; None for the last bar

    @property
    def length_s(self) -> int | None:
        """Length of the sample in seconds; None for all there is."""
        return sample_s(self.sample)

    @property
    def most_s(self) -> int:
        """The longest sample of these symbols that a page reads from the database, seconds."""
        bars = MOST_CLOSES // max(len(self.symbols), 1)
        return bars * (parse_interval(self.interval).us // SECOND_US)

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


def sample_s(name: str) -> int | None:
    """Seconds of a sample by its name, or as it was typed; None for all."""
    length = ranges.length_name(name)
    return None if length is None else ranges.length_s(length)


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
        sample, until = _choose_sample(source)
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
    return ScanSettings(
        str(interval), sample, int(train), lags, on, window, level, wanted, until=until
    )


def _choose_sample(source: str) -> tuple[str, int | None]:
    """Choose a length back from the last bar, or from one time to another; gives its end too."""
    key, stretch = f"scan_sample_{_key(source)}", controls.chosen_stretch()
    typed = str(st.session_state.get(key, ""))
    samples = [*SAMPLES_S, *([typed] if typed and typed not in SAMPLES_S else [])]
    sample = "4h" if source == RECORDED else ALL
    if stretch.range is None:
        first = samples.index(sample)
        sample = str(st.selectbox("Sample", samples, first, key=key, help=SAMPLE_HELP, width=110))
    controls.offer_other_ranges(key)
    if stretch.wrong:
        plain.error(f"{sentence(stretch.wrong)}.")
    if stretch.range is None:
        return sample, None
    return f"{(stretch.range.lookback_s or 0) // 60}min", stretch.range.until


def refuse_too_large(settings: ScanSettings) -> bool:
    """Say that a sample of recorded symbols is more than a page reads, and offer what helps."""
    length_s = settings.length_s
    if length_s is None or length_s <= settings.most_s:
        return False
    bars = length_s * SECOND_US // parse_interval(settings.interval).us
    fewer = [
        each.name
        for each in INTERVALS
        if length_s * SECOND_US // each.us * len(settings.symbols) <= MOST_CLOSES
    ][:1]
    take = f"bars of {fewer[0]}, " if fewer else ""
    plain.info(
        f"{bars:,} bars of {len(settings.symbols)} symbols are more than the {MOST_CLOSES:,} "
        f"closes that a page reads. Take {take}a shorter sample or fewer symbols."
    )
    for name in fewer:
        if st.button(
            f"Take bars of {name}", key="scan_coarser", on_click=choices.request,
            args=({"scan_interval": name},),
        ):  # fmt: skip
            st.rerun()
    return True


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
