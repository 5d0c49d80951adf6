"""The strongest public ways to the same statistics: what a reader who knows the field would write.

`bottleneck` and `numbagg` are of the test requirements only.
"""

from typing import Any, Literal

import numpy as np
from arch.unitroot import ADF
from numba import njit
from numpy.lib.stride_tricks import sliding_window_view
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

Floats = np.ndarray[Any, np.dtype[np.float64]]


def schwert(bars: int) -> int:
    """Most lags of an automatic choice, as statsmodels and arch have it."""
    return int(np.ceil(12.0 * (bars / 100.0) ** 0.25))


def arch_adf(y: Floats, trend: Literal["n", "c"] = "c") -> float:
    """arch's ADF with its lags from one QR."""
    return float(ADF(y, trend=trend, method="aic", low_memory=True).stat)


def gram_adf(y: Floats, constant: bool = True, lags: int | None = None) -> float:
    """ADF from the Gram matrix of [constant | level | lags | difference] and its Cholesky factor.

    All lag lengths are leading blocks of one factor, so that AIC costs one product of matrices.
    """
    chosen = _aic_lag(y, constant, schwert(y.size)) if lags is None else lags
    factor, rows = _factor(y, constant, chosen, level_last=True)
    free = rows - factor.shape[0] + 1
    return float(factor[-1, -2] / factor[-1, -1] * np.sqrt(free))


def gram_engle_granger(y: Floats, x: Floats, lags: int | None = None) -> float:
    """The same of the residual of y on x and a constant."""
    return gram_adf(_residual(y, x), constant=False, lags=lags)


def arch_engle_granger(y: Floats, x: Floats) -> float:
    return arch_adf(_residual(y, x), trend="n")


def _residual(y: Floats, x: Floats) -> Floats:
    y, x = y - y.mean(), x - x.mean()
    return y - (x @ y / (x @ x)) * x


def _factor(y: Floats, constant: bool, lags: int, *, level_last: bool) -> tuple[Floats, int]:
    change = np.diff(y)
    windows = sliding_window_view(change, lags + 1)[:, ::-1]
    level = y[lags:-1, None]
    middle = [windows[:, 1:], level] if level_last else [level, windows[:, 1:]]
    first = [np.ones((level.size, 1))] if constant else []
    design = np.column_stack([*first, *middle, windows[:, :1]])
    return np.linalg.cholesky(design.T @ design), level.size


def _aic_lag(y: Floats, constant: bool, most: int) -> int:
    factor, rows = _factor(y, constant, most, level_last=False)
    squares = factor[-1] ** 2
    left = np.cumsum(squares[::-1])[: most + 1][::-1]
    return int(np.argmin(rows * np.log(left) + 2.0 * np.arange(most + 1)))


def bottleneck_line(y: Floats, x: Floats, window: int) -> tuple[Floats, Floats]:
    """Rolling slope and intercept from bottleneck's moving means."""
    from bottleneck import move_mean

    y_mean, x_mean = move_mean(y, window), move_mean(x, window)
    beta = (move_mean(x * y, window) - x_mean * y_mean) / (
        move_mean(x * x, window) - x_mean * x_mean
    )
    return beta, y_mean - beta * x_mean


def numbagg_line(y: Floats, x: Floats, window: int) -> tuple[Floats, Floats]:
    """Rolling slope and intercept from numbagg's moving covariance and variance."""
    from numbagg import move_cov, move_mean, move_var

    beta = move_cov(y, x, window=window) / move_var(x, window=window)
    return beta, move_mean(y, window=window) - beta * move_mean(x, window=window)


@njit(nogil=True, error_model="numpy")
def running_sums_line(y, x, window):
    """Twenty lines of numba: rolling slope and intercept from running sums."""
    beta, alpha = np.full(y.size, np.nan), np.full(y.size, np.nan)
    y_sum, x_sum, xx, xy = 0.0, 0.0, 0.0, 0.0
    for t in range(y.size):
        y_sum += y[t]
        x_sum += x[t]
        xx += x[t] * x[t]
        xy += x[t] * y[t]
        if t >= window:
            y_sum -= y[t - window]
            x_sum -= x[t - window]
            xx -= x[t - window] * x[t - window]
            xy -= x[t - window] * y[t - window]
        if t >= window - 1:
            beta[t] = (xy - x_sum * y_sum / window) / (xx - x_sum * x_sum / window)
            alpha[t] = (y_sum - beta[t] * x_sum) / window
    return beta, alpha


@njit(nogil=True, error_model="numpy")
def running_sums_with_error(y, x, window):
    """The same with the standard error of the slope, which ours gives too."""
    beta, alpha = np.full(y.size, np.nan), np.full(y.size, np.nan)
    stderr = np.full(y.size, np.nan)
    y_sum, x_sum, yy, xx, xy = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(y.size):
        y_sum += y[t]
        x_sum += x[t]
        yy += y[t] * y[t]
        xx += x[t] * x[t]
        xy += x[t] * y[t]
        if t >= window:
            y_sum -= y[t - window]
            x_sum -= x[t - window]
            yy -= y[t - window] * y[t - window]
            xx -= x[t - window] * x[t - window]
            xy -= x[t - window] * y[t - window]
        if t >= window - 1:
            spread = xx - x_sum * x_sum / window
            beta[t] = (xy - x_sum * y_sum / window) / spread
            alpha[t] = (y_sum - beta[t] * x_sum) / window
            rest = yy - y_sum * y_sum / window - beta[t] * beta[t] * spread
            stderr[t] = np.sqrt(rest / (window - 2) / spread)
    return beta, alpha, stderr


def state_space_kalman(y: Floats, x: Floats, drift: float, noise: float) -> float:
    """Last slope by statsmodels' Kalman filter, which is written in Cython."""
    return float(state_space(y, x, drift, noise).filter().filtered_state[0, -1])


def state_space(y: Floats, x: Floats, drift: float, noise: float) -> KalmanFilter:
    """statsmodels' filter of the same model, told to keep no more than it must."""
    model = KalmanFilter(k_endog=1, k_states=2, k_posdef=2)
    model.bind(np.ascontiguousarray(y[:, None]))
    model["design"] = np.vstack([x, np.ones(x.size)])[None]
    model["transition"] = model["selection"] = np.eye(2)
    model["state_cov"] = drift * np.eye(2)
    model["obs_cov"] = np.array([[noise]])
    model.initialize_known(np.zeros(2), np.zeros((2, 2)))
    model.memory_no_likelihood = True
    return model


@njit(nogil=True, error_model="numpy")
def numba_kalman(y, x, drift, noise):
    """The filter as books print it, in numba: path of slope, level, error, its variance."""
    path = np.empty((4, y.size))
    beta, alpha, p_bb, p_ab, p_aa = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(y.size):
        if t > 0:
            p_bb += drift
            p_aa += drift
        error = y[t] - beta * x[t] - alpha
        c_b = p_bb * x[t] + p_ab
        c_a = p_ab * x[t] + p_aa
        variance = c_b * x[t] + c_a + noise
        beta += c_b / variance * error
        alpha += c_a / variance * error
        p_bb -= c_b / variance * c_b
        p_ab -= c_b / variance * c_a
        p_aa -= c_a / variance * c_a
        path[0, t], path[1, t], path[2, t], path[3, t] = beta, alpha, error, variance
    return path


@njit(nogil=True, error_model="numpy")
def numba_walk(z, tradable, rule, trades):
    """The plain loop of `cases.backtest` in numba: entries and exits, without their money."""
    sell_above, buy_below, exit_short, exit_long, stop, time_stop, after_return = rule
    count, side, order, leave, entered = 0, 0, 0, 0, -1
    sell_barred, buy_barred = False, False
    last = z.size - 1
    for t in range(z.size):
        if leave and tradable[t]:
            trades[count, 1] = t
            count += 1
            side, leave = 0, 0
        if order:
            if tradable[t] and not side:
                side, entered = order, t
                trades[count, 0], trades[count, 2] = t, side
            order = 0
        if t == last:
            break
        if z[t] <= sell_above:
            sell_barred = False
        if z[t] >= buy_below:
            buy_barred = False
        wanted = 0
        if z[t] > sell_above and not sell_barred:
            wanted = -1
        elif z[t] < buy_below and not buy_barred:
            wanted = 1
        if not side:
            order = wanted
            continue
        if leave:
            continue
        if -z[t] * side >= stop:
            leave = 2
        elif (side < 0 and z[t] <= exit_short) or (side > 0 and z[t] >= exit_long):
            leave = 1
        elif t - entered + 1 >= time_stop:
            leave = 3
        if leave == 1 and wanted == -side:
            order = wanted
        if leave > 1 and after_return:
            sell_barred, buy_barred = sell_barred or side < 0, buy_barred or side > 0
    if side:
        trades[count, 1] = last
        count += 1
    return count
