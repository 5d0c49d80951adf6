"""Products at many lags through the frequency domain: those of plain sums, whatever is missing."""

from itertools import pairwise

import numpy as np
import pytest

from analytics.scanner import held_out_null_stats, spectra
from analytics.scanner.held_draws import batches
from analytics.stationarity import WildDraws


def plain(left: np.ndarray, right: np.ndarray, starts: list[int], lags: int) -> np.ndarray:
    """Sum the products row by row of each stretch, over which of the two leads."""
    out = np.zeros((len(left), len(right), lags + 1))
    for begin, stop in pairwise(starts):
        for t in range(begin + lags, stop - 1):
            for lag in range(lags + 1):
                out[:, :, lag] += np.outer(left[:, t], right[:, t - lag])
                out[:, :, lag] += np.outer(left[:, t - lag], right[:, t])
    return out


@pytest.mark.parametrize(
    ("bars", "lags", "breaks"),
    [
        pytest.param(700, 20, [], id="whole"),
        pytest.param(700, 20, [5, 30, 300, 301], id="stretches-some-too-short"),
        pytest.param(260, 3, [100], id="few-lags"),
        pytest.param(90, 0, [40], id="no-lag"),
        pytest.param(12, 11, [], id="no-row-left"),
    ],
)
def test_products_of_pieces_are_those_of_plain_sums(bars, lags, breaks):
    changes = np.random.default_rng(1).standard_t(3, (5, bars - 1))
    starts = [0, *breaks, bars]
    pieces = spectra.cut(np.array(starts), lags)
    one, other = spectra.spectra(changes[:3], pieces), spectra.spectra(changes[3:], pieces)
    scale = (changes**2).sum()
    expected = plain(changes[:3], changes[3:], starts, lags)
    found = spectra.cross_products(one, other, pieces)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * scale)
    own = np.einsum("iil->il", plain(changes[:3], changes[:3], starts, lags)) / 2
    np.testing.assert_allclose(spectra.own_products(one, pieces), own, rtol=0, atol=1e-14 * scale)


def test_residuals_that_miss_other_bars_are_drawn_apart_and_each_as_alone():
    residuals = np.random.default_rng(2).normal(size=(70, 150)).cumsum(axis=1)
    residuals[3:9, 40:44] = np.nan
    draws = WildDraws.exactly(7, 150)
    parts = batches(residuals, draws)
    assert sorted(np.concatenate(parts).tolist()) == list(range(70))
    assert len(parts) == 2
    for part in parts:
        together = held_out_null_stats(residuals[part], draws)
        for number in part[:3]:
            alone = held_out_null_stats(residuals[number : number + 1], draws)[0]
            np.testing.assert_allclose(together[list(part).index(number)], alone, rtol=1e-10)
