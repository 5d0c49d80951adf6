"""Quantiles of a few hundred numbers."""

from collections.abc import Iterable


def quantiles(values: Iterable[float], *shares: float) -> tuple[float | None, ...]:
    """The values below which each share of the values lies (nearest rank); None without any."""
    ordered = sorted(values)
    if not ordered:
        return (None,) * len(shares)
    return tuple(ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in shares)
