"""The chart library that browsers are given: plotly.js's bundle of cartesian traces, kept here.

Its start costs a browser 0.4 of what the whole library costs; all our figures are cartesian.
"""

import gzip
from functools import cache
from pathlib import Path
from typing import Final

VERSION: Final = "4.1.1"
# Of the script itself.
SHA256: Final = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"
# The version is part of the address, so that the browser may keep the file for good.
PATH: Final = f"/pairdesk/plotly-cartesian-{VERSION}.min.js"
_FILE: Final = Path(__file__).parent / "vendor" / "plotly-cartesian.min.js.gz"


@cache
def compressed() -> bytes:
    """Give the script as gzip, as it travels to a browser."""
    return _FILE.read_bytes()


def script() -> str:
    """Give the script itself, for files that need nothing else."""
    return gzip.decompress(compressed()).decode()
