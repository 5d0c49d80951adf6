"""How picked baskets are looked at: the settings that the Baskets page has, in place."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import streamlit as st

from analytics.baskets import METHODS
from ingest.watch import BASKET_GATES, BASKET_METHODS, WatchedBasket, WatchList, WatchStore
from pages.ui.desk import watching
from pages.ui.desk.method_controls import WINDOW_HELP
from pages.ui.state.choices import LEVELS
from pages.ui.watch import said
from pages.ui.watch.rows import row_id
from pages.ui.watch.settings import level_name, number, range_s, select

# Gates that are none of those on offer stay, while nobody chooses others.
OWN_GATES: Final = "as they are"
GATES_HELP: Final = (
    "What makes the signal NEUTRAL. data: a leg that is stale, seldom trades or lacks bars. p and "
    "half-life: no return is shown on the ten windows before, or one slower than the window."
)
METHOD_HELP: Final = "How the weights of log prices are found, at each bar anew."
RANGE_HELP: Final = "Back from the last bar: weights and tests stand on it. 20,000 bars at most."

Change = Callable[[WatchedBasket], WatchedBasket]


def of_baskets(store: WatchStore, watched: WatchList, picked: tuple[WatchedBasket, ...]) -> None:
    """Offer settings of their own to picked baskets."""
    with st.popover("Settings of these baskets", key="watch_basket_settings"):
        ids = frozenset(row_id(basket.params) for basket in picked)
        change = partial(_change, store, watched.name, ids)
        _form(picked[0], change)
        st.button(
            "As the list", key="watch_basket_as_list",
            on_click=partial(_as_list, change, watched),
            help="They follow the list's settings again; how the weights are found is kept.",
        )  # fmt: skip


def _form(start: WatchedBasket, change: Callable[[Change], None]) -> None:
    # Other settings to begin with are other controls: Streamlit keeps what a control was.
    keys = f"watch_of_baskets_{row_id(replace(start, symbols=('A', 'B', 'C')).params)}"
    with st.form("watch_of_baskets", border=False):
        left, right = st.columns(2)
        with left:
            select("Interval", keys, "interval", start.interval)
            number("Rolling window (bars)", keys, "window", start.window, WINDOW_HELP)
            number("SELL above z", keys, "sell", start.sell_above)
            select("Level of tests (%)", keys, "level", level_name(start))
        with right:
            select("Range", keys, "lookback", watching.range_name(start), RANGE_HELP)
            _one_of("Weights by", f"{keys}_method", list(BASKET_METHODS.values()),
                    BASKET_METHODS[start.method], METHOD_HELP)  # fmt: skip
            number("BUY below z", keys, "buy", start.buy_below)
            names = [name for name, gates in BASKET_GATES.items() if gates == start.gates]
            own = [] if names else [OWN_GATES]
            _one_of("Gates", f"{keys}_gates", [*own, *BASKET_GATES], (names or own)[0], GATES_HELP)
        st.form_submit_button("Set for these", on_click=partial(_submit, keys, change))


def _one_of(label: str, key: str, options: list[str], value: str, note: str) -> None:
    st.selectbox(label, options, options.index(value), key=key, help=note)


def _submit(keys: str, change: Callable[[Change], None]) -> None:
    said.try_to(lambda: change(partial(_chosen, keys)))


def _as_list(change: Callable[[Change], None], watched: WatchList) -> None:
    def follow(basket: WatchedBasket) -> WatchedBasket:
        return watching.basket_with_settings(basket, watched.settings)

    said.try_to(lambda: change(follow))


def _chosen(keys: str, basket: WatchedBasket) -> WatchedBasket:
    """Return a basket with what the form's controls say.

    Raises
    ------
    WatchListError
        A range that is not on offer at the interval.
    """

    def of(name: str) -> Any:
        return st.session_state[f"{keys}_{name}"]

    interval = str(of("interval"))
    return replace(
        basket,
        interval=interval,
        window=int(of("window")),
        method=next(method for method in METHODS if BASKET_METHODS[method] == of("method")),
        lookback_s=range_s(interval, str(of("lookback"))),
        sell_above=float(of("sell")),
        buy_below=float(of("buy")),
        level=LEVELS[str(of("level"))],
        gates=BASKET_GATES.get(str(of("gates")), basket.gates),
    )


def _change(store: WatchStore, name: str, ids: frozenset[str], change: Change) -> None:
    """Change the baskets of a list that have these names, all or none.

    Raises
    ------
    WatchListError, ParameterError
        Values that do not go together, more bars than a basket may have.
    """

    def changed(basket: WatchedBasket) -> WatchedBasket:
        if row_id(basket.params) not in ids:
            return basket
        new = change(basket)
        new.params  # noqa: B018 - raises where they do not go together
        return new

    def change_list(watched: WatchList) -> WatchList:
        return replace(watched, baskets=watching.each_once(map(changed, watched.baskets)))

    watching.change_list(store, name, change_list)
