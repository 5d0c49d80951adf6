"""A row of the benchmark table, and how to measure one.

A module of this folder that defines ``rows(quick: bool) -> list[Row]`` is found and run by
``python tests/benchmarks``, in a process of its own. With `quick` it takes a second or two, on
little data, and shows only that it works: its figures mean nothing then.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Row:
    """One measure: what we got, what the usual way got in the same run, and the bar.

    Attributes
    ----------
    measure
        What was measured, in words; unique in the table.
    ours, alternative
        Medians in `unit`; None where there is none.
    ratio
        How many times better ours is.
    bar, met
        What must be reached, in words, and whether it was; None where there is no bar.
    spread
        First and third quartile of ours; None where it was measured once.
    note, floor
        What the alternative is and how it was measured; where the floor is and why.
    """

    measure: str
    ours: float | None = None
    alternative: float | None = None
    unit: str = ""
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None
    spread: tuple[float, float] | None = None
    note: str = ""
    floor: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        spread = record["spread"]
        return cls(**{**record, "spread": None if spread is None else tuple(spread)})


@dataclass(frozen=True)
class Samples:
    """One figure measured several times."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        return cls(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float] | None:
        if len(self.values) < 2:
            return None
        first, _, third = statistics.quantiles(self.values, n=4, method="inclusive")
        return first, third

    def scaled(self, factor: float) -> "Samples":
        return Samples(tuple(value * factor for value in self.values))


def measured(
    call: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> tuple[float, object]:
    """Run once: seconds by `clock` (`time.process_time` for CPU time), and what it returned."""
    begun_s = clock()
    result = call()
    return clock() - begun_s, result


def interleaved(
    *calls: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[Samples, ...]:
    """Measure several ways by turns, so that what the machine does besides falls on all alike."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(times):
        for place, call in enumerate(calls):
            taken[place].append(measured(call, clock)[0])
    return tuple(Samples.of(values) for values in taken)


def value_row(
    measure: str,
    ours: Samples | float,
    *,
    unit: str,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
    floor: str = "",
) -> Row:
    """Make a row of one figure that is held against a bar in its own unit."""
    samples = ours if isinstance(ours, Samples) else Samples((ours,))
    bar, met = _judged(samples.median, at_least, at_most, unit)
    return Row(
        measure, samples.median, None, unit, None, bar, met, samples.quartiles, note, floor
    )  # fmt: skip


def ratio_row(
    measure: str,
    ours: Samples | float,
    alternative: Samples | float,
    *,
    unit: str,
    more_is_better: bool = False,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
    floor: str = "",
) -> Row:
    """Make a row whose bar is on the ratio: how many times better ours is than the alternative.

    With `at_most` instead it is how many times the alternative ours takes (a cost may grow so far).
    """
    mine, other = (
        each if isinstance(each, Samples) else Samples((each,)) for each in (ours, alternative)
    )
    times_alternative = mine.median / other.median
    ratio = times_alternative if more_is_better or at_most is not None else 1 / times_alternative
    bar, met = _judged(ratio, at_least, at_most, "×")
    return Row(
        measure, mine.median, other.median, unit, ratio, bar, met, mine.quartiles, note, floor
    )  # fmt: skip


def _judged(
    value: float, at_least: float | None, at_most: float | None, unit: str
) -> tuple[str, bool | None]:
    bars = [(f"≥ {at_least:,g} {unit}", value >= at_least)] if at_least is not None else []
    bars += [(f"≤ {at_most:,g} {unit}", value <= at_most)] if at_most is not None else []
    if not bars:
        return "", None
    return ", ".join(words for words, _ in bars), all(met for _, met in bars)
