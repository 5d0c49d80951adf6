"""A test's outcome in plain words, at the level the reader chose."""

import math

from analytics.errors import ParameterError


def check_level(level: float) -> float:
    """Return a significance level; ParameterError unless it lies between 0 and 1."""
    if not (math.isfinite(level) and 0 < level < 1):
        raise ParameterError("level", level, "between 0 and 1, such as 0.05")
    return level


def pvalue_words(pvalue: float) -> str:
    """Write a p-value as a reader takes it in: three digits, or that it is below a thousandth."""
    return "p < 0.001" if pvalue < 0.001 else f"p = {pvalue:.3f}"


def verdict_words(pvalue: float, level: float, rejected: str, kept: str) -> str:
    """Say which way the p-value falls at this level, and what follows."""
    check_level(level)
    if math.isnan(pvalue):
        return "no verdict: the p-value is not known"
    if pvalue < level:
        return f"{rejected} ({pvalue_words(pvalue)}, below {level:g})"
    return f"{kept} ({pvalue_words(pvalue)}, not below {level:g})"
