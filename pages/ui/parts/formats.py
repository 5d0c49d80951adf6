"""How numbers and times look: the same everywhere on the pages."""

import math
import re
import unicodedata
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.charts.digits import MOST_DECIMALS, estimate_decimals
from pages.ui.state.clock import shown, zone_word

NOT_KNOWN: Final = "–"
LONGEST_OUTSIDE: Final = 80  # characters of a name from a link or a file
# Read as Markdown: its signs, those that count at the edge of a word or a line, and references.
_MARKS: Final = re.compile(
    r"[\\`*\[\]$<~]|(?<![^\W_])_|_(?![^\W_])|:(?=[a-z])|&(?=#?\w+;)|^[#>+\-=|]", re.IGNORECASE
)
_COUNTED: Final = re.compile(r"^(\d+)([.)])(?=\s)")
# Read as links, mail and icons after that, where no backslash helps.
_LINKS: Final = re.compile(
    r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)|(?<=:)(?=[\w+/-]+:)(?!\d\d:)", re.IGNORECASE
)
_NO_BREAK: Final = "\u2060"  # takes no place
MINUS: Final = "−"
QUOTES: Final = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "EUR", "TRY", "BTC", "ETH", "BNB")
SIGNIFICANT_DIGITS: Final = 7
DECIDING: Final = 500  # known prices that say how many decimals a price has
MAX_DECIMALS: Final = 10
INTERVAL_CODES: Final = {"1s": "1S", "1min": "1T", "5min": "5T"}


def quote_currency(symbol: str) -> str:
    """Return the quote currency of a symbol such as BTCUSDT, or "quote" when it is not known."""
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return quote
    return "quote"


def _known(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    known: NDArray[np.float64] = prices[np.isfinite(prices) & (prices != 0)]
    return known


def price_decimals(prices: NDArray[np.float64]) -> int:
    """Return the decimals that these prices need, so that a price looks as it was printed.

    Parameters
    ----------
    prices
        Prices of one symbol; the last 500 known ones decide. NaN is skipped.

    Returns
    -------
    int
        The fewest decimals up to 10 that lose nothing; about seven significant digits where
        no such number exists, 2 where no price is known.
    """
    known = _known(prices[-2 * DECIDING :])
    if len(known) < DECIDING < len(prices):
        known = _known(prices)
    known = known[-DECIDING:]
    if not len(known):
        return 2
    for decimals in range(MAX_DECIMALS + 1):
        if np.array_equal(np.round(known, decimals), known):
            return decimals
    whole_digits = math.floor(math.log10(abs(known[-1]))) + 1
    return min(max(SIGNIFICANT_DIGITS - whole_digits, 2), MAX_DECIMALS)


def number(value: float, decimals: int) -> str:
    """Format with thousands separators and a true minus sign; a dash for NaN."""
    if not math.isfinite(value):
        return NOT_KNOWN
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def with_minus(words: str) -> str:
    """Give the numbers in running text a true minus sign; hyphens and dates stay."""
    return re.sub(r"(?<!\w)-(?=\d)", MINUS, words)


def zscore(value: float) -> str:
    """Format a z-score: always signed, two decimals."""
    if not math.isfinite(value):
        return NOT_KNOWN
    return f"{value:+.2f}".replace("-", MINUS)


def statistic(value: float) -> str:
    """Format a test statistic, an estimate or a correlation to three decimals."""
    return number(value, 3)


def estimate(value: float) -> str:
    """Format a hedge ratio by four significant digits at least, in decimals however small."""
    return number(value, estimate_decimals(value))


def pvalue(value: float) -> str:
    """Format a p-value: three decimals, "<0.001" below."""
    if not math.isfinite(value):
        return NOT_KNOWN
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def error(value: float, of: float) -> str:
    """Format a standard error to the decimals of its estimate, by two digits at least."""
    if value > 0 and math.isfinite(value):
        decimals = max(estimate_decimals(of), 1 - math.floor(math.log10(value)))
        return number(value, min(decimals, MOST_DECIMALS))
    return estimate(value)


def percent(share: float, decimals: int = 0) -> str:
    """Format a share in percent: "5 %"; a dash for NaN."""
    return NOT_KNOWN if not math.isfinite(share) else f"{number(share * 100, decimals)} %"


def spread_unit(spread: str, y: str) -> str:
    """Name the unit of a spread of this kind: the quote currency of S1, or none but its kind."""
    return spread if spread in {"log", "ratio"} else quote_currency(y)


def capital(words: str) -> str:
    """Begin a label with a capital; a statistic's letter, as in "z-score", keeps its case."""
    is_letter = words[1:2] in {" ", "-"} and words[:1] != "a"
    return words if is_letter else words[:1].upper() + words[1:]


def count(value: int, noun: str) -> str:
    """Format a count with its noun: "1 bar", "1,800 bars"."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def clipped(words: object, longest: int = LONGEST_OUTSIDE) -> str:
    """Give a name from outside on one line, in letters that print, cut where it is too long."""
    line = "".join(each if _prints(each) else " " for each in str(words)).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _prints(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def as_written(words: str) -> str:
    """Keep a name from a file, a link or a visitor from being read as Markdown."""
    escaped = _COUNTED.sub(r"\1\\\2", _MARKS.sub(r"\\\g<0>", words))
    return _LINKS.sub(_NO_BREAK, escaped)


def sample(nobs: int, noun: str = "bar") -> str:
    """Format a sample size: "n = 1,800 bars"."""
    return f"n = {count(nobs, noun)}"


def age(seconds: float) -> str:
    """Format how long ago something was: "0.3 s", "12 s", "3 min", "2.5 h", "4 days"."""
    # The exchange's clock may run ahead of ours; a negative age would only puzzle.
    seconds = max(seconds, 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3_600:.1f} h"
    return f"{seconds / 86_400:.0f} days"


def data_size(size_bytes: float) -> str:
    """Format a number of bytes in decimal units: "812 B", "1.4 MB", "120 GB"."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= scale:
            scaled = size_bytes / scale
            return f"{scaled:.1f} {unit}" if scaled < 100 else f"{scaled:.0f} {unit}"
    return f"{size_bytes:.0f} B"


def milliseconds(duration_ms: float | None) -> str:
    """Format a short duration: "4.2 ms", "210 ms", "1.3 s"; a dash where it is not known."""
    if duration_ms is None or not math.isfinite(duration_ms):
        return NOT_KNOWN
    if abs(duration_ms) >= 1_000:
        return number(duration_ms / 1_000, 1) + " s"
    return number(duration_ms, 1 if abs(duration_ms) < 10 else 0) + " ms"


def share(part: int, whole: int) -> str:
    """Format a part of a whole in percent, rounded down: "100 %" is said only of all of it."""
    tenths = part * 1_000 // whole if whole else 0
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def clock(time: pd.Timestamp) -> str:
    """Format a time of day in the reader's zone: "14:03:07 UTC"."""
    here = shown(time)
    return f"{here:%H:%M:%S} {zone_word(here)}"


def moment(time: pd.Timestamp) -> str:
    """Format a date and time in the reader's zone: "2024-08-08 23:54:14 UTC"."""
    here = shown(time)
    return f"{here:%Y-%m-%d %H:%M:%S} {zone_word(here)}"


def span(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """Format a stretch of time in the reader's zone, the date once where it lies in one day."""
    first, last = shown(start), shown(end)
    until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} to {until} {zone_word(last)}"


def interval_label(interval: str) -> str:
    """Name an interval with its short code where it has one: "1min (1T)"."""
    code = INTERVAL_CODES.get(interval)
    return interval if code is None else f"{interval} ({code})"
