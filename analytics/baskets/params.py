"""What the user chose for a basket: frozen and hashable, so it can be a cache key."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import pandas as pd

from analytics.errors import ParameterError
from analytics.frames import Interval
from analytics.pair import DATA_GATES, Gates, PairParams
from analytics.spread import CorrelationOn

BasketMethod = Literal["johansen", "box_tiao", "min_half_life"]
METHODS: Final[tuple[BasketMethod, ...]] = get_args(BasketMethod)
METHOD_TITLES: Final[dict[BasketMethod, str]] = {
    "johansen": "Johansen's leading vector",
    "box_tiao": "Box-Tiao: least predictable",
    "min_half_life": "Shortest half-life",
}
LEAST_SYMBOLS: Final = 3
MOST_SYMBOLS: Final = 8


@dataclass(frozen=True, slots=True)
class BasketParams:
    """A basket and how to look at it. The first symbol has weight 1; all is of log prices.

    Attributes
    ----------
    symbols
        Three to eight, each once.
    method
        How the weights are found: see `analytics.baskets.fit_basket`.
    interval, lookback, window, sell_above, buy_below, correlation_on, level, gates
        As in `PairParams`.

    Raises
    ------
    ParameterError
        For any value outside what it may be.
    """

    symbols: tuple[str, ...]
    interval: str = "1s"
    lookback: int | None = None
    window: int = 60
    method: BasketMethod = "johansen"
    sell_above: float = 2.0
    buy_below: float = 0.0
    correlation_on: CorrelationOn = "returns"
    level: float = 0.05
    gates: Gates = DATA_GATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", check_symbols(self.symbols))
        check_method(self.method)
        object.__setattr__(self, "interval", self.as_pair.interval)

    @property
    def as_pair(self) -> PairParams:
        """The basket as a pair: ln S1 against the weighted logs of the others, one to one."""
        return PairParams(
            self.symbols[0],
            self.others,
            interval=self.interval,
            lookback=self.lookback,
            window=self.window,
            sell_above=self.sell_above,
            buy_below=self.buy_below,
            correlation_on=self.correlation_on,
            level=self.level,
            gates=self.gates,
        )

    @property
    def others(self) -> str:
        """All symbols but the first, as messages name them: ``"ETHUSDT+BNBUSDT"``."""
        return "+".join(self.symbols[1:])

    @property
    def label(self) -> str:
        """The basket as messages name it: ``"BTCUSDT/ETHUSDT+BNBUSDT"``."""
        return f"{self.symbols[0]}/{self.others}"

    @property
    def bar(self) -> Interval:
        """The interval with its length and label."""
        return self.as_pair.bar

    @property
    def sample(self) -> int | None:
        """Latest bars that the weights and the tests stand on; None for all."""
        return self.as_pair.sample

    def sampled(self, logs: pd.DataFrame) -> pd.DataFrame:
        """Return the latest rows, as many as weights and tests stand on."""
        return logs if self.sample is None else logs.iloc[-self.sample :]

    @property
    def reach(self) -> int | None:
        """Latest bars that a result is made of: the range and the warm-up; None for all."""
        return self.as_pair.reach


def check_symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Return three to eight different names as a tuple; ParameterError for any others."""
    names = tuple(symbols)
    if not LEAST_SYMBOLS <= len(names) <= MOST_SYMBOLS:
        allowed = f"{LEAST_SYMBOLS} to {MOST_SYMBOLS} symbols, had {len(names)}"
        raise ParameterError("symbols", names, allowed)
    if not all(names):
        raise ParameterError("symbols", names, "names of symbols, none empty")
    doubled = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if doubled is not None:
        raise ParameterError("symbols", names, f"each symbol once: {doubled} stands twice")
    return names


def check_method(method: str) -> BasketMethod:
    """Return the method; ParameterError for one not known."""
    for known in METHODS:
        if method == known:
            return known
    raise ParameterError("method", method, f"one of {', '.join(METHODS)}")
