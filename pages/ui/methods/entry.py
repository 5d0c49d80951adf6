"""One number's entry on the Methods page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """How a number is made.

    Attributes
    ----------
    key
        Its anchor: ``/methods#key``.
    name
        As the pages call it.
    what
        What it tells a trader, in a sentence or two; the figure's tooltip says the same.
    formula
        LaTeX; "" where there is none to write.
    sample
        Which bars it uses.
    assumptions
        What must hold for it to be taken at its word.
    reference
        Where it is from.
    shown
        Pages that show it.
    """

    key: str
    name: str
    what: str
    formula: str
    sample: str
    assumptions: str
    reference: str
    shown: str = "Live"
