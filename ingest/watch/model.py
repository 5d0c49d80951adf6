"""What is watched, and what came of it, as plain values."""

from dataclasses import dataclass
from typing import Final, Literal

from analytics.baskets import BasketMethod, BasketParams
from analytics.errors import ParameterError
from analytics.frames import parse_interval
from analytics.pair import AUTO_LOOKBACK_S, DATA_GATES, Gates, PairParams
from analytics.spread import CorrelationOn, SpreadKind

AlertKind = Literal["fired", "resolved"]
DeliveryState = Literal["waiting", "sending", "delivered", "failed", "suppressed"]

SECOND_US: Final = 1_000_000
# Of a watched basket's range, whose weights are fitted to all of it at each bar.
MOST_BASKET_BARS: Final = 20_000


@dataclass(frozen=True, slots=True)
class WatchedPair:
    """A row of a watch list: a pair with its settings, as `PairParams` has them.

    `lookback_s` is the range in seconds; None for what Live takes by itself. `group` and
    `is_pinned` are for the eye alone.
    """

    y: str
    x: str
    interval: str = "1s"
    window: int = 60
    spread: SpreadKind = "price difference"
    hedge: str = "ols"
    lookback_s: int | None = None
    sell_above: float = 2.0
    buy_below: float = 0.0
    correlation_on: CorrelationOn = "returns"
    level: float = 0.05
    hedge_window: int | None = None
    gates: Gates = DATA_GATES
    group: str = ""
    is_pinned: bool = False

    @property
    def params(self) -> PairParams:
        """What is evaluated: the key of the row, equal for equal settings.

        Raises
        ------
        ParameterError
            For any value outside what it may be.
        """
        interval = parse_interval(self.interval)
        seconds = self.lookback_s or AUTO_LOOKBACK_S[interval.name]
        return PairParams(
            y=self.y,
            x=self.x,
            interval=interval.name,
            lookback=max(2, seconds * SECOND_US // interval.us),
            window=self.window,
            spread=self.spread,
            hedge=self.hedge,
            sell_above=self.sell_above,
            buy_below=self.buy_below,
            correlation_on=self.correlation_on,
            level=self.level,
            hedge_window=self.hedge_window,
            gates=self.gates,
        )


@dataclass(frozen=True, slots=True)
class WatchedBasket:
    """A row of a watch list: a basket of 3 to 8 symbols with its settings, as `BasketParams`.

    `lookback_s` is the range in seconds; None for what Live takes by itself. `group` and
    `is_pinned` are for the eye alone.
    """

    symbols: tuple[str, ...]
    interval: str = "1s"
    window: int = 60
    method: BasketMethod = "johansen"
    lookback_s: int | None = None
    sell_above: float = 2.0
    buy_below: float = 0.0
    correlation_on: CorrelationOn = "returns"
    level: float = 0.05
    gates: Gates = DATA_GATES
    group: str = ""
    is_pinned: bool = False

    @property
    def y(self) -> str:
        """What it is called where a pair has its first symbol: ``"BTCUSDT/ETHUSDT+BNBUSDT"``."""
        return f"{self.symbols[0]}/{'+'.join(self.symbols[1:])}"

    @property
    def x(self) -> str:
        """Empty: a basket has no second symbol."""
        return ""

    @property
    def params(self) -> BasketParams:
        """What is evaluated: the key of the row, equal for equal settings.

        Raises
        ------
        ParameterError
            For any value outside what it may be; of bars no more than `MOST_BASKET_BARS`.
        """
        interval = parse_interval(self.interval)
        seconds = self.lookback_s or AUTO_LOOKBACK_S[interval.name]
        bars = max(2, seconds * SECOND_US // interval.us)
        if bars > MOST_BASKET_BARS:
            allowed = f"{MOST_BASKET_BARS:,} bars at most, had {bars:,}"
            raise ParameterError("lookback_s", self.lookback_s, allowed)
        return BasketParams(
            self.symbols,
            interval=interval.name,
            lookback=bars,
            window=self.window,
            method=self.method,
            sell_above=self.sell_above,
            buy_below=self.buy_below,
            correlation_on=self.correlation_on,
            level=self.level,
            gates=self.gates,
        )


Watched = WatchedPair | WatchedBasket


@dataclass(frozen=True, slots=True)
class WatchList:
    """A named list of watched pairs and baskets, in the reader's order, the baskets last.

    `settings` is a pair without symbols: what a new row takes, and what the rows that have it
    follow when it is changed.
    """

    name: str
    pairs: tuple[WatchedPair, ...] = ()
    settings: WatchedPair = WatchedPair("", "")
    baskets: tuple[WatchedBasket, ...] = ()

    @property
    def rows(self) -> tuple[Watched, ...]:
        """Pairs, then baskets."""
        return (*self.pairs, *self.baskets)


@dataclass(frozen=True, slots=True)
class Silence:
    """No alert of a rule (or of any) on a pair (or on any) is sent until it ends; all are kept.

    Times in µs since the epoch, of the market's clock.
    """

    silence_id: int
    until_us: int
    rule: str | None = None
    y: str | None = None
    x: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands in the database; never changed after it is made.

    Attributes
    ----------
    alert_id
        Grows; 0 before it is recorded. What goes out as `id` is made of it and of the database.
    kind
        It fired, or is over.
    rule, y, x
        What fired on what; y and x are "" for what is of the desk as a whole.
    params
        Settings of the pair as the link of its page carries them; "" without a pair.
    bar_us
        Open of the bar at which it fired, µs since the epoch; of what has no bar, the moment.
    fired_us
        When it was recorded, on our clock.
    zscore, value, level
        The figures; NaN where there is none.
    signal
        Of the bar.
    words
        The message.
    suppressed
        Why it is not sent: quiet hours, a silence, a feed that is down …; "" where it is.
    channels
        Names of those it goes to.
    is_forming
        Whether the bar still formed.
    """

    rule: str
    kind: AlertKind
    bar_us: int
    fired_us: int
    words: str
    y: str = ""
    x: str = ""
    interval: str = ""
    params: str = ""
    zscore: float = float("nan")
    value: float = float("nan")
    level: float = float("nan")
    signal: str = ""
    suppressed: str = ""
    channels: tuple[str, ...] = ()
    is_forming: bool = False
    alert_id: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to one channel.

    `attempts` counts what was begun; `is_repeated` says that an earlier attempt may have arrived;
    `next_us` is when it is tried again, `ended_us` when it was delivered or given up, on our clock.
    """

    alert_id: int
    channel: str
    state: DeliveryState = "waiting"
    attempts: int = 0
    next_us: int = 0
    ended_us: int | None = None
    error: str = ""
    is_repeated: bool = False
