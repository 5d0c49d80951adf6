"""Compile a numeric loop with numba: cached on disk, free of the interpreter's lock.

Modules named ``kernel_*`` import numba, which takes about half a second: import them inside the
function that needs them, not at the top of a module that a page imports.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile with IEEE arithmetic in the order written: the same bits from the same bars."""
    return cast("Function", njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_sums(function: Function) -> Function:
    """Compile with sums that may be taken in any order, so that they run in vector registers.

    For statistics of a whole sample without NaN only: a causal path must not change by a bit.
    """
    made = njit(
        cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nnan", "nsz"}
    )
    return cast("Function", made(function))
