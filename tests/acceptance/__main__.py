"""The acceptance scenarios again and again, each time with a new seed, until one fails.

    python tests/acceptance [--long HOURS] [--seed N] [pytest arguments]

Without `--long` once. The seed of a failure stands in its output: `--seed` repeats its draws.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[0] = str(FOLDER.parent)

from acceptance.moments import session_seed

PYTEST = (sys.executable, "-m", "pytest", str(FOLDER), "-p", "no:cacheprovider")


def main(words: Sequence[str]) -> int:
    """Run until the time is over; gives the status of the run that failed, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", type=float, default=0.0, metavar="HOURS")
    parser.add_argument("--seed", type=int, help="of the first run; the next ones count on from it")
    chosen, more = parser.parse_known_args(words)
    seed, end_s = session_seed(chosen.seed), time.monotonic() + chosen.long * 3_600
    while True:
        print(f"acceptance, seed {seed}", flush=True)
        command = [*PYTEST, f"--acceptance-seed={seed}", *more]
        status = subprocess.run(command, cwd=FOLDER.parent.parent, check=False).returncode
        if status or time.monotonic() >= end_s:
            return status
        seed += 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
