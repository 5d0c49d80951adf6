"""Compile a numeric loop with numba: cached on disk, free of the interpreter's lock.

Modules of this folder import numba, which takes about half a second: import them inside the
function that needs them, not at the top of a module that a page imports.

Compiling is the price of a first start, some seconds of it: array expressions and assignments of
slices cost more of it than loops do.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from numba import njit

from analytics.kernels.numba_private import compile_once_per_type

Function = TypeVar("Function", bound=Callable[..., object])

# numba's annotations lack its option; no C pointer to a kernel is ever asked for.
_OPTIONS: Final[Any] = {
    "cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True
}  # fmt: skip


def compiled(function: Function) -> Function:
    """Compile with IEEE arithmetic in the order written: the same bits from the same bars."""
    return cast("Function", compile_once_per_type(njit(**_OPTIONS)(function)))


def compiled_sums(function: Function) -> Function:
    """Compile with sums that may be taken in any order, so that they run in vector registers.

    For statistics of a whole sample without NaN only: a causal path must not change by a bit.
    """
    dispatcher = njit(**_OPTIONS, fastmath={"reassoc", "contract", "nnan", "nsz"})
    return cast("Function", compile_once_per_type(dispatcher(function)))
