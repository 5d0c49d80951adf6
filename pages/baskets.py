"""The baskets page: three to eight symbols as one spread, what to trade, and how one knows."""

from collections.abc import Sequence

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from analytics.baskets import LEAST_SYMBOLS
from analytics.errors import ParameterError
from pages.ui.baskets import body, data, lacking
from pages.ui.baskets import settings as basket_settings
from pages.ui.baskets.settings import BasketChoice
from pages.ui.desk import file_choice, header, pair_data
from pages.ui.parts import notices
from pages.ui.parts.lots import lots_of
from pages.ui.state.source import current_recorder

REFRESH_MS = 2_000


def main() -> None:
    """Show the basket that the reader chose."""
    source = basket_settings.choose_source()
    with notices.shown_in_place():
        SOURCES[source]()


def show_recorded() -> None:
    """Show a basket of recorded symbols, and anew as bars close."""
    path = pair_data.database_path()
    recorder = current_recorder()
    stored = tuple(pair_data.recorded_symbols(path))
    # What is recorded and never traded would be a basket without a bar.
    symbols = [symbol for symbol in header.in_order(stored, recorder) if symbol in stored]
    if len(symbols) < LEAST_SYMBOLS:
        notices.show(lacking.too_few(symbols, is_recording=recorder is not None))
        st_autorefresh(REFRESH_MS, key="basket_refresh")
        return
    choice = choose(symbols, may_read_all=False)
    if choice is not None:
        live_basket(choice)


def choose(symbols: Sequence[str], *, may_read_all: bool) -> BasketChoice | None:
    """Show the controls; says what is the matter and returns None where they make no basket."""
    try:
        choice = basket_settings.choose_basket(symbols, may_read_all=may_read_all)
    except ParameterError as error:
        notices.show(lacking.refused(error))
        return None
    if choice is None:
        notices.show(lacking.TOO_FEW_CHOSEN)
    return choice


@st.fragment
def live_basket(choice: BasketChoice) -> None:
    """Show the closed bars; the timer stands inside, so that only this is redrawn."""
    with notices.shown_in_place():
        path = pair_data.database_path()
        desk = header.current()
        wanted = body.for_view(choice)
        bars = data.live_bars(path, wanted, desk.source, is_synthetic=desk.is_synthetic)
        if bars is None:
            notices.show(lacking.NO_BARS)
        else:
            body.show(bars, wanted, lots_of(path))
    st_autorefresh(REFRESH_MS, key="basket_refresh")


def show_file() -> None:
    """Show a basket of a file's symbols."""
    file = file_choice.choose_file()
    if isinstance(file, notices.Notice):
        notices.show(file)
        return
    symbols = data.symbols_of(file)
    if len(symbols) < LEAST_SYMBOLS:
        notices.show(lacking.too_few_in_file(symbols, file.name))
        return
    choice = choose(symbols, may_read_all=True)
    if choice is not None:
        still_basket(data.file_bars(file, choice), choice)


@st.fragment
def still_basket(bars: data.BasketBars, choice: BasketChoice) -> None:
    """Show a basket that does not change; apart from the controls, which redraw the page."""
    with notices.shown_in_place():
        body.show(bars, choice, {})


SOURCES = {basket_settings.RECORDED: show_recorded, basket_settings.TICKS: show_file}

main()
