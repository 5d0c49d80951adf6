"""An exception becomes one clear line and what to do about it; here and nowhere else."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from analytics.errors import AnalyticsError, DegenerateSeriesError, NotEnoughDataError
from analytics.outcome import Degenerate
from ingest.errors import IngestError, NewerDatabaseError, StoreError
from ingest.status import Progress, RecorderStatus
from pages.ui.parts import formats, plain
from pages.ui.state import choices
from pages.ui.state.choices import Number, OneOf, Switch
from pages.ui.state.once import once_for_each

MOST_REFUSED: Final = 3  # values of a link that a notice names one by one
MOST_OPTIONS: Final = 8  # and of what may be chosen


class SameSymbolError(AnalyticsError):
    """Both legs of a pair are one symbol."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        super().__init__(f"both legs are {symbol}")


@dataclass(frozen=True)
class Notice:
    """What is the matter, what to do, and whether it is a fault or only not there yet.

    `offers_sample` puts a button beside it that opens the bundled sample.
    """

    cause: str
    remedy: str
    is_fault: bool = True
    offers_sample: bool = False

    @property
    def text(self) -> str:
        """Both in one line."""
        return f"{self.cause.rstrip('.')}. {self.remedy}".strip()


def sentence(words: str) -> str:
    """Begin with a capital, unless the first word is a name such as a file's, or z."""
    first, _, _ = words.partition(" ")
    return words[:1].upper() + words[1:] if first.isalpha() and len(first) > 1 else words


def explain(error: IngestError | AnalyticsError) -> Notice:
    """Turn an error of a room into a user's words.

    The error's own message says what was had and what was needed; this adds the remedy.
    """
    cause = sentence(str(error))
    if isinstance(error, NotEnoughDataError):
        remedy = (
            "A longer range, where more is recorded, shorter bars or a shorter window have enough."
        )
        return Notice(cause, remedy, is_fault=False)
    if isinstance(error, DegenerateSeriesError):
        return Notice(cause, "Choose two symbols that move apart from each other.")
    if isinstance(error, SameSymbolError):
        return Notice(cause, "Choose two different symbols in the sidebar.", is_fault=False)
    if isinstance(error, IngestError):
        return Notice(cause, _ingest_remedy(error), offers_sample=True)
    return Notice(cause, "Change the settings in the sidebar.")


def _ingest_remedy(error: IngestError) -> str:
    if isinstance(error, NewerDatabaseError):
        return "A newer Pairdesk has written it; this one leaves it as it is."
    if isinstance(error, StoreError):
        return "Record first, or look at the bundled sample."
    return "Check the file or the symbol, or look at the bundled sample."


def show(notice: Notice) -> None:
    """Put a notice where the missing content would have been."""
    (plain.error if notice.is_fault else plain.info)(notice.text)
    if notice.offers_sample and st.button(
        "Open the bundled sample", key="open_sample", on_click=_choose_sample
    ):
        st.rerun()  # of the whole page: the notice may stand in a part that runs by itself


def _choose_sample() -> None:
    choices.request({"mode": choices.FILE, "file": choices.SAMPLE})


def has_standing(status: RecorderStatus | None) -> bool:
    """Whether `show_standing` has anything to show."""
    return status is not None and bool(status.notices or unfinished(status))


def show_standing(status: RecorderStatus | None) -> None:
    """Show what the recorder has to say to the person at the desk, and how its long work goes."""
    if status is None:
        return
    for notice in status.notices:
        plain.warning(notice)  # a file's new name may stand in it
    show_progress(status)


@contextmanager
def shown_in_place() -> Iterator[None]:
    """Show what a room refused, inside the block, instead of a traceback."""
    try:
        yield
    except (IngestError, AnalyticsError) as error:
        show(explain(error))


def degenerate(lack: Degenerate) -> Notice:
    """Say why a result has no meaning, and what would change that."""
    remedy = "Choose two symbols that move apart from each other."
    return Notice(sentence(lack.reason), remedy, is_fault=False)


def single_symbol(symbol: str, source: str) -> Notice:
    """Say that one symbol makes no pair."""
    return Notice(
        f"{source} holds a single symbol, {symbol}; a pair needs two",
        "Choose a file with two symbols, or the bundled sample.",
        is_fault=False,
        offers_sample=True,
    )


def missing_symbols(lacking: Sequence[str], there: Sequence[str], where: str) -> Notice:
    """Say that a link names symbols that are not here, and what is there."""
    shown = ", ".join(there[:6]) + (" and more" if len(there) > 6 else "")
    asked = " and ".join(map(formats.clipped, lacking))
    return Notice(
        f"The link asks for {asked}, which {where} does not hold",
        f"It holds {shown}: choose from these, or another source in the sidebar.",
        is_fault=False,
        offers_sample=True,
    )


@dataclass(frozen=True)
class RefusedValue:
    """A value of a link by its name there, what the link says, and what its control takes.

    `where` says of a control that takes less than elsewhere what that depends on.
    """

    key: str
    asked: str
    kind: Number | OneOf | Switch
    where: str = ""


def refused_values(refused: Sequence[RefusedValue]) -> Notice:
    """Say which of a link's values no control takes, and what stands in their place."""
    refusals = [
        f"{each.key}={formats.clipped(each.asked, 40)} is not {_wanted(each.kind)}{each.where}, so"
        f" {_written(each.kind.default)} is used"
        for each in refused[:MOST_REFUSED]
    ]
    others = [each.kind for each in refused[MOST_REFUSED:]]
    noun = "number" if all(isinstance(kind, Number) for kind in others) else "value"
    more = formats.count(len(others), f"other {noun}")
    rest = f"The same holds for {more} of it." if others else ""
    return Notice(f"In the link, {'; '.join(refusals)}", rest, is_fault=False)


def _wanted(kind: Number | OneOf | Switch) -> str:
    if isinstance(kind, Switch):
        return "true or false"
    if isinstance(kind, OneOf):
        more = len(kind.options) - MOST_OPTIONS
        named = ", ".join(kind.options[:MOST_OPTIONS])
        return f"one of {named}{f' and {more} more' if more > 0 else ''}"
    whole = "a whole number" if isinstance(kind.default, int) else "a number"
    return f"{whole} from {_written(kind.low)} to {_written(kind.high)}"


def _written(value: choices.Value) -> str:
    if isinstance(value, bool | str):
        return choices.written(value)
    return formats.with_minus(f"{value:,.10g}")


def not_recording() -> Notice:
    """Say that this process shows what is stored, and records nothing."""
    return Notice(
        "This process does not record",
        "Start the app without --no-ingest to record; below is what the database holds.",
        is_fault=False,
    )


def too_few(symbols: Sequence[str], is_recording: bool) -> Notice:
    """Say that the database does not hold two symbols yet."""
    if symbols:
        cause = f"Only {symbols[0]} has stored trades: 1 of 2 symbols"
        remedy = "Add a second one under Recorded symbols in the sidebar, or wait for its trades."
    elif is_recording:
        cause = "No trade stored yet: 0 of 2 symbols have data"
        remedy = (
            "The page fills by itself once the first trades arrive; the pill above says how the "
            "connection is. Without a network look at the bundled sample."
        )
    else:
        cause = "The database holds no trades and nothing is recording"
        remedy = "Start the app without --no-ingest, or look at the bundled sample."
    return Notice(cause, remedy, is_fault=False, offers_sample=True)


MOST_NAMED: Final = 4


def show_progress(status: RecorderStatus) -> None:
    """Show a bar for each kind of work that is not done: symbols that do the same share one."""
    for work in unfinished(status):
        plain.progress(work.done / work.total, progress_text(work))


@once_for_each
def unfinished(status: RecorderStatus) -> list[Progress]:
    """List the work that is not done, a kind each; once for all who look at a status."""
    requested = () if status.requested_repair is None else (status.requested_repair,)
    works = together((*status.warm_start, *requested, *status.backfill))
    return [work for work in works if work.done < work.total]


def together(works: Sequence[Progress]) -> list[Progress]:
    """Add up what is done of the same kind: its slowest symbol says how long it takes."""
    kinds: dict[tuple[str, str], list[Progress]] = {}
    for work in works:
        kinds.setdefault((work.what, work.unit), []).append(work)
    return [_sum(alike) for alike in kinds.values()]


def _sum(works: Sequence[Progress]) -> Progress:
    symbols = list(dict.fromkeys(work.symbol for work in works))
    named = ", ".join(symbols) if len(symbols) <= MOST_NAMED else f"{len(symbols)} symbols"
    return replace(
        works[0],
        symbol=named,
        done=sum(work.done for work in works),
        total=sum(work.total for work in works),
        waiting_s=_longest(work.waiting_s for work in works),
        eta_s=_longest(work.eta_s for work in works),
    )


def _longest(times_s: Iterable[float | None]) -> float | None:
    return max((time_s for time_s in times_s if time_s is not None), default=None)


def progress_text(work: Progress) -> str:
    """Say what is going on, how far it is, what it waits for and how long it will take."""
    parts = [f"{work.symbol}: {work.what}", f"{work.done:,} of {work.total:,} {work.unit}".rstrip()]
    if work.waiting_s is not None and work.waiting_s > 0:
        parts.append(f"waiting {formats.age(work.waiting_s)} as the exchange asks")
    if work.eta_s is not None:
        parts.append(f"about {formats.age(work.eta_s)} left")
    return ", ".join(parts)
