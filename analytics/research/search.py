"""The search on one pair: choose a setting on each stretch, trade the next with it, move on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.backtest import (
    LEAST_TRADES,
    Independent,
    Prepared,
    Sweep,
    block_spans,
    independent_trials,
    prepare_sweep,
    setting_returns,
    sweep_stretches,
)
from analytics.errors import NotEnoughDataError
from analytics.frames import FloatArray
from analytics.research.spec import ResearchSpec

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What came out on the bars that were traded, those after the first training stretch.

    Attributes
    ----------
    gross, net : ndarray, shape (bars traded,)
        Profit of each bar before and after costs, over the capital.
    trades, traded
        Number; money of all fills over the capital.
    chosen : ndarray, shape (stretches, 3)
        Hedge (its place in the question), window and entry of each stretch; NaN where no setting
        had traded often enough before, and nothing was traded.
    """

    gross: FloatArray
    net: FloatArray
    trades: int
    traded: float
    chosen: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """One pair made ready: the signals of all settings, once, over all bars."""

    spec: ResearchSpec
    prepared: tuple[Prepared, ...]

    @classmethod
    def of(
        cls, spec: ResearchSpec, y_bars: pd.DataFrame, x_bars: pd.DataFrame, names: tuple[str, str]
    ) -> "Search":
        """Make a pair ready, in this thread alone: tasks are what runs beside each other."""
        made = tuple(
            prepare_sweep(
                y_bars, x_bars, spec.params(*names, hedge, spec.windows[0]), spec.rules,
                windows=spec.windows, entries=spec.entries, workers=1,
            )
            for hedge in spec.hedges
        )  # fmt: skip
        return cls(spec, made)

    @property
    def size(self) -> int:
        """Bars, the first training stretch among them."""
        return self.prepared[0].market.size

    def walk(self) -> Searched:
        """Walk forward; equal to `analytics.backtest.walk_forward` with one hedge.

        Raises
        ------
        NotEnoughDataError
            Fewer bars than one training stretch and 3 bars to trade.
        """
        spec, size = self.spec, self.size
        if size < spec.train_bars + 3:
            raise NotEnoughDataError("a walk-forward", spec.train_bars + 3, size)
        spans = block_spans(spec.train_bars, size, spec.test_bars)
        starts = [span[0] - spec.train_bars for span in spans]
        tried = [sweep_stretches(each, starts, spec.train_bars, 1) for each in self.prepared]
        books = _Books.empty(size)
        chosen = np.full((len(spans), 3), np.nan)
        for place, span in enumerate(spans):
            best = self._best([of_hedge[place] for of_hedge in tried])
            if best is not None:
                hedge, row, column = best
                chosen[place] = hedge, spec.windows[row], spec.entries[column]
                books.trade(self.prepared[hedge], row, spec.entries[column], span)
        capital, traded = spec.rules.capital, slice(spec.train_bars, size)
        return Searched(
            books.gross[traded] / capital, books.net[traded] / capital, books.trades,
            books.traded / capital, chosen,
        )  # fmt: skip

    def _best(self, tried: list[Sweep]) -> tuple[int, int, int] | None:
        """Hedge, row and column of what did best in training; the earlier of equals."""
        spec, best, highest = self.spec, None, -np.inf
        for hedge, swept in enumerate(tried):
            place = swept.best(spec.criterion, LEAST_TRADES)
            if place is None:
                continue
            value = (swept.sharpe if spec.criterion == "sharpe" else swept.net)[place]
            if value > highest and not (spec.only_if_paid and not swept.net[place] > 0):
                best, highest = (hedge, *place), value
        return best

    def independent(self) -> Independent:
        """How many settings these are, as far as luck is concerned."""
        returns = [setting_returns(each, 0, self.size) for each in self.prepared]
        rows = np.concatenate([each.returns for each in returns])
        return independent_trials(rows, stretch=returns[0].stretch)


@dataclass(slots=True, eq=False)
class _Books:
    """What the stretches earn, bar by bar, one after another in the same arrays."""

    gross: FloatArray
    net: FloatArray
    trades: int = 0
    traded: float = 0.0

    @classmethod
    def empty(cls, size: int) -> "_Books":
        """Nothing traded yet, over so many bars."""
        gross, net = np.zeros((2, size))
        return cls(gross, net)

    def trade(self, prepared: Prepared, row: int, entry: float, span: Span) -> None:
        """Trade a stretch with one setting, flat at both ends."""
        from analytics.kernels.settle import (  # noqa: PLC0415 - numba, when needed
            MONEY_COLUMNS,
            TRADED,
            settle,
        )
        from analytics.kernels.walk import TALLIES, TRADE_COLUMNS, walk  # noqa: PLC0415 - numba

        low, high = span
        market, bar_signals = prepared.market, prepared.bar_signals[row]
        trades = np.zeros(((high - low) // 2 + 2, TRADE_COLUMNS), dtype=np.int64)
        rule = prepared.grid.rules.with_entry(entry).as_row()
        # The edges of z are of the stretch alone: those of all bars would cost more than the walk.
        tally = np.zeros(TALLIES, dtype=np.int64)
        z, tradable = bar_signals.compared[low:high], market.tradable[low:high]
        count = walk(z, tradable, 0, high - low, rule, trades, tally)
        trades[:count, :4] += low
        money = np.zeros((count, MONEY_COLUMNS))
        settle(
            trades, count, market.paths, bar_signals.units, market.costs, money, self.gross,
            self.net,
        )  # fmt: skip
        self.trades += count
        self.traded += float(money[:, TRADED].sum())
