"""MacKinnon's published numbers: p-value polynomials (1994) and critical-value surfaces (2010).

For a series with given coefficients (first of each pair) and for the residual of one series on
another (second); what more variables need is left out. Digits are those of
``statsmodels.tsa.adfvalues``, and a test compares every one: they stand here because importing
that module brings half a second of others with it, before the app can answer.

References
----------
MacKinnon (1994), J. Business & Economic Statistics 12, 167-176.
MacKinnon (2010), Queen's Economics Department Working Paper 1227.
"""

import math
from typing import Final, NamedTuple


class Surface(NamedTuple):
    """One trend and number of variables; polynomials ascend from the constant."""

    lowest: float  # p is 0 below
    highest: float  # p is 1 above
    star: float  # `left` up to here, `right` beyond
    left: tuple[float, ...]
    right: tuple[float, ...]
    critical: tuple[tuple[float, ...], ...]  # at 1, 5 and 10 %, in 1 / observations


TABLES: Final[dict[str, tuple[Surface, Surface]]] = {
    "n": (
        Surface(
            -19.04,
            math.inf,
            -1.04,
            (0.6344, 1.2378, 0.032496000000000004),
            (0.4797, 0.9355700000000001, -0.06999, 0.033066),
            (
                (-2.56574, -2.2358, -3.627, 0.0),
                (-1.941, -0.2686, -3.365, 31.223),
                (-1.61682, 0.2656, -2.714, 25.364),
            ),
        ),
        Surface(
            -19.62,
            1.51,
            -1.53,
            (1.9129, 1.3857, 0.035322),
            (1.5578, 0.8558, -0.20830000000000004, -0.033549),
            (),
        ),
    ),
    "c": (
        Surface(
            -18.83,
            2.74,
            -1.61,
            (2.1659, 1.4412, 0.038269000000000004),
            (1.7339, 0.9320200000000001, -0.12745, -0.010368),
            (
                (-3.43035, -6.5393, -16.786, -79.433),
                (-2.86154, -2.8903, -4.234, -40.04),
                (-2.56677, -1.5384, -2.809, 0.0),
            ),
        ),
        Surface(
            -18.86,
            0.92,
            -2.62,
            (2.92, 1.5012, 0.039796),
            (2.1945, 0.64695, -0.29198, -0.042377000000000005),
            (
                (-3.89644, -10.9519, -33.527, 0.0),
                (-3.33613, -6.1101, -6.823, 0.0),
                (-3.04445, -4.2412, -2.72, 0.0),
            ),
        ),
    ),
    "ct": (
        Surface(
            -16.18,
            0.7,
            -2.89,
            (3.2512, 1.6047, 0.049588),
            (2.5261, 0.6165400000000001, -0.37956, -0.060285000000000005),
            (
                (-3.95877, -9.0531, -28.428, -134.155),
                (-3.41049, -4.3904, -9.036, -45.374),
                (-3.12705, -2.5856, -3.925, -22.38),
            ),
        ),
        Surface(
            -21.15,
            0.63,
            -3.19,
            (3.6646, 1.5419, 0.036448),
            (2.85, 0.5272, -0.36622, -0.051695000000000005),
            (
                (-4.32762, -15.4387, -35.679, 0.0),
                (-3.78057, -9.5106, -12.074, 0.0),
                (-3.49631, -7.0815, -7.538, 21.892),
            ),
        ),
    ),
    "ctt": (
        Surface(
            -17.17,
            0.54,
            -3.21,
            (4.0003, 1.658, 0.048288000000000005),
            (3.0778, 0.49529, -0.4147700000000001, -0.059359),
            (
                (-4.37113, -11.5882, -35.819, -334.047),
                (-3.83239, -5.9057, -12.49, -118.284),
                (-3.55326, -3.6596, -5.293, -63.559),
            ),
        ),
        Surface(
            -21.1,
            0.79,
            -3.51,
            (4.3534, 1.6016, 0.037947),
            (3.4713, 0.5967, -0.32507, -0.042286000000000004),
            (
                (-4.69276, -20.2284, -64.919, 88.884),
                (-4.15387, -13.3114, -28.402, 72.741),
                (-3.87346, -10.4637, -17.408, 66.313),
            ),
        ),
    ),
}
