"""Our clock, in the unit of all times here."""

import time


def now_us() -> int:
    """Wall clock, microseconds since the epoch."""
    return time.time_ns() // 1000
