"""Gives back what a large read has used up, where the C library would keep it for later."""

import ctypes
import platform
from functools import cache


def give_back() -> None:
    """Return freed memory to the system: glibc keeps blocks under 32 MB (malloc_trim(3))."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
