"""The desk's header and sidebar, drawn before every page, and what they come to: a `Desk`."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from analytics.errors import AnalyticsError
from ingest.tick import IngestError
from pages.ui import (
    choices,
    controls,
    file_choice,
    notices,
    pair_data,
    recording,
    replaying,
    saved_views,
    source,
)
from pages.ui.controls import Mode, Refresh, View
from pages.ui.file_choice import TickFile
from pages.ui.health_pill import show_pill
from pages.ui.notices import Notice

DESK: Final = "desk"


@dataclass(frozen=True, eq=False)
class Desk:
    """What the reader chose, the same on every page.

    Attributes
    ----------
    mode
        The recorded market or a file.
    symbols
        What can be paired.
    file
        The file that is looked at; None in the other mode, or while there is none.
    view
        Pair and method; None where there is nothing to pair or the choices do not go together.
    refresh
        How often live parts are drawn anew.
    notice
        Why there is no view.
    missing
        What a link asked for and this source does not have.
    """

    mode: Mode
    symbols: tuple[str, ...]
    file: TickFile | None
    view: View | None
    refresh: Refresh
    notice: Notice | None = None
    missing: Notice | None = None

    @property
    def is_file(self) -> bool:
        """Whether a file is looked at."""
        return self.mode == controls.FILE

    @property
    def is_synthetic(self) -> bool:
        """Whether a script made the data."""
        if self.mode == controls.REPLAY:
            return replaying.is_synthetic()
        return self.file is not None and self.file.is_synthetic

    @property
    def source(self) -> str:
        """The source as the reader must see it."""
        if self.mode == controls.REPLAY:
            return "Replay"
        return "Live database" if self.file is None else f"NDJSON file: {self.file.name}"

    def checked_view(self) -> View:
        """Return the view, where there must be one.

        Raises
        ------
        AnalyticsError
            There is none; the notice says why.
        """
        if self.view is None:
            raise AnalyticsError("no pair is chosen")
        return self.view

    def show_why_not(self) -> None:
        """Say why there is no view, and what to do."""
        if self.notice is not None:
            notices.show(self.notice)

    def show_missing(self) -> None:
        """Say which symbols a link asked for that are not here."""
        if self.missing is not None:
            notices.show(self.missing)


def current() -> Desk:
    """Return what the reader chose; the router has drawn the controls before the page runs."""
    desk: Desk = st.session_state[DESK]
    return desk


def show() -> None:
    """Draw the header and the sidebar; `current` has what they come to."""
    saved_views.take_up()
    choices.fulfil()
    with st.sidebar:
        mode = controls.pick_mode()
        file, symbols, why_not = _material(mode)
    prefix = "file_" if mode == controls.FILE else ""
    missing = _missing(symbols, prefix, "this file" if prefix else "the database")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="header"):
        pair = controls.pick_pair(symbols, prefix) if len(symbols) >= 2 else None
        interval = controls.pick_interval()
        lookback_s = controls.pick_range(interval, may_read_all=mode == controls.FILE)
        controls.pick_zone()
        show_pill(is_file=mode == controls.FILE, is_replay=mode == controls.REPLAY)
    with st.sidebar:
        method = controls.pick_method()
        refresh = controls.pick_refresh()
        _manage()
        saved_views.manage()
    view = None
    if pair is not None:
        try:
            view = method.view(*pair, interval, lookback_s)
        except AnalyticsError as error:
            why_not = notices.explain(error)
    st.session_state[DESK] = Desk(mode, symbols, file, view, refresh, why_not, missing)
    saved_views.keep()


def _material(mode: Mode) -> tuple[TickFile | None, tuple[str, ...], Notice | None]:
    """Find what can be paired, or say why there is nothing."""
    if mode == controls.REPLAY:
        replaying.show()
    if mode != controls.FILE:
        return None, *_recorded()
    file = file_choice.choose_file()
    if isinstance(file, Notice):
        return None, (), file
    try:
        symbols = sorted(file_choice.load(file).attrs["report"].symbols)
    except IngestError as error:
        return file, (), notices.explain(error)
    why_not = notices.single_symbol(symbols[0], file.name) if len(symbols) == 1 else None
    return file, tuple(symbols), why_not


def _recorded() -> tuple[tuple[str, ...], Notice | None]:
    is_recording = recording.current_recorder() is not None
    if source.is_replay() and not is_recording:
        return (), replaying.nothing_played()
    try:
        symbols = tuple(pair_data.recorded_symbols(pair_data.database_path()))
    except IngestError as error:
        return (), notices.explain(error)
    return symbols, None if len(symbols) >= 2 else notices.too_few(symbols, is_recording)


def _missing(symbols: tuple[str, ...], prefix: str, where: str) -> Notice | None:
    """Note which legs a link asks for that are not here; only before the controls exist."""
    keys = [f"{prefix}s1", f"{prefix}s2"]
    asked = [st.query_params.get(key, "") for key in keys if key not in st.session_state]
    lacking = [symbol for symbol in asked if symbol and symbol not in symbols]
    if lacking and symbols:
        st.session_state["missing"] = (lacking, prefix, symbols)
    kept = st.session_state.get("missing")
    if kept is None or kept[1:] != (prefix, symbols):
        return None
    return notices.missing_symbols(kept[0], symbols, where, is_restored=saved_views.is_restored())


def _manage() -> None:
    recorder = recording.current_recorder()
    if recorder is not None:
        recording.manage_symbols(recorder)
