"""The live page: a pair from the recorded market or from a file, its signal, charts and exports."""

from functools import partial

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from ingest.settings import current_settings
from ingest.status import RecorderStatus
from pages.ui.desk import file_choice, header, pair_data, recording, replaying
from pages.ui.live import body, exports
from pages.ui.parts import notices, plain, status
from pages.ui.parts.lots import lots_of
from pages.ui.state.choices import REPLAY
from pages.ui.state.source import current_recorder


def main() -> None:
    """Show what the header asks for."""
    desk = header.current()
    desk.show_missing()
    with notices.shown_in_place():
        if not desk.is_file:
            show_database(desk)
        elif desk.view is None or desk.file is None:
            desk.show_why_not()
        else:
            show_file_pair(desk, desk.file)
            body.show_report(file_choice.load(desk.file).attrs["report"])


def show_database(desk: header.Desk) -> None:
    """Show the recorded market; of it only `live_body` is drawn anew at each refresh."""
    live_desk(desk)
    if desk.view is not None:
        offer_stored_ticks(desk)


@st.fragment
def live_desk(desk: header.Desk) -> None:
    """Draw what stands still, and what the reader chooses in it."""
    pair = None if desk.view is None else stored_pair(desk)
    places = body.lay_out(pair)
    with places.chart:
        live_body(desk, pair, places)


def stored_pair(desk: header.Desk) -> body.Pair:
    """Name a pair of the database, read back from its last trade."""
    view = desk.checked_view()
    params, path = view.params, pair_data.database_path()
    read = partial(pair_data.read_pair, path, params)
    lots = partial(lots_of, path)
    is_now = params.until is None
    is_watchable = is_now and (desk.mode != REPLAY or current_settings().replay is not None)
    return body.Pair(params, body.Source.of(desk), read, view.capital, lots, is_watchable)


@st.fragment
def live_body(desk: header.Desk, pair: body.Pair | None, places: body.Places) -> None:
    """Draw everything that moves; the timer stands inside, so that only this is redrawn."""
    recorder = current_recorder()
    recorded = recording.status_at_moment(recorder) if recorder else None
    is_laid_out = True
    if pair is None:
        with places.top:
            st.empty()  # reserves the place where there is nothing to say
            desk.show_why_not()
    else:
        feed = () if pair.stands_still else status.feed_words(recorded)
        is_laid_out = body.show_pair(pair, places, feed)
    show_standing(recorded, places)
    if not is_laid_out or has_other_symbols(desk, is_fed=recorder is not None):
        st.rerun()
    if not (desk.refresh.is_paused or (pair is not None and pair.stands_still)):
        st_autorefresh(desk.refresh.every_s * 1_000, key="refresh")


def has_other_symbols(desk: header.Desk, *, is_fed: bool) -> bool:
    """Whether there are other symbols now than those offered; a replay that is none has none."""
    if desk.mode == REPLAY and not is_fed:
        return bool(desk.symbols)
    return pair_data.has_other_symbols(pair_data.database_path(), desk.symbols)


def show_standing(recorded: RecorderStatus | None, places: body.Places) -> None:
    """Say what the recorder has to say, above the rest but after it: nothing else moves then."""
    trouble = status.last_error(recorded)
    replay = None if recorded is None else recorded.replay
    if not (trouble or replay or notices.has_standing(recorded)):
        return
    with places.top, st.container(key="standing"):
        notices.show_standing(recorded)
        if trouble:
            plain.error(f"Last error: {trouble}")
        if replay is not None:
            plain.progress(*replaying.progress(replay))


@st.fragment
def offer_stored_ticks(desk: header.Desk) -> None:
    """Offer the stored ticks; apart from the live body, so that no refresh closes it."""
    params = desk.checked_view().params
    path, legs = pair_data.database_path(), (params.y, params.x)
    with notices.shown_in_place():
        span = pair_data.recorded_span(path, legs)
        if span is not None:
            read = partial(exports.stored_ticks, path, legs)
            count = partial(exports.count_stored_ticks, path, legs)
            exports.offer_ticks(exports.TickSource(*legs, *span, read, count))


@st.fragment
def show_file_pair(desk: header.Desk, file: file_choice.TickFile) -> None:
    """Show the same as live, over a file's ticks."""
    view, ticks = desk.checked_view(), file_choice.load(file)
    params = view.params
    read = partial(pair_data.bars_of_ticks, ticks, file.content, params)
    pair = body.Pair(params, body.Source.of(desk), read, view.capital)
    places = body.lay_out(pair, may_read_all=True)
    with places.chart:
        body.show_pair(pair, places)
    with notices.shown_in_place():
        legs = (params.y, params.x)
        exports.offer_ticks(exports.source_of_file(ticks, *legs, is_synthetic=file.is_synthetic))


main()
