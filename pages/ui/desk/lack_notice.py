"""A lack of bars on a page: why, what helps, and the buttons that do it."""

from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from analytics.leg import Leg, align_legs
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics, PairParams
from ingest.binance import market_name
from ingest.errors import IngestError, StoreError
from ingest.recorder import Recorder
from ingest.repair import LENGTHS_US, intervals, read_reach
from ingest.replay import ReplayRecorder
from pages.ui.desk.pair_data import PairBars
from pages.ui.desk.recording import now_us
from pages.ui.desk.remedies import Action, Fetch, Standing, advise, kline_for, span_to_fetch
from pages.ui.parts import formats, markup, notices, plain
from pages.ui.parts.markup import Html
from pages.ui.state import choices, source
from pages.ui.state.page_parts import PAGES
from pages.ui.state.source import current_recorder

SAID = "fetch_said"
DATA_PAGE = "Data"  # where history is fetched and imported


def show(lack: NotEnough | Degenerate, params: PairParams, bars: PairBars, *, key: str) -> None:
    """Say why something is not there, what brings it, and offer to do it.

    `key` tells this place on the page from others.
    """
    if isinstance(lack, Degenerate):
        notices.show(notices.degenerate(lack))
        return
    advice = advise(lack, standing(params, bars))
    plain.info(f"{notices.sentence(advice.cause)}. {advice.remedy}")
    if advice.import_words:
        markup.show(Html('<a class="pd-about" href="./data">{}</a>').format(advice.import_words))
    if not advice.actions:
        return
    with st.container(horizontal=True, gap="small"):
        for number, action in enumerate(advice.actions):
            _offer(action, params, f"{key}_{number}")
    for action in advice.actions:
        _show_said(action, params)


def latest_lack(result: PairAnalytics) -> NotEnough | None:
    """Return what the page should speak of: the first figure in reading order that lacks bars."""
    candidates = (
        result.zscore_needs, result.hedge, result.half_life, result.engle_granger,
        result.correlation_needs,
    )  # fmt: skip
    return next((each for each in candidates if isinstance(each, NotEnough)), None)


def without_zscore(params: PairParams, bars: PairBars) -> NotEnough:
    """Count what a z-score lacks where no bar has one."""
    needed = params.bars_before_spread + params.zscore_bars
    y, _ = align_legs(*bars.closed.legs, params.reach)
    return NotEnough(f"z-score of {params.label}", needed, min(len(y), needed - 1))


def standing(params: PairParams, bars: PairBars) -> Standing:
    """Find where the reader stands: what is held, whether it grows, who can be asked for more."""
    y, x = align_legs(*bars.closed.legs, params.reach)
    recorder = None if source.is_file() else current_recorder()
    is_recorded = recorder is not None and not _not_recorded(recorder, params)
    fetches = recorder is not None and is_recorded and _can_ask(recorder, params)
    return Standing(
        params=params,
        stored_bars=len(y),
        gap=newest_gap(y, x, params),
        grows=_grows(recorder)
        if recorder and is_recorded and not _too_fine(recorder, params)
        else "",
        idle=_idle(recorder, params),
        fetches=fetches,
        is_file=source.is_file(),
        nothing_earlier=_nothing_earlier(recorder, params) if fetches and recorder else "",
        begins=_begins(params, recorder),
    )


def _begins(params: PairParams, recorder: Recorder | None) -> str:
    """Name the day at which the bars begin that the range stands on; "" where none can be got."""
    if DATA_PAGE not in PAGES or params.reach is None or source.is_file() or source.is_replay():
        return ""
    end_us = params.end_us or now_us(recorder)
    begin = pd.Timestamp(end_us - params.reach * params.bar.us, unit="us", tz="UTC")
    return f"{begin:%Y-%m-%d}"


def _not_recorded(recorder: Recorder, params: PairParams) -> list[str]:
    recorded = {*recorder.symbols, *recorder.bar_symbols}
    return [symbol for symbol in (params.y, params.x) if symbol not in recorded]


def _too_fine(recorder: Recorder, params: PairParams) -> str:
    """Say which legs are recorded in longer bars than are looked at; nothing where none is."""
    if params.bar.us >= recorder.bar_length_s * 1_000_000:
        return ""
    legs = [symbol for symbol in (params.y, params.x) if symbol in recorder.bar_symbols]
    if not legs:
        return ""
    are, them = ("are", "them") if len(legs) > 1 else ("is", "it")
    return (
        f"{' and '.join(legs)} {are} recorded in bars of 1 min only: choose 1min or longer, or add"
        f" {them} under Recorded symbols in the sidebar"
    )


def _idle(recorder: Recorder | None, params: PairParams) -> str:
    """Say what to do where no bar is added just now."""
    if source.is_replay():
        return "The replay stands still: play on"
    if recorder is None:
        return "Nothing is recorded here: start the app without --no-ingest"
    absent = _not_recorded(recorder, params)
    if not absent and (too_fine := _too_fine(recorder, params)):
        return too_fine
    if absent:
        are, them = ("are", "them") if len(absent) > 1 else ("is", "it")
        where = "under Recorded symbols in the sidebar"
        return f"{' and '.join(absent)} {are} not recorded now: add {them} {where}"
    return "Recording stands still: the pill above says why"


def _can_ask(recorder: Recorder, params: PairParams) -> bool:
    """Whether the exchange can be asked for klines that the bars can be made of."""
    if isinstance(recorder, ReplayRecorder):
        return False
    return kline_for(params) in intervals(recorder.settings.market)


def _nothing_earlier(recorder: Recorder, params: PairParams) -> str:
    """Say of the leg that begins last that the exchange was asked and has nothing before.

    Nothing where it may have, or was not asked so far back yet.
    """
    settings, name, reach = recorder.settings, kline_for(params), params.reach
    if reach is None or settings.keep_days is not None or settings.keep_bytes is not None:
        return ""
    try:
        reaches = {leg: read_reach(settings.db, leg, name) for leg in (params.y, params.x)}
    except StoreError:
        return ""
    known = {leg: each for leg, each in reaches.items() if each is not None}
    if len(known) < len(reaches):
        return ""
    leg, last = max(known.items(), key=lambda each: each[1].begins_us)
    wanted_us = recorder.clock_us() - span_to_fetch(params, reach) * 1_000_000
    if not last.asked_us <= wanted_us < last.begins_us - LENGTHS_US[name]:
        return ""
    begins = formats.moment(pd.Timestamp(last.begins_us, unit="us", tz="UTC"))
    where = market_name(settings.market, settings.rest_url)
    return f"{where} has no earlier trades of {leg}: they begin at {begins}"


def newest_gap(y: Leg, x: Leg, params: PairParams) -> tuple[str, int] | None:
    """Name the newest bar that a leg is missing, and count the bars after it; None without any."""
    missing = np.flatnonzero(np.isnan(y.close) | np.isnan(x.close))
    if not missing.size:
        return None
    row = int(missing[-1])
    legs = ((params.y, y), (params.x, x))
    names = [name for name, leg in legs if np.isnan(leg.close[row])]
    time = pd.Timestamp(y.start_us + row * y.step_us, unit="us", tz="UTC")
    were = "were" if len(names) > 1 else "was"
    return f"{' and '.join(names)} {were} missing at {formats.moment(time)}", len(y) - 1 - row


def _grows(recorder: Recorder) -> Literal["live", "replay", ""]:
    """Whether each bar that closes is stored now."""
    status = recorder.status()
    if status.write_error is not None or status.refusal is not None:
        return ""
    if status.replay is not None:
        return "" if status.replay.is_paused or status.replay.has_ended else "replay"
    return "live" if status.state == "live" else ""


def _offer(action: Action, params: PairParams, key: str) -> None:
    if action.fetch is not None:
        st.button(plain.text(action.label), key=key, on_click=_fetch, args=(action.fetch, params))
    elif st.button(
        plain.text(action.label), key=key, on_click=choices.request, args=(dict(action.choose),)
    ):
        st.rerun()  # of the whole page: the notice may stand in a part that runs by itself


def _fetch(fetch: Fetch, params: PairParams) -> None:
    """Ask the recorder; the bar above the page says how far it is."""
    recorder = current_recorder()
    said = (False, "Nothing records here any more.")
    if recorder is not None:
        try:
            recorder.fetch_klines((params.y, params.x), fetch.kline, fetch.span_s)
            said = (True, f"{fetch.words} of {params.y} and {params.x} are asked for.")
        except IngestError as error:
            said = (False, f"{error}.")
    st.session_state[SAID] = (fetch, params.y, params.x), said


def _show_said(action: Action, params: PairParams) -> None:
    """Show what a fetch came to, beside its own button."""
    about, (is_well, said) = st.session_state.get(SAID, (None, (True, "")))
    if about == (action.fetch, params.y, params.x):
        (st.caption if is_well else st.error)(said)
