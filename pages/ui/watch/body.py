"""The Watch page's body: which list, what is wrong with it, its table, two pairs compared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ingest.recorder import Recorder
from ingest.replay import ReplayRecorder
from ingest.watch import Watch, Watched, WatchedBasket, WatchList, WatchRow
from pages.ui.desk import recording
from pages.ui.desk.watching import FIRST_LIST, live_choices
from pages.ui.parts import files, markup, notices, plain
from pages.ui.parts.lots import lots_of
from pages.ui.parts.trade import Terms
from pages.ui.state import choices
from pages.ui.state.source import current_recorder
from pages.ui.watch import adding, compare, lists, picked, said, settings, table, words
from pages.ui.watch import files as watch_files
from pages.ui.watch.rows import moving_rows, query_of, row_id, rows_of, standing_rows

TABLE: Final = "watch_table"
MOVES: Final = "watch_moves"
MOST_BUTTONS: Final = 3
RECORDED: Final = "watch_recorded"
_OPENING: Final = "watch_opening"


@dataclass(frozen=True)
class Laid:
    """What stands on the page until somebody changes it; `below` is where two are compared."""

    watched: WatchList
    picked: tuple[Watched, ...]
    terms: Terms
    below: DeltaGenerator


def lay_out(watch: Watch) -> Laid:
    """Draw what stands still; `show_moving` fills the table."""
    if TABLE not in st.session_state:
        picked.forget()
    markup.show(markup.block(markup.heading("Watch"), css="pd-head"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="watch_controls"):
        chosen = lists.choose(watch.store)
        watched = chosen or WatchList(FIRST_LIST)
        terms = _terms(watch)
        if chosen is not None:
            _show_controls(watch, watched, terms)
    lists.show_missing()
    said.show()
    status = watch.status()
    if status.why_not:
        notices.show(words.nothing_evaluated(status.why_not))
    if status.last_error:
        plain.warning(f"Evaluating failed last: {status.last_error}.")
    if not watched.rows:
        notices.show(words.EMPTY)
        adding.show(watch.store, watched.name, watched.settings)
        return Laid(watched, (), terms, st.container())
    _offer_recording(watched)
    return _lay_out_table(watch, watched, terms)


def _terms(watch: Watch) -> Terms:
    return Terms(float(choices.value_of("capital")), lots_of(watch.settings.db))


def _show_controls(watch: Watch, watched: WatchList, terms: Terms) -> None:
    lists.manage(watch.store, watched)
    settings.of_list(watch.store, watched)
    if not watched.rows:
        return
    with st.popover("Add pairs", key="watch_adding"):
        adding.show(watch.store, watched.name, watched.settings)
    files.show([watch_files.offer(watched.name, terms)], key="watch_csv")
    with st.popover("What the columns mean", key="watch_explain"):
        markup.show(markup.block(markup.explanations(words.EXPLAINED)))
        plain.caption(words.SAME_AS_LIVE)


def _lay_out_table(watch: Watch, watched: WatchList, terms: Terms) -> Laid:
    chosen = picked.of(watched)
    picked.show(watch.store, watched, chosen)
    table.show_table(
        standing_rows(watched.rows),
        key=TABLE,
        on_open=partial(_open, watched),
        on_pin=lambda: picked.pin(watch.store, watched.name, st.session_state[TABLE]["pin"]),
        on_pick=lambda: picked.pick(st.session_state[TABLE]["picked"]),
    )
    _follow()
    return Laid(watched, chosen, terms, st.container())


def show_moving(watch: Watch, laid: Laid) -> bool:
    """Fill the table with what is known now.

    Returns
    -------
    bool
        The list is still what was laid out; where it is not, that is to be done anew.
    """
    name = laid.watched.name
    rows = rows_of(laid.watched.rows, watch.board.rows().get(name, ()))
    with st.container(key="watch_script"):
        table.show_moves(moving_rows(rows, replace(laid.terms, lots=_terms(watch).lots)), key=MOVES)
    compared = _compared(rows, laid.picked)
    with laid.below:
        if compared:
            compare.show(compared)
    return _stands(watch, laid.watched)


def _stands(watch: Watch, watched: WatchList) -> bool:
    """Whether a list is as it is stored; one that nobody has begun, where there is none at all."""
    stored = {each.name: each for each in watch.store.lists()}
    return stored.get(watched.name) == watched or (not stored and not watched.rows)


def _compared(rows: Sequence[WatchRow], pairs: tuple[Watched, ...]) -> tuple[WatchRow, ...]:
    """Return the rows to compare: two, where two are picked."""
    if len(pairs) != compare.COMPARED:
        return ()
    return tuple(row for row in rows if row.pair in pairs)


def _offer_recording(watched: WatchList) -> None:
    """Name the legs that are not recorded, each with a button that records it."""
    recorder = current_recorder()
    with st.container():  # one place, for the sake of what stands below
        if recorder is None or isinstance(recorder, ReplayRecorder):
            return
        legs = dict.fromkeys(leg for row in watched.rows for leg in _symbols(row))
        lacking = [leg for leg in legs if leg not in {*recorder.symbols, *recorder.bar_symbols}]
        if not lacking:
            return
        if len(lacking) > MOST_BUTTONS:
            _offer_many(recorder, lacking)
            return
        plain.warning(words.not_recorded(lacking))
        with st.container(horizontal=True, key="watch_record"):
            for leg in lacking:
                st.button(plain.text(f"Record {leg}"), key=f"watch_record_{leg}",
                          on_click=partial(_record, recorder, leg))  # fmt: skip


def _offer_many(recorder: Recorder, lacking: list[str]) -> None:
    """Name many legs that are not recorded in one line to be opened: one is recorded at a time."""
    label = f"{len(lacking):,} symbols of this list are not recorded"
    with st.expander(label, key="watch_lacking"):
        plain.caption(words.not_recorded(lacking))
        with st.form("watch_record_one", border=False):
            st.selectbox("Record one", lacking, key=RECORDED, width=260)
            st.form_submit_button("Record", on_click=partial(_record_chosen, recorder))


def _record_chosen(recorder: Recorder) -> None:
    _record(recorder, str(st.session_state[RECORDED]))


def _record(recorder: Recorder, symbol: str) -> None:
    said.try_to(lambda: recording.begin(recorder, symbol))


def _open(watched: WatchList) -> None:
    """Note the pair of the clicked row; the header takes it up in the next whole run."""
    wanted = st.session_state[TABLE]["open"]
    row = next((row for row in watched.rows if row_id(row.params) == wanted), None)
    if isinstance(row, WatchedBasket):
        st.session_state[_OPENING] = ("baskets.py", query_of(row))
    elif row is not None:
        choices.request(live_choices(row))
        st.session_state[_OPENING] = ("live.py", {})


def _symbols(row: Watched) -> tuple[str, ...]:
    return row.symbols if isinstance(row, WatchedBasket) else (row.y, row.x)


def _follow() -> None:
    """Go to Live with the pair taken up, or to Baskets."""
    if opening := st.session_state.pop(_OPENING, None):
        page, query = opening
        # Given none, it would clear them by a call that refuses while a control is bound to one.
        st.switch_page(page, query_params=query)
