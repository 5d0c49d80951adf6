"""Samples for the tests of the rules, from as little as a test wants to say."""

import math
from collections.abc import Iterable, Sequence

from analytics.alerts import AlertRule, RuleState, Sample, Step, step
from analytics.pair import PairReading, PairTestsReading
from analytics.signals import Signal

SECOND_US = 1_000_000
# 2026-01-31 12:00:00 UTC
START_US = 1_769_860_800 * SECOND_US
# One letter an event, and one a state.
EVENTS = {"fired": "F", "resolved": "R", None: "."}
STATES = {"normal": "n", "pending": "p", "firing": "f", "no data": "d"}


def reading(
    zscore: float = 0.0,
    *,
    bar: int = 0,
    signal: Signal = "NEUTRAL",
    gate: str = "",
    y: float = 100.0,
    x: float = 50.0,
    beta: float = 1.0,
    beta_stderr: float = 0.1,
    correlation: float = 0.5,
) -> PairReading:
    """A reading at a bar of one second, counted from the start."""
    return PairReading(
        time_us=START_US + bar * SECOND_US, y=y, x=x, beta=beta, alpha=0.0,
        beta_stderr=beta_stderr, spread=y - x, mean=0.0, std=1.0, zscore=zscore,
        correlation=correlation, signal=signal, reason="", gate=gate, y_coverage=0, x_coverage=0,
    )  # fmt: skip


def sample(bar: int, what: PairReading | float | None, *, is_forming: bool = False) -> Sample:
    """At a bar: a z-score or a whole reading; None for no reading."""
    seen = reading(what, bar=bar) if isinstance(what, int | float) else what
    return Sample(START_US + bar * SECOND_US, SECOND_US, seen, is_forming=is_forming)


def zscores(values: Iterable[float | None]) -> list[Sample]:
    return [sample(bar, value) for bar, value in enumerate(values)]


def of_value(bar: int, value: float) -> Sample:
    """Of the desk, or of what is counted beside a reading."""
    return Sample(START_US + bar * SECOND_US, value=value)


def of_tests(bar: int, made_at: int, *, pvalue: float = 0.5, half_life: float = 9.0) -> Sample:
    """At a bar, with tests made at another."""
    made = START_US + made_at * SECOND_US
    tests = PairTestsReading(made, pvalue, "Engle-Granger", half_life, pvalue < 0.05)
    return Sample(START_US + bar * SECOND_US, SECOND_US, reading(bar=bar), tests)


def run(rule: AlertRule, samples: Sequence[Sample], state: RuleState | None = None) -> list[Step]:
    steps: list[Step] = []
    for each in samples:
        before = steps[-1].state if steps else state or RuleState()
        steps.append(step(rule, before, each))
    return steps


def events(steps: Iterable[Step]) -> str:
    return "".join(EVENTS[each.event] for each in steps)


def states(steps: Iterable[Step]) -> str:
    return "".join(STATES[each.state.name] for each in steps)


NO_DATA = math.nan
