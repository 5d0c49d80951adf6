"""Days of the past with so many trades each, that REST hands out and no stream carried."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from exchange.market import BEFORE_THE_STREAM, E8, Trade
from exchange.past import Past
from exchange.synthetic import SyntheticSymbol

if TYPE_CHECKING:
    from exchange.server import Exchange

FIRST = date(2026, 3, 1)
DAY_S = 86_400


class DaysOfTrades:
    """A feed of the past alone: `a_day` trades of each symbol on each of `days` days.

    Parameters
    ----------
    holes
        Of each hundredth trade: so many ids after it are no trade's.
    quiet
        Days, counted from 0, without a trade.
    past_days
        Days of bars, without trades, before the first one.
    """

    def __init__(
        self, days: int, a_day: int = 2000, *, first: date = FIRST, holes: int = 0,
        quiet: tuple[int, ...] = (), past_days: int = 0, seed: int = 1,
    ) -> None:  # fmt: skip
        self._first, self._days, self._a_day = first, days, a_day
        self._holes, self._quiet, self._past_days, self._seed = holes, quiet, past_days, seed

    def prepare(self, exchange: "Exchange") -> None:
        for number, tape in enumerate(exchange.venue.tapes.values()):
            rng = np.random.default_rng([self._seed, number])
            price = 100 * E8 + number * E8
            for time_us in self._times_us(rng):
                price += int(rng.integers(-3, 4)) * tape.tick_e8
                quantity = int(rng.integers(1, 500)) * tape.lot_e8
                maker = bool(rng.random() < 0.5)
                trade = Trade(tape.symbol, tape.next_id, price, quantity, time_us, time_us, maker)
                tape.append(trade, BEFORE_THE_STREAM)
                if self._holes and trade.trade_id % 100 == 0:
                    tape.skip_ids(self._holes)
            if self._past_days:
                begins_s = tape[0].time_us // 1_000_000
                leg = SyntheticSymbol(tape.symbol, 100.0)
                tape.past = Past(leg, number, seed=self._seed, end_s=begins_s, days=self._past_days)

    def _times_us(self, rng: np.random.Generator) -> list[int]:
        """Sorted times, some of one millisecond, in whole milliseconds as REST prints them."""
        times: list[int] = []
        for day in set(range(self._days)) - set(self._quiet):
            begin_ms = (_second_of(self._first) + day * DAY_S) * 1000
            of_day = rng.integers(begin_ms, begin_ms + DAY_S * 1000, self._a_day)
            of_day[1::10] = of_day[::10][: len(of_day[1::10])]
            times += (of_day * 1000).tolist()
        return sorted(times)

    async def run(self, exchange: "Exchange") -> None:
        return


def _second_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
