"""Sets of rules walked and booked over the same bars, in a few steps a trade."""

from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.jit import compiled
from analytics.kernels.settle import (
    FILL_X,
    FILL_Y,
    FUNDING_X,
    FUNDING_Y,
    IMPACT_X,
    IMPACT_Y,
    MARK_X,
    MARK_Y,
    PATH_ROWS,
    X_UNITS,
    Y_UNITS,
    fill_cost,
)
from analytics.kernels.walk import (
    DECIDED,
    END,
    ENTERED,
    EXITED,
    REASON,
    SIDE,
    TALLIES,
    TRADE_COLUMNS,
    block_edges,
    walk_between,
)

# Columns of a bar's cells in a sweep: the rows of `paths`, then running sums up to the bar:
# of the squares and the product of the legs' moves, and of the funding.
SUM_YY: Final = 8
SUM_XX: Final = 9
SUM_YX: Final = 10
SUM_FUNDING_Y: Final = 11
SUM_FUNDING_X: Final = 12
CELLS: Final = 16

# What the trades of a rule come to, quote currency; squares of the profits of its bars.
GROSS: Final = 0
NET: Final = 1
TRADED: Final = 2
NET_SQUARES: Final = 3
TOTALS: Final = 4

# Columns of a rule that was tried.
TRADES: Final = 0
TOTAL_GROSS: Final = 1
TOTAL_NET: Final = 2
TOTAL_TRADED: Final = 3
MEAN_RETURN: Final = 4
STD_RETURN: Final = 5
RULE_COLUMNS: Final = 6


@compiled
def sweep_cells(paths: FloatArray) -> FloatArray:
    """Lay out all that booking a trade asks of a bar side by side, shape (n + 1, 16).

    Columns 0 to 7 are the rows of `paths`; 8 to 10 the sums, over the bars before, of the squares
    and the product of the legs' moves; 11 and 12 those of the funding. A move is that of the mark
    less the funding of a long unit: over the bars inside a trade the squared profits are then a
    difference of two sums, whatever the quantities.
    """
    size = paths.shape[1]
    cells = np.zeros((size + 1, CELLS))
    for t in range(size):
        for row in range(PATH_ROWS):
            cells[t, row] = paths[row, t]
        y, x = 0.0, 0.0
        if t > 0:
            y = paths[MARK_Y, t] - paths[MARK_Y, t - 1] - paths[FUNDING_Y, t]
            x = paths[MARK_X, t] - paths[MARK_X, t - 1] - paths[FUNDING_X, t]
        if np.isnan(y) or np.isnan(x):
            y, x = 0.0, 0.0
        cells[t + 1, SUM_YY] = cells[t, SUM_YY] + y * y
        cells[t + 1, SUM_XX] = cells[t, SUM_XX] + x * x
        cells[t + 1, SUM_YX] = cells[t, SUM_YX] + y * x
        cells[t + 1, SUM_FUNDING_Y] = cells[t, SUM_FUNDING_Y] + paths[FUNDING_Y, t]
        cells[t + 1, SUM_FUNDING_X] = cells[t, SUM_FUNDING_X] + paths[FUNDING_X, t]
    return cells


@compiled
def sweep_rules(
    z: FloatArray, units: FloatArray, tradable: BoolArray, start: int, stop: int,
    rules: FloatArray, cells: FloatArray, costs: FloatArray, capital: float, out: FloatArray,
) -> None:  # fmt: skip
    """Walk and book a set of rules over the same bars.

    `out` has a row a rule; the mean and standard deviation (ddof 1) are those of a bar's net return
    on the capital.
    """
    edges = block_edges(z)
    _sweep(z, edges, units, tradable, start, stop, rules, cells, costs, capital, out)


@compiled
def sweep_stretches(
    z: FloatArray, units: FloatArray, tradable: BoolArray, starts: IntArray, bars: int,
    rules: FloatArray, cells: FloatArray, costs: FloatArray, capital: float, out: FloatArray,
) -> None:  # fmt: skip
    """Do `sweep_rules` over the `bars` bars from each of `starts` on; `out` has a layer a stretch.

    What does not depend on the stretch is done once, and no lock is held in between.
    """
    edges = block_edges(z)
    for place in range(starts.size):
        start = starts[place]
        _sweep(
            z, edges, units, tradable, start, start + bars, rules, cells, costs, capital, out[place]
        )


@compiled
def _sweep(
    z: FloatArray, edges: FloatArray, units: FloatArray, tradable: BoolArray, start: int,
    stop: int, rules: FloatArray, cells: FloatArray, costs: FloatArray, capital: float,
    out: FloatArray,
) -> None:  # fmt: skip
    size = stop - start
    trades = np.empty((size // 2 + 2, TRADE_COLUMNS), dtype=np.int64)
    tally = np.zeros(TALLIES, dtype=np.int64)
    totals = np.zeros(TOTALS)
    for row in range(rules.shape[0]):
        count = walk_between(z, edges, tradable, start, stop, rules[row], trades, tally)
        _book(trades, count, cells, units, costs, totals)
        mean = totals[NET] / size
        squares = max(totals[NET_SQUARES] - size * mean * mean, 0.0)
        out[row, TRADES] = count
        out[row, TOTAL_GROSS], out[row, TOTAL_NET] = totals[GROSS], totals[NET]
        out[row, TOTAL_TRADED] = totals[TRADED]
        out[row, MEAN_RETURN] = mean / capital
        out[row, STD_RETURN] = np.sqrt(squares / (size - 1)) / capital


@compiled
def _profits(
    entered: int, exited: int, at_close: bool, y: float, x: float, cells: FloatArray,
    costs: FloatArray,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """Gross, net and money traded of a trade; net profits of its first and of its last bar.

    One that is over in its first bar has all of its profit there.
    """
    y_size, x_size = abs(y), abs(x)
    entry_bar, exit_bar = cells[entered], cells[exited]
    y_in, x_in = entry_bar[FILL_Y], entry_bar[FILL_X]
    y_out, x_out = exit_bar[FILL_Y], exit_bar[FILL_X]
    if at_close:
        y_out, x_out = exit_bar[MARK_Y], exit_bar[MARK_X]
    in_y, in_x, out_y, out_x = y_size * y_in, x_size * x_in, y_size * y_out, x_size * x_out
    first = -fill_cost(entry_bar[IMPACT_Y], entry_bar[IMPACT_X], in_y, in_x, y_size, x_size, costs)
    last = -fill_cost(exit_bar[IMPACT_Y], exit_bar[IMPACT_X], out_y, out_x, y_size, x_size, costs)
    gross = y * (y_out - y_in) + x * (x_out - x_in)
    after_entry, after_exit = cells[entered + 1], cells[exited + 1]
    funding = y * (after_exit[SUM_FUNDING_Y] - after_entry[SUM_FUNDING_Y])
    funding += x * (after_exit[SUM_FUNDING_X] - after_entry[SUM_FUNDING_X])
    net, traded = gross - funding + first + last, in_y + in_x + (out_y + out_x)
    if exited == entered:
        return gross, net, traded, first + (gross + last), 0.0
    before = cells[exited - 1]
    first += y * (entry_bar[MARK_Y] - y_in) + x * (entry_bar[MARK_X] - x_in)
    last += y * (y_out - before[MARK_Y]) + x * (x_out - before[MARK_X])
    last -= y * exit_bar[FUNDING_Y] + x * exit_bar[FUNDING_X]
    return gross, net, traded, first, last


@compiled
def _book(
    trades: IntArray, count: int, cells: FloatArray, units: FloatArray, costs: FloatArray,
    totals: FloatArray,
) -> None:  # fmt: skip
    """Sum what `settle` books bar by bar, in a few steps a trade."""
    total_gross, total_net, total_traded, squares = 0.0, 0.0, 0.0, 0.0
    carried_bar, carried = -1, 0.0
    for row in range(count):
        decided, entered, exited = trades[row, DECIDED], trades[row, ENTERED], trades[row, EXITED]
        side, at_close = trades[row, SIDE], trades[row, REASON] == END
        y, x = side * units[Y_UNITS, decided], side * units[X_UNITS, decided]
        gross, net, traded, first, last = _profits(entered, exited, at_close, y, x, cells, costs)
        total_gross += gross
        total_net += net
        total_traded += traded
        # A reversal leaves and enters in one bar: one profit, squared once.
        if entered == carried_bar:
            first += carried
        else:
            squares += carried * carried
        carried_bar, carried = exited, first
        if exited > entered:
            inside, until = cells[entered + 1], cells[exited]
            squares += first * first + y * y * (until[SUM_YY] - inside[SUM_YY])
            squares += x * x * (until[SUM_XX] - inside[SUM_XX])
            squares += 2.0 * y * x * (until[SUM_YX] - inside[SUM_YX])
            carried = last
    squares += carried * carried
    totals[GROSS], totals[NET], totals[TRADED] = total_gross, total_net, total_traded
    totals[NET_SQUARES] = squares
