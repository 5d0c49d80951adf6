"""The rules walked bar by bar and the trades settled: compiled, one code for a run and a sweep."""

from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.jit import compiled

# Columns of a trade: bars of decision and fill, both ways; side; why it was left.
DECIDED: Final = 0
ENTERED: Final = 1
LEAVE_DECIDED: Final = 2
LEFT: Final = 3
SIDE: Final = 4
REASON: Final = 5
TRADE_COLUMNS: Final = 6

# Places in a rule: z at which a short and a long are entered, z at which each is left, distance of
# the stop, most bars held, and whether a side that was left early waits for z to come back.
SELL_ABOVE: Final = 0
BUY_BELOW: Final = 1
LEAVE_SHORT: Final = 2
LEAVE_LONG: Final = 3
STOP_AT: Final = 4
MOST_BARS: Final = 5
AFTER_RETURN: Final = 6

EXIT: Final = 1
STOP: Final = 2
TIME: Final = 3
END: Final = 4

# Rows of `paths`, each of n bars.
FILL_Y: Final = 0
FILL_X: Final = 1
MARK_Y: Final = 2
MARK_X: Final = 3
IMPACT_Y: Final = 4
IMPACT_X: Final = 5
FUNDING_Y: Final = 6
FUNDING_X: Final = 7
PATH_ROWS: Final = 8

# Columns of a settled trade, quote currency.
GROSS: Final = 0
FEES: Final = 1
SPREAD: Final = 2
SLIPPAGE: Final = 3
FUNDING: Final = 4
TRADED: Final = 5
MONEY_COLUMNS: Final = 6

# Costs of a fill: shares of the money traded, and the exponent of the size in its impact.
FEE_RATE: Final = 0
HALF_SPREAD_RATE: Final = 1
IMPACT_POWER: Final = 2

# What `walk` counts.
CANCELLED: Final = 0
WAITED: Final = 1

# Bars passed at a time where none of them decides anything.
BLOCK: Final = 8
# Columns of a bar's cells in a sweep: the rows of `paths`, then running sums up to the bar:
# of the squares and the product of the legs' moves, and of the funding.
SUM_YY: Final = 8
SUM_XX: Final = 9
SUM_YX: Final = 10
SUM_FUNDING_Y: Final = 11
SUM_FUNDING_X: Final = 12
CELLS: Final = 16


@compiled
def block_edges(z: FloatArray) -> FloatArray:
    """Find the least and the greatest z of each block of 8 bars, shape (blocks, 2).

    A block of which no bar is known lies inside everything. Computed once for a path, they let any
    number of rules pass most of its bars eight at a time.
    """
    edges = np.empty(((z.size + BLOCK - 1) // BLOCK, 2))
    for block in range(edges.shape[0]):
        low, high = np.inf, -np.inf
        for t in range(block * BLOCK, min((block + 1) * BLOCK, z.size)):
            # In this order a NaN changes neither.
            low, high = min(low, z[t]), max(high, z[t])
        edges[block, 0], edges[block, 1] = low, high
    return edges


@compiled
def _next_touch(
    z: FloatArray, edges: FloatArray, first: int, last: int, low: float, high: float
) -> int:
    """Find the first bar with z at or beyond `low` or `high`; `last` without one."""
    t = first
    while t < last:
        if t % BLOCK == 0:
            block = t // BLOCK
            while t < last and not (edges[block, 0] <= low or edges[block, 1] >= high):
                t += BLOCK
                block += 1
            if t >= last:
                return last
        if z[t] <= low or z[t] >= high:
            return t
        t += 1
    return last


@compiled
def _next_event(
    z: FloatArray, edges: FloatArray, first: int, last: int, side: int, entered: int,
    rule: FloatArray,
) -> int:  # fmt: skip
    """Find the first bar that may decide something, so that the bars before are passed quickly.

    It may be one too early, at a z that only touches an entry: that bar then decides nothing.
    """
    if side == 0:
        return _next_touch(z, edges, first, last, rule[BUY_BELOW], rule[SELL_ABOVE])
    due = max(first, int(min(float(last), entered + rule[MOST_BARS] - 1.0)))
    if side < 0:
        return _next_touch(z, edges, first, due, rule[LEAVE_SHORT], rule[STOP_AT])
    return _next_touch(z, edges, first, due, -rule[STOP_AT], rule[LEAVE_LONG])


@compiled
def _entry(value: float, rule: FloatArray, may_sell: bool, may_buy: bool) -> int:
    """Return the side that z asks for: −1, +1, or 0."""
    if value > rule[SELL_ABOVE] and may_sell:
        return -1
    return 1 if value < rule[BUY_BELOW] and may_buy else 0


@compiled
def _reason(value: float, side: int, held: int, rule: FloatArray) -> int:
    """Return why a position is left at this close; 0 for not."""
    against = value if side < 0 else -value
    if against >= rule[STOP_AT]:
        return STOP
    if (side < 0 and value <= rule[LEAVE_SHORT]) or (side > 0 and value >= rule[LEAVE_LONG]):
        return EXIT
    return TIME if held >= rule[MOST_BARS] else 0


@compiled
def walk(
    z: FloatArray, tradable: BoolArray, start: int, stop: int, rule: FloatArray,
    trades: IntArray, tally: IntArray,
) -> int:  # fmt: skip
    """Walk the bars by one rule: see `walk_between`."""
    return walk_between(z, block_edges(z), tradable, start, stop, rule, trades, tally)


@compiled
def walk_between(  # noqa: PLR0912 - one automaton, read from top to bottom
    z: FloatArray, edges: FloatArray, tradable: BoolArray, start: int, stop: int,
    rule: FloatArray, trades: IntArray, tally: IntArray,
) -> int:  # fmt: skip
    """Walk the bars ``start`` to ``stop`` (not included) and list the trades; return their number.

    Each close decides, the next bar fills: an exit waits for the first bar that can be traded, an
    entry is cancelled where the next one cannot, since the z that asked for it is then old. The
    last bar decides nothing; what is still held leaves at its close, as `END`. `tally` counts
    cancelled entries and bars that exits had to wait.
    """
    count, side, leaving, entering = 0, 0, 0, 0
    decided, entered, leave_decided, asked = -1, -1, -1, -1
    may_sell, may_buy = True, True
    t = start - 1
    while t < stop - 1:
        t += 1
        if leaving == 0 and entering == 0 and may_sell and may_buy:
            t = _next_event(z, edges, t, stop - 1, side, entered, rule)
        if leaving != 0:
            if tradable[t]:
                _write(trades, count, decided, entered, leave_decided, t, side, leaving)
                count += 1
                side, leaving = 0, 0
            else:
                tally[WAITED] += 1
        if entering != 0:
            if leaving == 0 and tradable[t]:
                side, entered, decided = entering, t, asked
            else:
                tally[CANCELLED] += 1
            entering = 0
        if t == stop - 1:
            break
        value = z[t]
        # A comparison with NaN is false: without a z nothing is entered, left or re-armed by it.
        may_sell = may_sell or value <= rule[SELL_ABOVE]
        may_buy = may_buy or value >= rule[BUY_BELOW]
        if leaving != 0:
            continue
        if side == 0:
            entering, asked = _entry(value, rule, may_sell, may_buy), t
            continue
        leaving, leave_decided = _reason(value, side, t - entered + 1, rule), t
        if leaving == EXIT:
            wanted = _entry(value, rule, may_sell, may_buy)
            # The bar that ends one side may ask for the other.
            entering, asked = (wanted, t) if wanted == -side else (0, asked)
        elif leaving != 0 and rule[AFTER_RETURN] != 0.0:
            may_sell, may_buy = may_sell and side > 0, may_buy and side < 0
    if side != 0:
        _write(trades, count, decided, entered, stop - 1, stop - 1, side, END)
        count += 1
    return count


@compiled
def _write(
    trades: IntArray, row: int, decided: int, entered: int, leave_decided: int, left: int,
    side: int, reason: int,
) -> None:  # fmt: skip
    trades[row, DECIDED] = decided
    trades[row, ENTERED] = entered
    trades[row, LEAVE_DECIDED] = leave_decided
    trades[row, LEFT] = left
    trades[row, SIDE] = side
    trades[row, REASON] = reason


@compiled
def _slippage(
    y_impact: float, x_impact: float, y_notional: float, x_notional: float, y_size: float,
    x_size: float, power: float,
) -> float:  # fmt: skip
    """Money that filling both legs moves their prices by."""
    if y_impact == 0.0 and x_impact == 0.0:
        return 0.0
    y_share = np.sqrt(y_size) if power == 0.5 else y_size
    x_share = np.sqrt(x_size) if power == 0.5 else x_size
    moved: float = y_notional * y_impact * y_share + x_notional * x_impact * x_share
    return moved


@compiled
def _cost(
    y_impact: float, x_impact: float, y_notional: float, x_notional: float, y_size: float,
    x_size: float, costs: FloatArray,
) -> float:  # fmt: skip
    """Sum the costs of filling both legs at a bar. `costs`: fee, half-spread, exponent."""
    traded = y_notional + x_notional
    slippage = _slippage(
        y_impact, x_impact, y_notional, x_notional, y_size, x_size, costs[IMPACT_POWER]
    )
    paid: float = traded * costs[FEE_RATE] + traded * costs[HALF_SPREAD_RATE] + slippage
    return paid


@compiled
def _pay(
    paths: FloatArray, bar: int, y_notional: float, x_notional: float, y_size: float,
    x_size: float, costs: FloatArray, money: FloatArray, row: int,
) -> float:  # fmt: skip
    """Book the costs of filling both legs at a bar; return their sum."""
    traded = y_notional + x_notional
    fee = traded * costs[FEE_RATE]
    half_spread = traded * costs[HALF_SPREAD_RATE]
    slippage = _slippage(
        paths[IMPACT_Y, bar],
        paths[IMPACT_X, bar],
        y_notional,
        x_notional,
        y_size,
        x_size,
        costs[IMPACT_POWER],
    )
    money[row, FEES] += fee
    money[row, SPREAD] += half_spread
    money[row, SLIPPAGE] += slippage
    money[row, TRADED] += traded
    paid: float = fee + half_spread + slippage
    return paid


@compiled
def settle(
    trades: IntArray, count: int, paths: FloatArray, units: FloatArray, costs: FloatArray,
    money: FloatArray, gross_path: FloatArray, net_path: FloatArray,
) -> None:  # fmt: skip
    """Book every trade: its money, a row each, and the profit of each bar before and after costs.

    `units`, shape (2, n), are the quantities of a long position decided at each bar. Funding is
    due at the open of a bar, for what is carried into it.
    """
    for row in range(count):
        decided, entered, left = trades[row, DECIDED], trades[row, ENTERED], trades[row, LEFT]
        y_units = trades[row, SIDE] * units[0, decided]
        x_units = trades[row, SIDE] * units[1, decided]
        y_size, x_size = abs(y_units), abs(x_units)
        money[row, :] = 0.0
        y_last, x_last = paths[FILL_Y, entered], paths[FILL_X, entered]
        net_path[entered] -= _pay(
            paths, entered, y_size * y_last, x_size * x_last, y_size, x_size, costs, money, row
        )
        at_close = trades[row, REASON] == END
        for t in range(entered, left + 1):
            if t == left and not at_close:
                y_now, x_now = paths[FILL_Y, t], paths[FILL_X, t]
            else:
                y_now, x_now = paths[MARK_Y, t], paths[MARK_X, t]
            gained = y_units * (y_now - y_last) + x_units * (x_now - x_last)
            money[row, GROSS] += gained
            gross_path[t] += gained
            net_path[t] += gained
            if t > entered:
                funding = y_units * paths[FUNDING_Y, t] + x_units * paths[FUNDING_X, t]
                money[row, FUNDING] += funding
                net_path[t] -= funding
            y_last, x_last = y_now, x_now
        net_path[left] -= _pay(
            paths, left, y_size * y_last, x_size * x_last, y_size, x_size, costs, money, row
        )


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

    `out` has a row a rule: trades, gross, net, money traded, and the mean and standard deviation
    (ddof 1) of the net return of a bar, on the capital.
    """
    size = stop - start
    edges = block_edges(z)
    trades = np.empty((size // 2 + 2, TRADE_COLUMNS), dtype=np.int64)
    tally = np.zeros(2, dtype=np.int64)
    sums = np.zeros(4)
    for row in range(rules.shape[0]):
        count = walk_between(z, edges, tradable, start, stop, rules[row], trades, tally)
        _book(trades, count, cells, units, costs, sums)
        mean = sums[1] / size
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = count, sums[0], sums[1], sums[2]
        out[row, 4] = mean / capital
        out[row, 5] = np.sqrt(max(sums[3] - size * mean * mean, 0.0) / (size - 1)) / capital


@compiled
def _book(
    trades: IntArray, count: int, cells: FloatArray, units: FloatArray, costs: FloatArray,
    sums: FloatArray,
) -> None:  # fmt: skip
    """Sum what `settle` books bar by bar, in a few steps a trade: gross, net, traded, squares."""
    total_gross, total_net, total_traded, squares = 0.0, 0.0, 0.0, 0.0
    carried_bar, carried = -1, 0.0
    for row in range(count):
        decided, entered, left = trades[row, DECIDED], trades[row, ENTERED], trades[row, LEFT]
        side = trades[row, SIDE]
        y, x = side * units[0, decided], side * units[1, decided]
        y_size, x_size = abs(y), abs(x)
        come, gone = cells[entered], cells[left]
        y_in, x_in = come[FILL_Y], come[FILL_X]
        at_close = trades[row, REASON] == END
        y_out, x_out = (gone[MARK_Y], gone[MARK_X]) if at_close else (gone[FILL_Y], gone[FILL_X])
        first = -_cost(
            come[IMPACT_Y], come[IMPACT_X], y_size * y_in, x_size * x_in, y_size, x_size, costs
        )
        last = -_cost(
            gone[IMPACT_Y], gone[IMPACT_X], y_size * y_out, x_size * x_out, y_size, x_size, costs
        )
        gross = y * (y_out - y_in) + x * (x_out - x_in)
        after_come, after_gone = cells[entered + 1], cells[left + 1]
        funding = y * (after_gone[SUM_FUNDING_Y] - after_come[SUM_FUNDING_Y])
        funding += x * (after_gone[SUM_FUNDING_X] - after_come[SUM_FUNDING_X])
        total_gross += gross
        total_net += gross - funding + first + last
        total_traded += y_size * y_in + x_size * x_in + (y_size * y_out + x_size * x_out)
        if left == entered:
            first += gross + last
        else:
            before = cells[left - 1]
            first += y * (come[MARK_Y] - y_in) + x * (come[MARK_X] - x_in)
            last += y * (y_out - before[MARK_Y]) + x * (x_out - before[MARK_X])
            last -= y * gone[FUNDING_Y] + x * gone[FUNDING_X]
        # A reversal leaves and enters in one bar: one profit, squared once.
        if entered == carried_bar:
            first += carried
        else:
            squares += carried * carried
        carried_bar, carried = left, first
        if left > entered:
            squares += first * first + y * y * (gone[SUM_YY] - after_come[SUM_YY])
            squares += x * x * (gone[SUM_XX] - after_come[SUM_XX])
            squares += 2.0 * y * x * (gone[SUM_YX] - after_come[SUM_YX])
            carried = last
    squares += carried * carried
    sums[0], sums[1], sums[2], sums[3] = total_gross, total_net, total_traded, squares
