"""A row of the benchmark table, and how to measure one.

A module of this folder that defines ``rows(quick: bool) -> list[Row]`` is found and run by
``python tests/benchmarks``, in a process of its own. With `quick` it takes a second or two, on
little data, and shows only that it works: its figures mean nothing then.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
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
    strongest, strongest_way, strongest_ratio
        The same of the strongest public way, and its name; None and empty where none was measured.
    note, floor
        What the alternative is and how it was measured; where the floor is and why.
    """

    measure: str
    ours: float | None = None
    alternative: float | None = None
    unit: str = ""
    ratio: float | None = None
    strongest: float | None = None
    strongest_way: str = ""
    strongest_ratio: float | None = None
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

    def beside(
        self, ways: "Mapping[str, Samples | float | None]", *, more_is_better: bool = False
    ) -> Self:
        """Name the strongest of the public ways measured in the same run; the note has them all.

        Figures are in `unit`; None for a way whose library is not installed.
        """
        figures = {
            way: Samples.from_figure(each).median for way, each in ways.items() if each is not None
        }
        if self.ours is None or not figures:
            return self
        best = (max if more_is_better else min)(figures, key=lambda way: figures[way])
        ratios = {
            way: self.ours / each if more_is_better else each / self.ours
            for way, each in figures.items()
        }
        words = [
            f"{way} {figure(figures[way])} {self.unit} ({figure(ratios[way])} ×)"
            if way in figures
            else f"{way} not installed"
            for way in ways
        ]
        return replace(
            self,
            strongest=figures[best],
            strongest_way=best,
            strongest_ratio=ratios[best],
            note=". ".join(each for each in (self.note, "; ".join(words)) if each),
        )


@dataclass(frozen=True)
class Samples:
    """One figure measured several times."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        return cls(tuple(values))

    @classmethod
    def from_figure(cls, figure: "Samples | float") -> "Samples":
        return figure if isinstance(figure, Samples) else cls((figure,))

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


def figure(value: float | None) -> str:
    """Format a number with three digits that mean something."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


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
    samples = Samples.from_figure(ours)
    bar, met = _judged(samples.median, at_least, at_most, unit)
    return Row(
        measure, samples.median, unit=unit, bar=bar, met=met, spread=samples.quartiles, note=note,
        floor=floor,
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
    mine, other = Samples.from_figure(ours), Samples.from_figure(alternative)
    times_alternative = mine.median / other.median
    ratio = times_alternative if more_is_better or at_most is not None else 1 / times_alternative
    bar, met = _judged(ratio, at_least, at_most, "×")
    return Row(
        measure, mine.median, other.median, unit, ratio, bar=bar, met=met, spread=mine.quartiles,
        note=note, floor=floor,
    )  # fmt: skip


def _judged(
    value: float, at_least: float | None, at_most: float | None, unit: str
) -> tuple[str, bool | None]:
    bars = [(f"≥ {at_least:,g} {unit}", value >= at_least)] if at_least is not None else []
    bars += [(f"≤ {at_most:,g} {unit}", value <= at_most)] if at_most is not None else []
    if not bars:
        return "", None
    return ", ".join(words for words, _ in bars), all(met for _, met in bars)
