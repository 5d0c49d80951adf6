"""How many decimals a small number needs, so that none is written as 6.699e-05."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT: Final = 4
MOST_DECIMALS: Final = 14


def estimate_decimals(value: float) -> int:
    """Return the decimals of an estimate: four significant digits at least, 2 from 100 on."""
    size = abs(value)
    if size >= 100:
        return 2
    if size >= 1 or size == 0 or not math.isfinite(size):
        return 4
    return min(SIGNIFICANT - 1 - math.floor(math.log10(size)), MOST_DECIMALS)


def path_decimals(values: NDArray[np.float64]) -> int:
    """Return the decimals that suit a whole path: those of its middle size; NaN is skipped."""
    known = np.abs(values[np.isfinite(values) & (values != 0)])
    return estimate_decimals(float(np.median(known))) if known.size else SIGNIFICANT
