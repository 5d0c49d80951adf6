"""When a scenario acts: at moments that a seed draws, printed so that a failure can be repeated."""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from acceptance.desk_page import REFRESH_MS, Desk

SEED_NAME = "PAIRDESK_ACCEPTANCE_SEED"
ROUNDS = 3
LONGEST_S = 1.5  # more than a refresh

Kind = Literal["at once", "later", "in a refresh", "after a refresh", "paused"]
MOVING: tuple[Kind, ...] = ("at once", "later", "in a refresh", "after a refresh")
KINDS: tuple[Kind, ...] = (*MOVING, "paused")


def session_seed(chosen: int | None = None) -> int:
    """Give the seed of this run: the one chosen, that of the environment, or a new one."""
    if chosen is None:
        chosen = int(os.environ.get(SEED_NAME, time.time_ns() // 1_000_000 % 1_000_000))
    return chosen


@dataclass(frozen=True)
class Moment:
    """A moment to act at."""

    number: int
    kind: Kind
    wait_s: float

    def come(self, desk: Desk) -> "Moment":
        """Wait for it on a page that refreshes; a page that stands still has no refresh."""
        if self.kind != "at once":
            desk.page.wait_for_timeout(self.wait_s * 1e3)
        if self.kind == "in a refresh":
            desk.run_begins(2 * REFRESH_MS)
        elif self.kind == "after a refresh" and desk.refreshes():
            desk.refreshed()
        elif self.kind == "paused":
            desk.pause()
        return self

    def go(self, desk: Desk) -> None:
        """Go on where it was a pause."""
        if self.kind == "paused":
            desk.resume()

    def __str__(self) -> str:
        return f"round {self.number}: {self.kind}, {self.wait_s:.2f} s"


class Moments:
    """The draws of one scenario: equal seed and name give equal draws."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.random = random.Random(f"{seed} {name}")
        print(f"{name}: {SEED_NAME}={seed}")

    def rounds(self, kinds: tuple[Kind, ...] = KINDS, count: int = ROUNDS) -> Iterator[Moment]:
        """Give moments of different kinds, each printed as it comes."""
        drawn = self.random.sample(kinds, min(count, len(kinds)))
        drawn += self.random.choices(kinds, k=count - len(drawn))
        for number, kind in enumerate(drawn, 1):
            moment = Moment(number, kind, self.random.uniform(0.0, LONGEST_S))
            print(f"  {moment}")
            yield moment
