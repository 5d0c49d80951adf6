"""What is held, series by series: a table, the choice of one, and files to take away."""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from ingest.store.lake import Holding
from pages.ui.data.days import days_of
from pages.ui.parts import files, formats, markup, plain
from pages.ui.parts.csv_file import defused
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Cell, Figure, Html
from pages.ui.state.served_files import MadeFile

KIND_WORDS: Final = {"aggTrade": "aggregate trades", "trade": "trades"}
SOURCE_WORDS: Final = {
    "dump": "dump",
    "file": "file",
    "recording": "recorded here",
    "rest": "the exchange",
}
LENGTH_WORDS: Final = {"1min": "1-min", "5min": "5-min", "15min": "15-min"}
HEAD: Final = (
    "Symbol", Cell("What", words=True), "Market", "From", "To", "Days", "Rows", "Size", "Holes",
    Cell("Source", words=True),
)  # fmt: skip
# More is not put together in memory: the folder itself is the way then.
MOST_ZIPPED: Final = 200_000_000
MANIFEST_HEAD: Final = (
    "market", "symbol", "kind", "period", "from", "to", "rows", "bytes", "holes", "sources",
    "checksums",
)  # fmt: skip


@dataclass(frozen=True)
class HeldSeries:
    """All that is held of one kind of one symbol, in order of time."""

    market: str
    symbol: str
    kind: str
    holdings: tuple[Holding, ...]

    @property
    def label(self) -> str:
        """Its name: "BTCUSDT aggregate trades (spot)"."""
        return f"{self.symbol} {kind_words(self.kind)} ({self.market})"

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(each.size for each in self.holdings)

    @property
    def rows(self) -> int:
        """Trades or bars."""
        return sum(each.rows for each in self.holdings)

    @property
    def holes(self) -> int:
        """Stretches that are missing inside files."""
        return sum(len(each.gaps) for each in self.holdings)


def kind_words(kind: str) -> str:
    """Name a kind of rows: "aggregate trades", "1-min bars of the exchange"."""
    if kind in KIND_WORDS:
        return KIND_WORDS[kind]
    length = kind.removeprefix("kline_")
    return f"{LENGTH_WORDS.get(length, length)} bars of the exchange"


def series_of(holdings: Sequence[Holding]) -> list[HeldSeries]:
    """Group files by market, symbol and kind, in the order in which they first stand."""
    grouped: dict[tuple[str, str, str], list[Holding]] = {}
    for each in holdings:
        grouped.setdefault((each.market, each.symbol, each.kind), []).append(each)
    return [HeldSeries(*key, tuple(group)) for key, group in grouped.items()]


def figures(series: Sequence[HeldSeries]) -> Html:
    """Say in figures how much is held."""
    rows, size = (sum(getattr(each, name) for each in series) for name in ("rows", "size"))
    symbols = len({(each.market, each.symbol) for each in series})
    return markup.figures(
        [
            Figure("Symbols", f"{symbols:,}", (f"{len(series):,} series",)),
            Figure("Rows", f"{rows:,}", ("trades and bars",)),
            Figure("On disk", formats.data_size(size), (f"{size / max(rows, 1):.1f} bytes a row",)),
        ]
    )


def table(series: Sequence[HeldSeries]) -> Html:
    """List the series."""
    return markup.table("History held", HEAD, map(_row, series))


def _row(series: HeldSeries) -> list[str | Cell]:
    first = min(each.first_us for each in series.holdings)
    last = max(each.last_us for each in series.holdings)
    kinds = {source.kind for each in series.holdings for source in each.sources}
    sources = [words for kind, words in SOURCE_WORDS.items() if kind in kinds]
    holes = series.holes
    return [
        series.symbol,
        Cell(kind_words(series.kind), words=True),
        series.market,
        _day(first),
        _day(last),
        f"{len(days_of(series.holdings)):,}",
        f"{series.rows:,}",
        formats.data_size(series.size),
        Cell(f"{holes:,}", "wait" if holes else None),
        Cell(", ".join(sources), words=True),
    ]


def _day(time_us: int) -> str:
    return f"{pd.Timestamp(time_us, unit='us', tz='UTC'):%Y-%m-%d}"


def choose(series: Sequence[HeldSeries]) -> HeldSeries:
    """Let the reader choose one series; it stays chosen while more come."""
    by_label = {each.label: each for each in series}
    label = st.selectbox("Series", list(by_label), key="data_series", format_func=formats.clipped)
    return by_label.get(str(label), series[0])


def offer_files(root: Path, holdings: Sequence[Holding], chosen: HeldSeries) -> None:
    """Offer the manifest, and the chosen series' files where they are not too large."""
    is_large = chosen.size > MOST_ZIPPED
    files.show(
        [
            Offer("Manifest (CSV)", "manifest-csv", partial(_manifest_file, tuple(holdings))),
            Offer(
                "Parquet files of the series (zip)",
                "series-zip",
                partial(_series_zip, root, chosen),
                is_empty=is_large,
            ),
        ],
        key="download_history",
    )
    if is_large:
        plain.caption(f"{formats.data_size(chosen.size)} are taken from the folder itself.")


def _manifest_file(holdings: tuple[Holding, ...], _: str) -> MadeFile:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(MANIFEST_HEAD)
    writer.writerows(map(_manifest_row, holdings))
    return MadeFile("history_manifest.csv", "text/csv", out.getvalue().encode())


def _manifest_row(holding: Holding) -> list[object]:
    first, last = (
        pd.Timestamp(each, unit="us", tz="UTC").isoformat()
        for each in (holding.first_us, holding.last_us)
    )
    return [
        *(holding.market, holding.symbol, holding.kind, holding.period, first, last),
        *(holding.rows, holding.size, len(holding.gaps)),
        " ".join(defused(source.name) for source in holding.sources),
        " ".join(source.checksum for source in holding.sources if source.checksum),
    ]


def _series_zip(root: Path, series: HeldSeries, _: str) -> MadeFile:
    """Put the files of a series into one, as they are: Parquet is compressed already."""
    out = io.BytesIO()
    folder = root / series.market / series.kind / series.symbol
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.glob("*/[!.]*.parquet")):
            archive.write(path, path.relative_to(root))
    name = f"{series.symbol}_{series.kind}_{series.market}.zip"
    return MadeFile(name, "application/zip", out.getvalue())
