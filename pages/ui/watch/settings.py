"""How pairs are looked at: of a list, and of rows that have their own."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import streamlit as st

from analytics.errors import AnalyticsError
from analytics.spread import SPREAD_KINDS
from ingest.watch import Watched, WatchedBasket, WatchedPair, WatchList, WatchStore
from pages.ui.desk import watching
from pages.ui.desk.method_controls import GATE_SWITCHES, HEDGE_HELP, SPREAD_HELP, WINDOW_HELP
from pages.ui.parts import formats, plain
from pages.ui.parts.plain import Tone
from pages.ui.state import choices
from pages.ui.state.choices import AUTO, CHOICES, LEVELS, LOOKBACKS_S, Number, OneOf
from pages.ui.watch import said
from pages.ui.watch.rows import row_id

Save = Callable[[WatchedPair], tuple[Tone, str] | None]

RANGE_HELP: Final = "Back from the last trade; auto is what Live takes at each interval."


def of_list(store: WatchStore, watched: WatchList) -> None:
    """Offer the settings of a list: of its new rows, and of those that have the same now."""
    with st.popover("Settings", key="watch_settings"):
        followers = sum(_follows(row, watched) for row in watched.rows)
        plain.caption(
            f"Of new rows, and of the {followers:,} of {formats.count(len(watched.rows), 'row')} "
            "that have the list's settings now. Rows with their own keep them."
        )
        save = partial(_save_for_list, store, watched.name)
        _form("watch_of_list", watched.settings, "Set for the list", save)


def of_rows(store: WatchStore, watched: WatchList, picked: tuple[WatchedPair, ...]) -> None:
    """Offer settings of their own to picked rows."""
    with st.popover("Settings of these", key="watch_row_settings"):
        ids = frozenset(row_id(pair.params) for pair in picked)
        save = partial(_save_for_rows, store, watched.name, ids)
        _form("watch_of_rows", watching.without_symbols(picked[0]), "Set for these", save)
        st.button(
            "As the list", key="watch_as_list",
            on_click=partial(_submit_settings, save, watched.settings),
            help="They follow the list's settings again.",
        )  # fmt: skip


def _form(prefix: str, start: WatchedPair, label: str, save: Save) -> None:
    # Other settings to begin with are other controls: Streamlit keeps what a control was.
    keys = f"{prefix}_{row_id(replace(start, y='Y', x='X').params)}"
    with st.form(prefix, border=False):
        left, right = st.columns(2)
        with left:
            select("Interval", keys, "interval", start.interval)
            select("Spread", keys, "spread", start.spread, SPREAD_HELP)
            number("SELL above z", keys, "sell", start.sell_above)
            number("Rolling window (bars)", keys, "window", start.window, WINDOW_HELP)
        with right:
            select("Range", keys, "lookback", watching.range_name(start), RANGE_HELP)
            select("Hedge ratio β", keys, "hedge", start.hedge, HEDGE_HELP)
            number("BUY below z", keys, "buy", start.buy_below)
            select("Level of tests (%)", keys, "level", level_name(start))
        st.caption("The signal is NEUTRAL while a gate that is on is closed.")
        for gate in GATE_SWITCHES:
            value = bool(getattr(start.gates, gate.field))
            st.toggle(plain.text(gate.label), value, key=f"{keys}_{gate.field}",
                      help=f"Closed while {gate.closes}.")  # fmt: skip
        st.form_submit_button(label, on_click=partial(_submit, keys, start, save))


def select(label: str, keys: str, key: str, value: str, note: str | None = None) -> None:
    """Ask for one of what Live offers under a key."""
    kind = CHOICES[key]
    assert isinstance(kind, OneOf), f"{key} is one of some names"
    options = list(kind.options)
    st.selectbox(label, options, options.index(value), key=f"{keys}_{key}", help=note)


def number(label: str, keys: str, key: str, value: float, note: str | None = None) -> None:
    """Ask for a number as Live does under a key; one that it does not take is the nearest."""
    kind = CHOICES[key]
    assert isinstance(kind, Number), f"{key} is a number"
    start = type(kind.default)(min(max(value, kind.low), kind.high))
    st.number_input(label, kind.low, kind.high, start, kind.step, key=f"{keys}_{key}", help=note)


def level_name(pair: Watched) -> str:
    """Name the level of a row's tests as Live has it."""
    return next((name for name, level in LEVELS.items() if level == pair.level), "5")


def _submit_settings(save: Save, chosen: WatchedPair) -> None:
    said.try_to(partial(save, chosen))


def _submit(keys: str, start: WatchedPair, save: Save) -> None:
    said.try_to(lambda: save(_chosen(keys, start)))


def _chosen(keys: str, start: WatchedPair) -> WatchedPair:
    """Return what the form's controls say.

    Raises
    ------
    WatchListError, ParameterError
        A range that is not on offer at the interval; values that do not go together.
    """

    def of(name: str) -> Any:
        """What stands in the field of this name."""
        return st.session_state[f"{keys}_{name}"]

    interval = str(of("interval"))
    gates = {gate.field: bool(of(gate.field)) for gate in GATE_SWITCHES}
    chosen = replace(
        start,
        interval=interval,
        window=int(of("window")),
        spread=next(kind for kind in SPREAD_KINDS if kind == of("spread")),
        hedge=str(of("hedge")),
        lookback_s=range_s(interval, str(of("lookback"))),
        sell_above=float(of("sell")),
        buy_below=float(of("buy")),
        level=LEVELS[str(of("level"))],
        gates=replace(start.gates, **gates),
    )
    replace(chosen, y="Y", x="X").params  # noqa: B018 - raises where they do not go together
    return chosen


def range_s(interval: str, span: str) -> int | None:
    """Return the seconds of a range that Live has at an interval; None for auto.

    Raises
    ------
    WatchListError
        It is not on offer there.
    """
    offered = choices.lookbacks_on_offer(interval)
    if span not in offered:
        raise watching.WatchListError(
            f"at {interval} the range is one of {', '.join(offered)}, not {span}"
        )
    return None if span == AUTO else LOOKBACKS_S[span]


def _follows(row: Watched, watched: WatchList) -> bool:
    if isinstance(row, WatchedBasket):
        return watching.basket_with_settings(row, watched.settings) == row
    return watching.without_symbols(row) == watched.settings


def _save_for_list(store: WatchStore, name: str, settings: WatchedPair) -> tuple[Tone, str] | None:
    kept: list[str] = []

    def followed(basket: WatchedBasket) -> WatchedBasket:
        changed = watching.basket_with_settings(basket, settings)
        try:
            changed.params  # noqa: B018 - raises where they do not go together
        except AnalyticsError as error:
            kept.append(f"{basket.y} keeps its settings: {error}.")
            return basket
        return changed

    def change(watched: WatchList) -> WatchList:
        pairs = (
            watching.with_settings(pair, settings) if _follows(pair, watched) else pair
            for pair in watched.pairs
        )
        baskets = (
            followed(basket) if _follows(basket, watched) else basket for basket in watched.baskets
        )
        return replace(
            watched,
            settings=settings,
            pairs=watching.each_once(pairs),
            baskets=watching.each_once(baskets),
        )

    watching.change_list(store, name, change)
    return ("warning", "\n".join(kept)) if kept else None


def _save_for_rows(
    store: WatchStore, name: str, ids: frozenset[str], settings: WatchedPair
) -> None:
    def change(watched: WatchList) -> WatchList:
        pairs = (
            watching.with_settings(pair, settings) if row_id(pair.params) in ids else pair
            for pair in watched.pairs
        )
        return replace(watched, pairs=watching.each_once(pairs))

    watching.change_list(store, name, change)
