"""Hold what the tests execute, lines and branches, to a floor in each room.

    python -m tests.coverage_floors MEASURED.json

Reads what slipcover measured. The kernels are left out of it: numba compiles them, and no tracer
sees compiled lines. A line may be hidden by `# pragma: no cover - REASON` only.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent

# Per cent. Measured: 98.7, 97.4 and 92.4, without the browser tests, whose app is another process.
FLOORS: Final = {"analytics": 97, "ingest": 96, "pages": 91}
COUNTS: Final = ("covered_lines", "missing_lines", "covered_branches", "missing_branches")
UNREASONED: Final = re.compile(r"# pragma: no cover(?! - \w)")


def rooms(measured: Path) -> dict[str, Counter[str]]:
    """Add up each room's lines and branches."""
    sums = {room: Counter[str]() for room in FLOORS}
    for name, each in json.loads(measured.read_text("utf-8"))["files"].items():
        room = Path(name).parts[0]
        if room in sums:
            sums[room].update({count: each["summary"][count] for count in COUNTS})
    return sums


def percent(counts: Counter[str]) -> float:
    """Give the share of lines and branches that ran."""
    ran = counts["covered_lines"] + counts["covered_branches"]
    total = sum(counts[count] for count in COUNTS)
    return 100.0 * ran / total if total else 0.0


def hidden_lines(root: Path = ROOT) -> list[str]:
    """Find lines that are hidden without a reason."""
    return [
        f"{path.relative_to(root)}:{number}"
        for room in FLOORS
        for path in sorted((root / room).rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNREASONED.search(line)
    ]


def main(measured: Path) -> int:
    """Print a line a room; 1 where one is below its floor, or a line is hidden."""
    failed = False
    for room, counts in rooms(measured).items():
        share, floor = percent(counts), FLOORS[room]
        failed |= share < floor
        print(f"{room}: {share:.1f} % of lines and branches (floor {floor} %)")
    hidden = hidden_lines()
    if hidden:
        print("hidden without a reason:", ", ".join(hidden))
    return int(failed or bool(hidden))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
