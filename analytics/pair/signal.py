"""The signal of the latest bar with its reason, and what figures still lack."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from analytics.frames import BoolArray, FloatArray
from analytics.hedge import FILTERS, HedgeFit
from analytics.outcome import Degenerate, NotEnough
from analytics.pair.params import PairParams
from analytics.pair.spread import PairSpread
from analytics.signals import Signal, SignalNow, reason_for, signal_for


def _trailing_run(unknown: BoolArray) -> int:
    """Count the known bars at the end of the path, up to the latest unknown one."""
    backwards = unknown[::-1]
    latest = int(np.argmax(backwards)) if unknown.size else 0
    return latest if unknown.size and backwards[latest] else int(unknown.size)


def zscore_needs(
    y: FloatArray, x: FloatArray, made: PairSpread, params: PairParams
) -> NotEnough | None:
    """Count the bars that the latest z-score still lacks; None once it lacks none.

    Those before the spread begins, where its hedge ratio has to start up, are counted too.
    """
    if params.uses_beta and isinstance(made.hedge, Degenerate):
        return None
    run = _trailing_run(np.isnan(made.path.to_numpy()[-params.zscore_bars :]))
    if run >= params.zscore_bars:
        return None
    needed = params.bars_before_spread + params.zscore_bars
    had = params.bars_before_spread + run
    if not run:
        unknown = np.isnan(y + x)
        # An expanding line and a filter step over missing bars, a window does not.
        steps_over = params.uses_beta and params.hedge in {"expanding_ols", *FILTERS}
        known = int((~unknown).sum()) if steps_over else _trailing_run(unknown)
        had = min(known, needed - 1)
    return NotEnough(f"z-score of {params.label}", needed, had)


def correlation_needs(y: FloatArray, x: FloatArray, params: PairParams) -> NotEnough | None:
    """Count what the latest correlation still lacks; None once it has enough."""
    on_returns = params.correlation_on == "returns"
    needed = params.window + 1 if on_returns else params.window
    had = _trailing_run(np.isnan(y[-needed:] + x[-needed:]))
    return NotEnough(f"correlation of {params.label}", needed, had) if had < needed else None


def signal_now(
    y: pd.Series, x: pd.Series, made: PairSpread, z: pd.Series, params: PairParams, gate: str
) -> SignalNow:
    """Turn the latest z-score into a signal; NEUTRAL where there is none or a gate is closed.

    `gate` says in words what closed the gate; "" where all are open.
    """
    if z.empty:
        return SignalNow("NEUTRAL", math.nan, None, "no closed bar of both legs yet")
    latest, time = float(z.iloc[-1]), z.index[-1]

    def why() -> str:
        lack = None if isinstance(made.hedge, HedgeFit) else made.hedge
        closes = {str(leg.name): leg.to_numpy() for leg in (y, x)}
        return why_no_zscore(closes, lambda row: y.index[row], made.path.to_numpy(), lack, params)

    signal, reason = signal_and_reason(latest, params, gate, why)
    return SignalNow(signal, latest, time, reason)


def signal_and_reason(
    zscore: float, params: PairParams, gate: str, why: Callable[[], str]
) -> tuple[Signal, str]:
    """Turn one z-score into a signal; `why` says in words why there is none."""
    if math.isnan(zscore):
        return "NEUTRAL", why()
    plain = reason_for(zscore, params.sell_above, params.buy_below)
    if gate:
        return "NEUTRAL", f"{gate}; without this gate: {plain}"
    return signal_for(zscore, params.sell_above, params.buy_below), plain


def why_no_zscore(
    closes: Mapping[str, FloatArray],
    time_of: Callable[[int], pd.Timestamp],
    path: FloatArray,
    lack: NotEnough | Degenerate | None,
    params: PairParams,
) -> str:
    """Say why the latest bar has no z-score: leg missing, no hedge, window not full, or flat.

    `closes` are those of y and x by their names, `time_of` gives the time of a row, `path` is the
    spread, `lack` why it has no hedge ratio.
    """
    size = path.size
    if absent := _absent(closes, time_of, size - 1):
        return absent
    if params.uses_beta and lack is not None:
        return lack.reason
    run = _trailing_run(np.isnan(path))
    if run >= params.zscore_bars:
        return f"the spread did not move over the last {params.window} bars"
    cause = ""
    if run < size:
        cause = _absent(closes, time_of, size - 1 - run) or "the hedge ratio is known"
    since = f" since {cause}" if cause else ""
    return f"window not full: {run} of {params.window} bars{since}"


def _absent(
    closes: Mapping[str, FloatArray], time_of: Callable[[int], pd.Timestamp], row: int
) -> str:
    """Name the legs missing at a row, with its time; empty where both are known."""
    names = [name for name, values in closes.items() if math.isnan(values[row])]
    return f"{' and '.join(names)} missing at {time_of(row):%H:%M:%S} UTC" if names else ""
