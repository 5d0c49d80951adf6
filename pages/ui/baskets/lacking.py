"""Why there is no basket yet, and what helps, in one line each."""

from collections.abc import Sequence
from typing import Final

from analytics.baskets import LEAST_SYMBOLS, BasketParams
from analytics.errors import ParameterError
from pages.ui.parts import formats
from pages.ui.parts.notices import Notice, sentence

ADD_ONE: Final = "Add one under Recorded symbols in the sidebar, or wait for its trades."
TOO_FEW_CHOSEN: Final = Notice(
    "Baskets need three symbols", "Choose another one under Symbols above.", is_fault=False
)
NO_BARS: Final = Notice(
    "None of these symbols has a stored trade yet",
    "The page fills by itself once the first trades arrive.",
    is_fault=False,
)


def too_few(symbols: Sequence[str], *, is_recording: bool) -> Notice:
    """Say that fewer than three symbols are recorded."""
    cause = f"Baskets need three symbols; {_named(symbols)} recorded"
    remedy = ADD_ONE if is_recording else "Start the app without --no-ingest, or open a tick file."
    return Notice(cause, remedy, is_fault=False)


def too_few_in_file(symbols: Sequence[str], name: str) -> Notice:
    """Say that a file holds fewer than three symbols."""
    cause = f"Baskets need three symbols; {name} holds {_names(symbols)}"
    return Notice(cause, f"Choose a file with {LEAST_SYMBOLS} or more.", is_fault=False)


def refused(error: ParameterError) -> Notice:
    """Say which values do not go together, and where to change them."""
    return Notice(sentence(str(error)), "Change it under Rule and money above.", is_fault=False)


def no_common_bar(params: BasketParams) -> Notice:
    """Say that the symbols have no bar in common."""
    return Notice(
        f"No closed {params.interval} bar is known of all {len(params.symbols)} symbols at once",
        "Shorter bars or symbols recorded over the same time have some.",
        is_fault=False,
    )


def _named(symbols: Sequence[str]) -> str:
    return f"{_names(symbols)} {'is' if len(symbols) == 1 else 'are'}"


def _names(symbols: Sequence[str]) -> str:
    return " and ".join(map(formats.clipped, symbols)) or "none"
