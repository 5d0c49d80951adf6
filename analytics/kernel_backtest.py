"""The rules walked bar by bar and the trades settled: compiled, one code for a run and a sweep."""

from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.jit import compiled

# Columns of a trade: bars of decision and fill, both ways; side; why it was left.
DECIDED: Final = 0
ENTERED: Final = 1
LEAVE_DECIDED: Final = 2
LEFT: Final = 3
SIDE: Final = 4
REASON: Final = 5
TRADE_COLUMNS: Final = 6

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


@compiled
def _next_outside(z: FloatArray, first: int, last: int, low: float, high: float) -> int:
    """Find the first bar with z below `low` or above `high`; `last` without one."""
    t = first
    while t < last and not (z[t] < low or z[t] > high):
        t += 1
    return t


@compiled
def _next_touch(z: FloatArray, first: int, last: int, low: float, high: float) -> int:
    """Find the first bar with z at or beyond `low` or `high`; `last` without one."""
    t = first
    while t < last and not (z[t] <= low or z[t] >= high):
        t += 1
    return t


@compiled
def _next_event(
    z: FloatArray, first: int, last: int, side: int, entered: int, rule: FloatArray
) -> int:
    """Find the first bar that may decide something, so that the bars before are passed quickly."""
    if side == 0:
        return _next_outside(z, first, last, rule[1], rule[0])
    due = int(min(float(last), entered + rule[5] - 1.0))
    if side < 0:
        return _next_touch(z, first, due, rule[2], rule[4])
    return _next_touch(z, first, due, -rule[4], rule[3])


@compiled
def _entry(value: float, rule: FloatArray, may_sell: bool, may_buy: bool) -> int:
    """Return the side that z asks for: −1, +1, or 0."""
    if value > rule[0] and may_sell:
        return -1
    return 1 if value < rule[1] and may_buy else 0


@compiled
def _reason(value: float, side: int, held: int, rule: FloatArray) -> int:
    """Return why a position is left at this close; 0 for not."""
    against = value if side < 0 else -value
    if against >= rule[4]:
        return STOP
    if (side < 0 and value <= rule[2]) or (side > 0 and value >= rule[3]):
        return EXIT
    return TIME if held >= rule[5] else 0


@compiled
def walk(  # noqa: PLR0912 - one automaton, read from top to bottom
    z: FloatArray, tradable: BoolArray, start: int, stop: int, rule: FloatArray,
    trades: IntArray, tally: IntArray,
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
            t = _next_event(z, t, stop - 1, side, entered, rule)
        if leaving != 0:
            if tradable[t]:
                _write(trades, count, decided, entered, leave_decided, t, side, leaving)
                count += 1
                side, leaving = 0, 0
            else:
                tally[1] += 1
        if entering != 0:
            if leaving == 0 and tradable[t]:
                side, entered, decided = entering, t, asked
            else:
                tally[0] += 1
            entering = 0
        if t == stop - 1:
            break
        value = z[t]
        # A comparison with NaN is false: without a z nothing is entered, left or re-armed by it.
        may_sell = may_sell or value <= rule[0]
        may_buy = may_buy or value >= rule[1]
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
        elif leaving != 0 and rule[6] != 0.0:
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
    trades[row, 0] = decided
    trades[row, 1] = entered
    trades[row, 2] = leave_decided
    trades[row, 3] = left
    trades[row, 4] = side
    trades[row, 5] = reason


@compiled
def _pay(
    paths: FloatArray, bar: int, y_notional: float, x_notional: float, y_size: float,
    x_size: float, costs: FloatArray, money: FloatArray, row: int,
) -> float:  # fmt: skip
    """Book the costs of filling both legs at a bar; return their sum. `costs`: fee, spread, p."""
    traded = y_notional + x_notional
    fee = traded * costs[0]
    half_spread = traded * costs[1]
    slippage = 0.0
    if paths[4, bar] != 0.0 or paths[5, bar] != 0.0:
        y_share = np.sqrt(y_size) if costs[2] == 0.5 else y_size
        x_share = np.sqrt(x_size) if costs[2] == 0.5 else x_size
        slippage = y_notional * paths[4, bar] * y_share + x_notional * paths[5, bar] * x_share
    money[row, 1] += fee
    money[row, 2] += half_spread
    money[row, 3] += slippage
    money[row, 5] += traded
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
        decided, entered, left = trades[row, 0], trades[row, 1], trades[row, 3]
        y_units = trades[row, 4] * units[0, decided]
        x_units = trades[row, 4] * units[1, decided]
        y_size, x_size = abs(y_units), abs(x_units)
        money[row, :] = 0.0
        y_last, x_last = paths[0, entered], paths[1, entered]
        net_path[entered] -= _pay(
            paths, entered, y_size * y_last, x_size * x_last, y_size, x_size, costs, money, row
        )
        at_close = trades[row, 5] == END
        for t in range(entered, left + 1):
            if t == left and not at_close:
                y_now, x_now = paths[0, t], paths[1, t]
            else:
                y_now, x_now = paths[2, t], paths[3, t]
            gained = y_units * (y_now - y_last) + x_units * (x_now - x_last)
            money[row, 0] += gained
            gross_path[t] += gained
            net_path[t] += gained
            if t > entered:
                funding = y_units * paths[6, t] + x_units * paths[7, t]
                money[row, 4] += funding
                net_path[t] -= funding
            y_last, x_last = y_now, x_now
        net_path[left] -= _pay(
            paths, left, y_size * y_last, x_size * x_last, y_size, x_size, costs, money, row
        )


@compiled
def squared_moves(paths: FloatArray, out: FloatArray) -> None:
    """Fill running sums of the squares and the product of the legs' moves; `out` is (3, n + 1).

    A move is that of the mark less the funding of a long unit: over the bars inside a trade the
    squared profits are then a difference of two sums, whatever the quantities.
    """
    out[:, :2] = 0.0
    for t in range(1, paths.shape[1]):
        y = paths[2, t] - paths[2, t - 1] - paths[6, t]
        x = paths[3, t] - paths[3, t - 1] - paths[7, t]
        if np.isnan(y) or np.isnan(x):
            y, x = 0.0, 0.0
        out[0, t + 1] = out[0, t] + y * y
        out[1, t + 1] = out[1, t] + x * x
        out[2, t + 1] = out[2, t] + y * x


@compiled
def sweep_rules(
    z: FloatArray, tradable: BoolArray, start: int, stop: int, rules: FloatArray,
    paths: FloatArray, moves: FloatArray, funded: FloatArray, units: FloatArray,
    costs: FloatArray, capital: float, out: FloatArray,
) -> None:  # fmt: skip
    """Walk and book a set of rules over the same bars.

    `moves` are the sums of `squared_moves`, `funded` (2, n + 1) the running sums of the funding.
    `out` has a row a rule: trades, gross, net, money traded, and the mean and standard deviation
    (ddof 1) of the net return of a bar, on the capital.
    """
    size = stop - start
    trades = np.empty((size // 2 + 2, 6), dtype=np.int64)
    tally = np.zeros(2, dtype=np.int64)
    sums = np.zeros(4)
    for row in range(rules.shape[0]):
        count = walk(z, tradable, start, stop, rules[row], trades, tally)
        _book(trades, count, paths, moves, funded, units, costs, sums)
        mean = sums[1] / size
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = count, sums[0], sums[1], sums[2]
        out[row, 4] = mean / capital
        out[row, 5] = np.sqrt(max(sums[3] - size * mean * mean, 0.0) / (size - 1)) / capital


@compiled
def _book(
    trades: IntArray, count: int, paths: FloatArray, moves: FloatArray, funded: FloatArray,
    units: FloatArray, costs: FloatArray, sums: FloatArray,
) -> None:  # fmt: skip
    """Sum what `settle` books bar by bar, in a few steps a trade: gross, net, traded, squares."""
    sums[:] = 0.0
    money = np.zeros((1, 6))
    carried_bar, carried = -1, 0.0
    for row in range(count):
        decided, entered, left = trades[row, 0], trades[row, 1], trades[row, 3]
        y, x = trades[row, 4] * units[0, decided], trades[row, 4] * units[1, decided]
        y_in, x_in = paths[0, entered], paths[1, entered]
        kind = 2 if trades[row, 5] == END else 0
        y_out, x_out = paths[kind, left], paths[kind + 1, left]
        money[0, :] = 0.0
        first = -_pay(paths, entered, abs(y) * y_in, abs(x) * x_in, abs(y), abs(x), costs, money, 0)
        last = -_pay(paths, left, abs(y) * y_out, abs(x) * x_out, abs(y), abs(x), costs, money, 0)
        gross = y * (y_out - y_in) + x * (x_out - x_in)
        funding = y * (funded[0, left + 1] - funded[0, entered + 1])
        funding += x * (funded[1, left + 1] - funded[1, entered + 1])
        sums[0] += gross
        sums[1] += gross - funding + first + last
        sums[2] += money[0, 5]
        if left == entered:
            first += gross + last
        else:
            first += y * (paths[2, entered] - y_in) + x * (paths[3, entered] - x_in)
            last += y * (y_out - paths[2, left - 1]) + x * (x_out - paths[3, left - 1])
            last -= y * paths[6, left] + x * paths[7, left]
        # A reversal leaves and enters in one bar: one profit, squared once.
        if entered == carried_bar:
            first += carried
        else:
            sums[3] += carried * carried
        carried_bar, carried = left, first
        if left > entered:
            sums[3] += first * first + y * y * (moves[0, left] - moves[0, entered + 1])
            sums[3] += x * x * (moves[1, left] - moves[1, entered + 1])
            sums[3] += 2.0 * y * x * (moves[2, left] - moves[2, entered + 1])
            carried = last
    sums[3] += carried * carried
