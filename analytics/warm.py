"""Compile every kernel before a page needs it: seconds the first time, then read from the cache."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from analytics.backtest import SYMMETRIC_RULES, run_backtest, sweep_backtest
from analytics.frames import FloatArray, utc_index
from analytics.hedge import fit_hedge
from analytics.leg import Leg
from analytics.pair import PairParams, analyse_pair
from analytics.scanner import scan_pairs
from analytics.spread import rolling_correlation, rolling_moments
from analytics.stationarity import (
    adf_test,
    engle_granger_test,
    trailing_adf,
    trailing_engle_granger,
)

# In the order in which pages are opened.
Part = Literal["live", "gates", "evidence", "backtest", "scan"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

# Functions that numba compiles for each part on a machine that has none in its cache, in this
# order, counted: they say how far the work is, no more.
FUNCTIONS: Final[dict[Part, int]] = {
    "live": 57, "gates": 13, "evidence": 0, "backtest": 28, "scan": 25,
}  # fmt: skip

_BARS = 300
_warm: set[Part] = set()
_under_way: set[Part] = set()
# What is compiled now, and what somebody waits for: each is replaced, never changed.
_at: tuple[Part, ...] = ()
_wanted: tuple[Part, ...] = ()
_compiled: dict[Part, int] = dict.fromkeys(PARTS, 0)
_listeners: list[Callable[[], object]] = []


class Progress(NamedTuple):
    """How many of the functions that somebody waits for are compiled."""

    done: int
    total: int


def warm_up(
    after_each: Callable[[Part], object] | None = None,
    before_each: Callable[[Part], object] | None = None,
) -> int:
    """Run each compiled function once on a small seeded pair; return how many calls it took.

    Call it from a thread beside the page's, when the process starts: compiling holds numba's own
    lock, not the interpreter's for long. Once warm, none are made again. `after_each` is called
    with the name of each part that is done, `before_each` with that of each that comes next: it
    may have it compiled elsewhere and `count` what is.
    """
    global _at  # noqa: PLW0603 - one warm-up a process
    made = 0
    missing = [part for part in PARTS if part not in _warm]
    _under_way.update(missing)
    try:
        while missing:
            part = next(each for each in (*_wanted, *missing) if each in missing)
            missing.remove(part)
            _at = (part,)
            if before_each is not None:
                before_each(part)
            made += run_part(part, partial(count, part))
            _warm.add(part)
            _under_way.discard(part)
            _tell()
            if after_each is not None:
                after_each(part)
    finally:
        _at = ()
        _under_way.clear()
        _tell()
    return made


def run_part(part: Part, compiled: Callable[[], object]) -> int:
    """Run what a part compiles, here; `compiled` is called for each function not in the cache."""
    y, x = np.random.default_rng(0).normal(size=(2, _BARS)).cumsum(axis=1) + 100.0
    calls = _CALLS[part](y, x)
    with _listening(compiled):
        for call in calls:
            call()
    return len(calls)


def count(part: Part) -> None:
    """Note that one more of a part's functions is compiled, here or elsewhere."""
    _compiled[part] += 1


def on_change(call: Callable[[], object]) -> None:
    """Have a function called, by the thread that compiles, when a part is done and at the end."""
    _listeners.append(call)


def _tell() -> None:
    for call in _listeners:
        call()


def is_ready(*parts: Part) -> bool:
    """Whether a page that needs these parts has nothing to wait for.

    False only while a warm-up has not come to its end: where none runs, what a page calls is
    compiled or read from the cache as it is called.
    """
    return _under_way.isdisjoint(parts)


def prefer(parts: Sequence[Part]) -> None:
    """Let a warm-up take these next, after what it is at."""
    global _wanted  # noqa: PLW0603 - of the last who asked
    _wanted = tuple(parts)


def progress(parts: Sequence[Part]) -> Progress | None:
    """Tell how far the work is that these parts wait for; None where nothing had to be compiled.

    That is so where all comes from the cache: a second or two at every start but the first.
    """
    awaited = {*parts, *_at}
    if not any(_compiled[part] for part in awaited):
        return None
    done = sum(_done(part) for part in awaited)
    return Progress(done, sum(FUNCTIONS[part] for part in awaited))


def _done(part: Part) -> int:
    """Count what is compiled of a part; one that is ready is complete, whatever was counted."""
    known = FUNCTIONS[part]
    return known if part in _warm else min(_compiled[part], known)


@contextmanager
def _listening(compiled: Callable[[], object]) -> Iterator[None]:
    """Call for each function that any thread compiles; not for those read from the cache."""
    event = importlib.import_module("numba.core.event")  # half a second

    class Counter(event.Listener):  # type: ignore[name-defined,misc]
        def on_start(self, _: Any) -> None:
            """Nothing is done yet."""

        def on_end(self, _: Any) -> None:
            compiled()

    with event.install_listener("numba:compile", Counter()):
        yield


def _leg(close: FloatArray) -> Leg:
    """Take prices as bars of a second, each of one trade."""
    ones = np.ones(close.size)
    return Leg(0, 1_000_000, close.copy(), ones, ones.astype(np.int64), ones.astype(np.int8) * 0)


def _live(y: FloatArray, x: FloatArray) -> list[Callable[[], object]]:
    return [
        lambda: analyse_pair(_leg(y), _leg(x), PairParams("Y", "X", window=20)),
        *_single(y, x),
        *_single(pd.Series(y), pd.Series(x)),
    ]


def _single(y: FloatArray | pd.Series, x: FloatArray | pd.Series) -> list[Callable[[], object]]:
    return [
        lambda: rolling_moments(y, 20),
        lambda: rolling_correlation(y, x, 20),
        lambda: adf_test(y),
        lambda: adf_test(y, autolag=None, max_lags=1),
        lambda: engle_granger_test(y, x),
        lambda: fit_hedge(y, x),
        lambda: fit_hedge(y, x, intercept=False),
        lambda: fit_hedge(y, x, "rolling_ols", window=20),
        lambda: fit_hedge(y, x, "expanding_ols"),
        lambda: fit_hedge(y, x, "kalman"),
        lambda: fit_hedge(y, x, "kalman", delta=1e-4, ve=1e-3).innovations,
    ]


def _evidence(*_: FloatArray) -> list[Callable[[], object]]:
    # Three seconds that no page should wait for.
    needed = ("statsmodels.tsa.stattools", "statsmodels.tsa.vector_ar.vecm", "arch.unitroot")
    return [partial(importlib.import_module, name) for name in needed]


def _gates(y: FloatArray, x: FloatArray) -> list[Callable[[], object]]:
    starts, ends = np.array([0, 100]), np.array([200, 300])
    return [
        lambda: trailing_engle_granger(y, x, starts, ends),
        lambda: trailing_engle_granger(pd.Series(y), pd.Series(x), starts, ends),
        lambda: trailing_adf(y, starts, ends),
        lambda: trailing_adf(pd.Series(y), starts, ends),
    ]


def _backtest(y: FloatArray, x: FloatArray) -> list[Callable[[], object]]:
    return [lambda: warm_backtest(y, x)]


def _scan(y: FloatArray, x: FloatArray) -> list[Callable[[], object]]:
    return [lambda: scan_pairs(pd.DataFrame({"y": y, "x": x}))]


_CALLS: Final[dict[Part, Callable[[FloatArray, FloatArray], list[Callable[[], object]]]]] = {
    "live": _live,
    "evidence": _evidence,
    "gates": _gates,
    "backtest": _backtest,
    "scan": _scan,
}


def warm_backtest(y: FloatArray, x: FloatArray) -> None:
    """Run and sweep once over small legs with prices above 0."""
    legs = []
    for closes in (np.asarray(y), np.asarray(x)):
        columns = dict.fromkeys(("open", "high", "low", "close"), closes)
        bars = pd.DataFrame(
            {**columns, "volume": 1.0, "trades": 1, "coverage": "traded"},
            index=utc_index(np.arange(closes.size) * 1_000_000),
        )
        legs.append(bars.astype({"coverage": "str"}))
    params = PairParams("y", "x", spread="log", hedge="rolling_ols", window=20)
    run_backtest(legs[0], legs[1], params, SYMMETRIC_RULES)
    sweep_backtest(legs[0], legs[1], params, SYMMETRIC_RULES, windows=[20], entries=[1.0])
