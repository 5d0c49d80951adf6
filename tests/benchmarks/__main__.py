"""How fast Pairdesk is, beside the usual way, in one run and one table.

    python tests/benchmarks [--quick] [--only NAME ...] [--json PATH] [--compare OLD.json]

Takes up to ten minutes on two cores; the machine should do nothing else. Ends with status 1 where a
module failed; a bar that is not met is shown, and is no failure.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_row import Row
from bench_run import BENCHMARKS, Outcome, machine, make_databases, module_names, run_all, run_here
from bench_table import comparison, table

ROOT = BENCHMARKS.parents[1]


def main() -> int:
    options = _parser().parse_args()
    if options.run_here:
        name, folder, target = options.run_here
        run_here(name, quick=options.quick, folder=Path(folder), target=Path(target))
        return 0
    names = module_names(options.folder)
    unknown = set(options.only) - set(names)
    if unknown:
        print(f"no such module: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
        return 2
    chosen = [name for name in names if not options.only or name in options.only]
    if not options.quick:  # the app's first start on a machine is not what is measured
        compiling = [sys.executable, "-m", "pages.ui.server.compiler"]
        subprocess.run(compiling, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        make_databases(chosen, options.folder)
    begun_s = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in run_all(chosen, quick=options.quick, folder=options.folder):
        print(f"{outcome.module}: {outcome.took_s:.0f} s", file=sys.stderr, flush=True)
        outcomes.append(outcome)
    _print_rows(outcomes, quick=options.quick, took_s=time.monotonic() - begun_s)
    _save(outcomes, options)
    twice = _measured_twice(outcomes)
    if twice:
        print(f"measured twice: {', '.join(twice)}")
    return int(bool(twice) or any(outcome.failed for outcome in outcomes))


def _measured_twice(outcomes: list[Outcome]) -> list[str]:
    """Measures of one name: a later run could not be compared with this one."""
    counts = Counter(row.measure for outcome in outcomes for row in outcome.rows)
    return [measure for measure, count in counts.items() if count > 1]


def _print_rows(outcomes: list[Outcome], *, quick: bool, took_s: float) -> None:
    named = machine()
    print(
        f"{named['cpu']}, {named['cores']} cores, {named['system']},"
        f" Python {named['python']}, SQLite {named['sqlite']}"
    )
    if quick:
        print("QUICK: shows that every measure works; the figures mean nothing.")
    print()
    print(table([row for outcome in outcomes for row in outcome.rows]))
    print(f"\n{sum(len(outcome.rows) for outcome in outcomes)} rows in {took_s:.0f} s")


def _save(outcomes: list[Outcome], options: argparse.Namespace) -> None:
    rows = [row for outcome in outcomes for row in outcome.rows]
    if options.compare is not None:
        earlier = json.loads(options.compare.read_text("utf-8"))
        print(f"\nAgainst {options.compare.name} ({earlier['at']}, {earlier['machine']['cpu']}):")
        print(comparison(rows, [Row.from_json(record) for record in earlier["rows"]]))
    if options.json is not None:
        record = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": options.quick,
            "machine": machine(),
            "rows": [row.to_json() for row in rows],
        }
        options.json.write_text(json.dumps(record, indent=1, ensure_ascii=False), "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only show that every measure works")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one module")
    parser.add_argument("--json", type=Path, metavar="PATH", help="keep the rows here")
    parser.add_argument("--compare", type=Path, metavar="OLD", help="say what changed since then")
    parser.add_argument("--folder", type=Path, default=BENCHMARKS, help=argparse.SUPPRESS)
    parser.add_argument("--run-here", nargs=3, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
