"""The universe on the feed page: how many are followed, their bars, who joined and left."""

from typing import Final

import pandas as pd

from ingest.status import RecorderStatus, UniverseStatus
from pages.ui.parts import formats, markup
from pages.ui.parts.markup import Cell, Figure, Html, Tone, table
from pages.ui.parts.notices import sentence

ROWS: Final = 20
US_PER_S: Final = 1_000_000
CHANGE_HEAD: Final = ("When", "Symbol", "What", Cell("Why", words=True))
LEFT_OUT_HEAD: Final = ("Symbol", Cell("Why it is not followed", words=True))


def universe_block(status: RecorderStatus | None, now_us: int) -> Html:
    """Set the universe's figures and tables; nothing where none is followed."""
    universe = None if status is None else status.universe
    if universe is None:
        return markup.NOTHING
    pieces = [markup.figures(universe_figures(universe, now_us))]
    if universe.changes:
        pieces.append(_changes_table(universe))
    if universe.left_out:
        pieces.append(_left_out_table(universe))
    return markup.block(*pieces)


def universe_figures(universe: UniverseStatus, now_us: int) -> list[Figure]:
    """Collect the figures in reading order."""
    looked = "the exchange's list was not had yet"
    if universe.asked_us is not None:
        looked = f"looked up {formats.age((now_us - universe.asked_us) / US_PER_S)} ago"
    followed = Figure(
        "Universe", f"{len(universe.symbols):,}",
        (universe.rules, f"since {_moment(universe.since_us)}", looked),
        tip="Symbols that are followed by the rule of --universe. What left keeps its history.",
    )  # fmt: skip
    return [followed] if universe.depth == "trades" else [followed, *_of_bars(universe, now_us)]


def _of_bars(universe: UniverseStatus, now_us: int) -> list[Figure]:
    is_open, wanted = universe.connections
    newest = formats.NOT_KNOWN
    if universe.newest_us is not None:
        newest = f"{formats.age((now_us - universe.newest_us) / US_PER_S)} ago"
    behind = len(universe.behind)
    tone: Tone | None = "wait" if behind else None
    return [
        Figure("Newest bar", newest,
               (f"bars of {universe.length} only, as they close",
                f"{formats.count(behind, 'symbol')} without it"), tone,
               tip="When the newest bar ended that is stored. Trades of these are not recorded."),
        Figure("Bars stored", f"{universe.received + universe.fetched:,}",
               (f"{universe.received:,} as they closed, {universe.fetched:,} asked for",
                f"{universe.missing:,} still to be fetched"),
               tip="Since the start. What the stream did not bring is asked for over REST."),
        Figure("Stored after a close", formats.milliseconds(universe.latency_p50_ms),
               (f"p99 {formats.milliseconds(universe.latency_p99_ms)}",
                f"{is_open} of {formats.count(wanted, 'connection')} open"),
               tip="From a bar's end by the exchange's clock to the commit that stored it."),
    ]  # fmt: skip


def _changes_table(universe: UniverseStatus) -> Html:
    newest = universe.changes[: -ROWS - 1 : -1]
    rows = [
        (_moment(each.at_us), each.symbol, each.kind, Cell(sentence(each.reason), words=True))
        for each in newest
    ]
    caption = f"Joined and left ({len(rows)} of {len(universe.changes):,})"
    return table(caption, CHANGE_HEAD, rows)


def _left_out_table(universe: UniverseStatus) -> Html:
    rows = [
        (symbol, Cell(sentence(reason), words=True)) for symbol, reason in universe.left_out[:ROWS]
    ]
    return table(f"Not followed ({len(rows)} of {len(universe.left_out):,})", LEFT_OUT_HEAD, rows)


def _moment(at_us: int | None) -> str:
    if at_us is None:
        return formats.NOT_KNOWN
    return formats.moment(pd.Timestamp(at_us, unit="us", tz="UTC"))
