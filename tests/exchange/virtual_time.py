"""An asyncio event loop on virtual time: hours of waiting pass in milliseconds.

When nothing is ready the clock jumps to the next timer, so a test of an hour's silence takes as
long as its callbacks. In a test::

    @in_virtual_time
    async def test_it_waits_an_hour() -> None:
        await asyncio.sleep(3600)

The scenario must live in the loop alone: no sockets, no threads (both run on real time). When
nothing is ready and no timer is set, nothing can ever happen again, and the run ends with
`VirtualTimeError` instead of hanging.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, ParamSpec, TypeVar

ResultT = TypeVar("ResultT")
P = ParamSpec("P")

START_S = 1000.0
MOST_TURNS_IN_PLACE = 200_000
# What a turn of the loop takes. Were it nothing, rounding could leave a task a hair before the
# moment it waits for, for ever.
TURN_S = 1e-9


class VirtualTimeError(Exception):
    """A scenario on virtual time can never end: it waits for nothing, or turns in place."""


class _JumpingSelector(selectors.SelectSelector):
    """Looks at files without waiting, and lets the clock jump over the wait."""

    def __init__(self, most_s: float) -> None:
        super().__init__()
        self.now_s = START_S
        self._end_s = START_S + most_s
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # The loop's own wake-up pipe is the only file here.
        ready = super().select(0)
        self.now_s += TURN_S
        if ready or timeout == 0:
            self._turn()
            return ready
        if timeout is None:
            msg = "nothing scheduled: no task is ready, no timer is set, so nothing can happen"
            raise VirtualTimeError(msg)
        self.now_s, self._turns = self.now_s + timeout, 0
        if self.now_s > self._end_s:
            msg = f"the scenario is not over after {self.now_s - START_S:,.0f} virtual seconds"
            raise VirtualTimeError(msg)
        return ready

    def _turn(self) -> None:
        self._turns += 1
        if self._turns > MOST_TURNS_IN_PLACE:
            msg = f"{self._turns:,} turns of the loop without time passing: a task spins"
            self._turns = 0  # the loop turns once more, to end the task
            raise VirtualTimeError(msg)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop; `most_s` bounds a scenario's virtual length."""

    def __init__(self, most_s: float = 30 * 86400.0) -> None:
        self._jumping = _JumpingSelector(most_s)
        super().__init__(self._jumping)
        self._clock_resolution = TURN_S / 1000

    def time(self) -> float:
        return self._jumping.now_s

    def run_in_executor(self, *args: object) -> NoReturn:
        msg = "a thread runs on real time: inject something that stays in the loop"
        raise VirtualTimeError(msg)


def run_virtual(scenario: Coroutine[Any, Any, ResultT], most_s: float = 30 * 86400.0) -> ResultT:
    """Run a scenario to its end on virtual time and give its result."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(most_s)) as runner:
        return runner.run(scenario)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, ResultT]]) -> Callable[P, ResultT]:
    """Make an asynchronous test a plain one that runs on virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        return run_virtual(test(*args, **kwargs))

    return run


async def settle(turns: int = 20) -> None:
    """Let everything that is ready run, without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)
