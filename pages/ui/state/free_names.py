"""Names for what a reader makes and does not name."""

from collections.abc import Collection


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name itself, or with the next number behind it that is not taken."""
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return next(each for each in (name, *numbered) if each not in taken)
