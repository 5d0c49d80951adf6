"""The desk's header and sidebar, drawn before every page, and what they come to: a `Desk`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from analytics.errors import AnalyticsError
from ingest.errors import IngestError
from ingest.recorder import Recorder
from ingest.settings import current_settings
from pages.ui.desk import (
    controls,
    file_choice,
    link_numbers,
    method_controls,
    pair_data,
    recording,
    remedies,
    replaying,
    saved_views,
)
from pages.ui.desk.bell import show_bell
from pages.ui.desk.controls import Refresh, View
from pages.ui.desk.file_choice import TickFile
from pages.ui.desk.pill import show_pill
from pages.ui.desk.remedies import Action, Advice
from pages.ui.parts import formats, notices
from pages.ui.parts.notices import Notice
from pages.ui.state import choices
from pages.ui.state.choices import Mode
from pages.ui.state.page_parts import Page
from pages.ui.state.ranges import Range
from pages.ui.state.source import current_recorder

DESK: Final = "desk"


@dataclass(frozen=True, eq=False)
class Desk:
    """What the reader chose, the same on every page.

    Attributes
    ----------
    mode
        The recorded market or a file.
    symbols
        What has stored trades.
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
    offers
        Buttons beside the notice.
    """

    mode: Mode
    symbols: tuple[str, ...]
    file: TickFile | None
    view: View | None
    refresh: Refresh
    notice: Notice | None = None
    missing: Notice | None = None
    offers: tuple[Action, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether a file is looked at."""
        return self.mode == choices.FILE

    @property
    def is_synthetic(self) -> bool:
        """Whether a script made the data."""
        if self.mode == choices.REPLAY:
            return replaying.is_synthetic()
        return self.file is not None and self.file.is_synthetic

    @property
    def source(self) -> str:
        """The source as the reader must see it."""
        if self.mode == choices.REPLAY:
            return "Replay"
        if self.file is None:
            return "Live database"
        return f"NDJSON file: {formats.clipped(self.file.name)}"

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
        with st.container(horizontal=True, gap="small"):
            for number, action in enumerate(self.offers):
                choose = (dict(action.choose),)
                if st.button(
                    action.label, key=f"offer_{number}", on_click=choices.request, args=choose
                ):
                    st.rerun()  # of the whole page: the notice may stand in a part of it

    def show_missing(self) -> None:
        """Say which symbols a link asked for that are not here."""
        if self.missing is not None:
            notices.show(self.missing)


def current() -> Desk:
    """Return what the reader chose; the router has drawn the controls before the page runs."""
    desk: Desk = st.session_state[DESK]
    return desk


def show(page: Page) -> None:
    """Draw of header and sidebar what plays a part on a page; `current` has what they come to."""
    link_numbers.correct(page.path)
    saved_views.take_up()
    choices.begin_run()
    choices.fulfil()
    with st.sidebar:
        mode = _source(page)
        material = _material(mode) if page.has_pair else _Material()
    missing = _missing(mode, material) if page.has_pair else None
    # One line: what is looked at, and bell and pill at its end.
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="bar"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="header"):
            asked = _ask(page, mode, material) if page.has_pair else None
            if page.has_times:
                controls.pick_zone()
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="state"):
            show_bell()
            show_pill(is_file=mode == choices.FILE, is_replay=mode == choices.REPLAY)
    link_numbers.show_refused(page.path)
    stretch = controls.chosen_stretch()
    if page.has_pair and stretch.wrong:
        notices.show(Notice(notices.sentence(stretch.wrong), "The range above stands in for it."))
    with st.sidebar:
        method = None
        if page.method is not None:
            method = method_controls.pick_method(page.method, is_traded=page.is_live)
        moves = page.is_live and mode != choices.FILE
        refresh = controls.pick_refresh() if moves else controls.STILL
        if mode != choices.FILE and (page.has_symbols or len(material.stored) < 2):
            _manage()
        if page.has_pair:
            saved_views.manage()
    view, why_not = None, material.why_not
    offers: tuple[Action, ...] = ()
    refused = None if asked is None else _too_long(mode, *asked)
    if refused is not None:
        why_not, offers = Notice(refused.cause, refused.remedy, is_fault=False), refused.actions
    elif asked is not None and method is not None:
        try:
            view = method.view(*asked)
        except AnalyticsError as error:
            why_not = notices.explain(error)
    st.session_state[DESK] = Desk(
        mode, material.stored, material.file, view, refresh, why_not, missing, offers
    )


def keep() -> None:
    """Keep what is chosen for the next start; once the page has drawn its controls too."""
    saved_views.keep()


@dataclass(frozen=True, eq=False)
class _Material:
    """What can be paired: with stored trades, and in the order in which it is offered."""

    file: TickFile | None = None
    stored: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    why_not: Notice | None = None


def _source(page: Page) -> Mode:
    """Choose where the data is from, where it makes a difference.

    A page without a pair shows the recording or the replay, whatever file is looked at elsewhere.
    """
    if page.has_pair:
        return controls.pick_mode()
    if choices.value_of("mode") != choices.REPLAY:
        return choices.LIVE
    if not page.has_symbols:
        return choices.REPLAY
    mode = controls.pick_mode()
    replaying.show()
    return mode


def _material(mode: Mode) -> _Material:
    """Find what can be paired, or say why there is nothing."""
    if mode == choices.REPLAY:
        replaying.show()
    if mode != choices.FILE:
        return _recorded(mode)
    file = file_choice.choose_file()
    if isinstance(file, Notice):
        return _Material(why_not=file)
    try:
        symbols = tuple(sorted(file_choice.load(file).attrs["report"].symbols))
    except IngestError as error:
        return _Material(file, why_not=notices.explain(error))
    why_not = notices.single_symbol(symbols[0], file.name) if len(symbols) == 1 else None
    return _Material(file, symbols, symbols, why_not)


def _recorded(mode: Mode) -> _Material:
    recorder = current_recorder()
    if mode == choices.REPLAY and recorder is None:
        return _Material(why_not=replaying.nothing_played())
    try:
        stored = tuple(pair_data.recorded_symbols(pair_data.database_path()))
    except IngestError as error:
        return _Material(why_not=notices.explain(error))
    if len(stored) < 2:
        why_not = notices.too_few(stored, is_recording=recorder is not None)
        return _Material(stored=stored, offered=stored, why_not=why_not)
    return _Material(stored=stored, offered=in_order(stored, recorder))


def in_order(stored: tuple[str, ...], recorder: Recorder | None) -> tuple[str, ...]:
    """Put the symbols as they were named at the start first: the first two are the first pair.

    What is being recorded is offered before its first trade, so that the pair does not depend on
    which symbol trades first. After them a universe's by volume, then the others by name.
    """
    recorded = () if recorder is None else recorder.symbols
    named = current_settings().symbols or recorded
    there = {*stored, *recorded}
    first = (*named, *by_volume(stored, recorder))
    return tuple(dict.fromkeys(each for each in first if each in there))


def by_volume(symbols: Sequence[str], recorder: Recorder | None) -> list[str]:
    """Put those of a universe first, by their volume of 24 h; the others keep their order."""
    ranked = () if recorder is None else recorder.universe_symbols
    place = {symbol: number for number, symbol in enumerate(ranked)}
    return sorted(symbols, key=lambda each: place.get(each, len(place)))


def _too_long(mode: Mode, y: str, x: str, interval: str, asked: Range) -> Advice | None:
    """Refuse a range of more bars than a page shows, before any of them is read."""
    seconds, is_file = asked.lookback_s, mode == choices.FILE
    if seconds is None and not is_file:
        seconds = pair_data.held_seconds(pair_data.database_path(), (y, x), interval)
    key = "span" if is_file else "lookback"
    return None if seconds is None else remedies.too_long(interval, seconds, key)


def _ask(page: Page, mode: Mode, material: _Material) -> tuple[str, str, str, Range] | None:
    """Ask for pair, interval and range; None where there is nothing to pair."""
    is_file = mode == choices.FILE
    is_pair = len(material.stored) >= 2
    offered = controls.recent_first(material.offered, page.path)
    legs = controls.pick_pair(offered, _prefix(mode)) if is_pair else None
    interval = controls.pick_interval()
    pick = controls.pick_range if page.has_range else controls.chosen_range
    asked = pick(interval, may_read_all=is_file)
    return None if legs is None else (*legs, interval, asked)


def _prefix(mode: Mode) -> str:
    """Keep a file's pair apart from the database's."""
    return "file_" if mode == choices.FILE else ""


def _missing(mode: Mode, material: _Material) -> Notice | None:
    """Note which legs a link asks for that are not here; only before the controls exist."""
    prefix, there = _prefix(mode), material.offered
    keys = [f"{prefix}s1", f"{prefix}s2"]
    asked = [
        str(choices.present_name(key, st.query_params.get(key, "")))
        for key in keys
        if key not in st.session_state
    ]
    lacking = [symbol for symbol in asked if symbol and symbol not in there]
    if lacking and there:
        st.session_state["missing"] = (lacking, prefix, there)
    noted = st.session_state.get("missing")
    if noted is None or noted[1:] != (prefix, there):
        return None
    return notices.missing_symbols(noted[0], there, "this file" if prefix else "the database")


def _manage() -> None:
    recorder = current_recorder()
    if recorder is not None:
        recording.manage_symbols(recorder)
