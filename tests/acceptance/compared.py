"""What the Live page and its CSV say, held against figures computed anew: `independent`."""

import io

import numpy as np
import pandas as pd

from acceptance import independent
from acceptance.desk_page import Reading
from acceptance.market_process import PAIR

CSV_TOLERANCE = 1e-9
# A spread near zero is the difference of large terms: its own last digits are theirs.
TERM_TOLERANCE = 1e-12


def check_figures(shown: Reading, expected: independent.Expected) -> None:
    """Hold every figure of the Live page against the computed one, to the digits shown."""
    last, adf = expected.last, shown.rows["ADF of the spread"]
    wanted = (
        ("Spread", shown.value("Spread"), last["spread"], 0),
        ("z-score", shown.value("z-score"), last["zscore"], 0),
        ("z beside the signal", shown.z.removeprefix("z "), last["zscore"], 0),
        ("β", shown.value("Hedge ratio β"), expected.beta, 0),
        ("correlation", shown.value("Correlation"), last["correlation"], 0),
        ("ADF statistic", adf[0], expected.adf[0], 0),
        ("ADF p", adf[1], expected.adf[1], 0),
        ("ADF lags", adf[2], expected.adf[2], 0),
        ("cointegration p", shown.value("Cointegration p"), expected.cointegration, 0),
        (
            "cointegration p the other way round",
            shown.figures["Cointegration p"]["note"].rpartition(":")[2],
            expected.cointegration_swapped,
            0,
        ),
    )
    wrong = [
        (name, words, value)
        for name, words, value, place in wanted
        if not independent.agrees(words, value, place)
    ]
    assert wrong == []
    # It allows for a residual that remembers, so it is no smaller than the textbook's.
    error = float(independent.shown_numbers(shown.value("Hedge ratio β"))[1])
    assert error >= 0.99 * expected.stderr


def read_csv(raw: bytes) -> pd.DataFrame:
    """Parse the analysis, times as UTC."""
    table = pd.read_csv(io.BytesIO(raw))
    return table.assign(time=pd.to_datetime(table["time"], utc=True))


def check_table(table: pd.DataFrame, expected: independent.Expected) -> None:
    """Hold every value of the analysis against the computed one."""
    paths = expected.paths
    assert list(table["time"]) == list(paths.index)
    named = paths.rename(columns={"y": f"price_{PAIR[0]}", "x": f"price_{PAIR[1]}"})
    for name in named:
        wanted = named[name].to_numpy()
        allowed = CSV_TOLERANCE * np.nanmax(np.abs(wanted))
        if name in ("spread", "spread_mean"):
            allowed = max(allowed, TERM_TOLERANCE * expected.terms)
        off = np.abs(table[name].to_numpy(dtype=float) - wanted)
        wrong = ~(off <= allowed)
        assert not wrong.any(), (
            f"{name}: {wrong.sum()} of {len(wrong)} rows differ, the first at "
            f"{table['time'][wrong.argmax()]}: {table[name][wrong.argmax()]} and "
            f"{wanted[wrong.argmax()]}"
        )
    signals = [independent.signal_of(z, 2.0, 0.0) for z in paths["zscore"]]
    others = table.assign(wanted=signals).query("signal != wanted")
    assert others.empty, f"{len(others)} signals differ, the first: {dict(others.iloc[0])}"


def check_last_row(shown: Reading, table: pd.DataFrame) -> None:
    """Hold a file against what the page showed at the click: the same bar, or the next ones."""
    assert shown.bar is not None, shown
    last = table.iloc[-1]
    late_s = (last["time"] - shown.bar).total_seconds()
    assert 0 <= late_s <= 10, f"the file ends {late_s} s after the page's bar {shown.bar}"
    if late_s == 0:
        assert independent.agrees(shown.z.removeprefix("z "), last["zscore"]), (shown, last)
        assert shown.verdict == last["signal"], (shown, last)
        assert independent.agrees(shown.value("Spread"), last["spread"]), (shown, last)
