"""What a fault test gives back: figures, each with its bar, and whether they were met."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure and the bar it has to meet."""

    name: str
    value: float | int | str
    bar: str
    met: bool

    def __str__(self) -> str:
        match self.value:
            case float():
                value = f"{self.value:,.4g}"
            case int():
                value = f"{self.value:,}"
            case _:
                value = self.value
        return f"{self.name}: {value}" + (f" (bar: {self.bar})" if self.bar else "")


@dataclass(frozen=True)
class Result:
    """One run of a scenario: what was done to the recorder, and what came of it."""

    done: str
    seed: int | None
    figures: tuple[Figure, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Figures that missed their bar; a test asserts that there are none."""
        return tuple(f"{each} [seed {self.seed}]" for each in self.figures if not each.met)

    @property
    def passed(self) -> bool:
        return not self.failures

    def __getitem__(self, name: str) -> float | str:
        return next(each.value for each in self.figures if each.name == name)


def equal(name: str, value: float, wanted: float) -> Figure:
    return Figure(name, value, f"= {wanted:,}", value == wanted)


def at_most(name: str, value: float, most: float, unit: str = "") -> Figure:
    return Figure(name, value, f"≤ {most:,g} {unit}".rstrip(), value <= most)


def at_least(name: str, value: float, least: float, unit: str = "") -> Figure:
    return Figure(name, value, f"≥ {least:,g} {unit}".rstrip(), value >= least)


def holds(name: str, value: object, met: bool, bar: str = "yes") -> Figure:
    """Give a figure that is a fact rather than a number."""
    return Figure(name, str(value), bar, met)


def told(name: str, value: float | str) -> Figure:
    """Give a figure without a bar."""
    return Figure(name, value, "", True)


def quantile(values: list[float], share: float) -> float:
    """Give the nearest-rank quantile; NaN, which meets no bar, without any value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
