"""What a piece of research asks: which pairs, which settings, what is traded, how it is judged."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from analytics.backtest import SYMMETRIC_RULES, BacktestRules, Costs
from analytics.errors import ParameterError
from analytics.frames import parse_interval
from analytics.hedge import CAUSAL_HEDGES
from analytics.pair import PairParams
from analytics.spread import SpreadKind

FORM: Final = 1
"""Changes whenever the same question would get other numbers: finished tasks are then not used."""
LEAST_BARS: Final = 3


@dataclass(frozen=True, slots=True)
class ResearchSpec:
    """A question about all pairs of some symbols. Frozen, hashable, and plain values as JSON.

    Attributes
    ----------
    symbols
        In this order: a pair is one with any of those after it, S1 the earlier one.
    interval
        Of the bars.
    windows, entries, hedges
        Settings: bars of the z-score (and of a rolling hedge ratio), thresholds of z, hedge
        methods. Every combination is tried.
    spread
        As `PairParams` takes it.
    rules
        Exits, stops, size and costs; its entries are replaced by those tried.
    train_bars, test_bars
        Each stretch of `test_bars` is traded with what did best in the `train_bars` before it.
    criterion, only_if_paid
        As `analytics.backtest.walk_forward`.
    holdout_share
        Share of the bars traded, the last ones, that the choice of pairs does not look at.
    level
        Of tests and of the corrected p-values.
    null_runs
        Times that the whole search is done again, for each pair, on an S2 whose moves were put
        into another order.
    scan
        Whether each month is scanned for cointegration as well.
    seed
        Of the permutations.
    """

    symbols: tuple[str, ...]
    interval: str
    windows: tuple[int, ...]
    entries: tuple[float, ...]
    train_bars: int
    test_bars: int
    hedges: tuple[str, ...] = ("rolling_ols",)
    spread: SpreadKind = "log"
    rules: BacktestRules = field(default=SYMMETRIC_RULES)
    criterion: str = "sharpe"
    only_if_paid: bool = False
    holdout_share: float = 0.3
    level: float = 0.05
    null_runs: int = 1
    scan: bool = True
    seed: int = 20240808

    def __post_init__(self) -> None:
        """Refuse what no task could do.

        Raises
        ------
        ParameterError
            The field, what it was, what it may be.
        """
        parse_interval(self.interval)
        for name in ("symbols", "windows", "entries", "hedges"):
            values = getattr(self, name)
            least = 2 if name == "symbols" else 1
            if len(values) < least or len(set(values)) < len(values):
                raise ParameterError(name, values, f"{least} or more, none of them twice")
        for name in ("train_bars", "test_bars"):
            if getattr(self, name) < LEAST_BARS:
                raise ParameterError(name, getattr(self, name), f"{LEAST_BARS} or more")
        if not 0 <= self.holdout_share < 1:
            raise ParameterError("holdout_share", self.holdout_share, "from 0 to below 1")
        if not 0 < self.level < 1:
            raise ParameterError("level", self.level, "between 0 and 1")
        if self.null_runs < 0:
            raise ParameterError("null_runs", self.null_runs, "0 or more")
        self._check_trading()

    def _check_trading(self) -> None:
        for hedge in self.hedges:
            if hedge not in CAUSAL_HEDGES:
                raise ParameterError("hedge", hedge, f"one of {', '.join(CAUSAL_HEDGES)}")
        if self.rules.costs.impact != "none":
            raise ParameterError("impact", self.rules.costs.impact, "'none': closes have no volume")
        if self.rules.fill != "open":
            raise ParameterError("fill", self.rules.fill, "'open': of closes nothing else is known")
        if self.rules.is_fitted:
            raise ParameterError("scale", self.rules.scale, "'z': the entries are what is tried")
        for window in self.windows:
            self.params(self.symbols[0], self.symbols[1], self.hedges[0], window)

    @property
    def settings(self) -> int:
        """Combinations tried on each pair."""
        return len(self.windows) * len(self.entries) * len(self.hedges)

    @property
    def pairs(self) -> int:
        """Pairs of the symbols."""
        return len(self.symbols) * (len(self.symbols) - 1) // 2

    @property
    def blocks_of_null(self) -> int:
        """Bars that a permutation moves together: as many as the longest window."""
        return max(self.windows)

    def params(self, y: str, x: str, hedge: str, window: int) -> PairParams:
        """Return a pair's parameters with one of the settings."""
        return PairParams(y, x, self.interval, spread=self.spread, hedge=hedge, window=window)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"form": FORM, **json.loads(json.dumps(asdict(self)))}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "ResearchSpec":
        """From plain values.

        Raises
        ------
        ParameterError
            Another form, names that are none, values out of range.
        """
        values = dict(record)
        form = values.pop("form", None)
        if form != FORM:
            raise ParameterError("form", form, f"{FORM}: this is of another version")
        try:
            rules = dict(values.pop("rules"))
            rules["costs"] = Costs(**rules["costs"])
            for name in ("symbols", "windows", "entries", "hedges"):
                values[name] = tuple(values[name])
            return cls(**values, rules=BacktestRules(**rules))
        except (KeyError, TypeError) as error:
            raise ParameterError("research", str(error), "what this version writes") from error

    @property
    def fingerprint(self) -> str:
        """The same for the same question, on any machine."""
        text = json.dumps(self.to_json(), sort_keys=True).encode()
        return hashlib.blake2b(text, digest_size=16).hexdigest()
