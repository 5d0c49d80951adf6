"""The basket's backtest."""

from pages.ui.baskets.data import BasketBars
from pages.ui.baskets.settings import BasketChoice


def show(bars: BasketBars, choice: BasketChoice) -> None:
    """Later."""
