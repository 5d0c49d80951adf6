"""One transaction's rows while they are gathered: ticks, non-trades, and the bars of both."""

from dataclasses import dataclass, field

from ingest.schema import UNITS, encode
from ingest.tick import Event, NonTrade, Tick


@dataclass(slots=True)
class Batch:
    """Rows of one transaction; `fresh` finds an event of it by stream and id."""

    ticks: list[tuple[int, int, int, int, int | float, int | float, int]] = field(
        default_factory=list
    )
    non_trades: list[tuple[int, int, int, str]] = field(default_factory=list)
    bars: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    fresh: dict[tuple[int, int], Event] = field(default_factory=dict)


def add_tick(batch: Batch, stream_id: int, tick: Tick) -> None:
    """Add a trade and make it part of its second's bar."""
    time_us, trade_id, price = tick.time_us, tick.trade_id, tick.price
    batch.ticks.append(
        (
            stream_id,
            trade_id,
            time_us,
            tick.received_us - time_us,
            encode(price),
            encode(tick.quantity),
            tick.trades * 2 + tick.buyer_is_maker,
        )
    )
    key = (stream_id, time_us // 1_000_000)
    units = round(tick.quantity * UNITS)
    bar = batch.bars.get(key)
    if bar is None:
        batch.bars[key] = [
            *(price, price, price, price, units, 1),
            *(time_us, trade_id, time_us, trade_id, trade_id, trade_id),
        ]
    else:
        _extend_bar(bar, time_us, trade_id, price, units)


def _extend_bar(bar: list[float], time_us: int, trade_id: int, price: float, units: int) -> None:
    if (time_us, trade_id) < (bar[6], bar[7]):
        bar[0], bar[6], bar[7] = price, time_us, trade_id
    if (time_us, trade_id) > (bar[8], bar[9]):
        bar[3], bar[8], bar[9] = price, time_us, trade_id
    bar[1] = max(bar[1], price)
    bar[2] = min(bar[2], price)
    bar[4] += units
    bar[5] += 1
    bar[10] = min(bar[10], trade_id)
    bar[11] = max(bar[11], trade_id)


def same_event(first: Event, second: Event) -> bool:
    """Whether two events with one id say the same of time, price and quantity."""
    if isinstance(first, NonTrade) or isinstance(second, NonTrade):
        return type(first) is type(second) and first.time_us == second.time_us
    return (first.time_us, first.price, first.quantity) == (
        second.time_us,
        second.price,
        second.quantity,
    )
