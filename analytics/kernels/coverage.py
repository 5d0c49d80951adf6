"""How lately and how often a leg traded, bar by bar."""

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.jit import compiled


@compiled
def since_traded(traded: BoolArray) -> FloatArray:
    """Count the bars since each bar's last traded one, 0 in it; from the start on before any."""
    since = np.empty(traded.size)
    last = -1
    for t in range(traded.size):
        if traded[t]:
            last = t
        since[t] = t - last
    return since


@compiled
def trailing_count(traded: BoolArray, window: int) -> IntArray:
    """Count the traded ones of the `window` bars that end at each bar, fewer at the start."""
    counts = np.empty(traded.size, dtype=np.int64)
    count = 0
    for t in range(traded.size):
        count += traded[t]
        if t >= window:
            count -= traded[t - window]
        counts[t] = count
    return counts
