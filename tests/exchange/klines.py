"""Kline streams of the scripted exchange: each bar sent once when it is over, and as it forms.

Made of the tape's trades, as REST's klines are. A symbol that nobody traded has a bar of its last
price, with no trade in it.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from exchange.market import INTERVALS, Interval, Kline, MarketName, Tape, decimal_text

if TYPE_CHECKING:
    from exchange.server import Exchange

# Trades of a bar's last moment leave a little after it.
CLOSES_AFTER_S: Final = 0.05
_NAMES: Final = ("1s", "1m")


class KlineStreams:
    """Sends bars while somebody listens; costs nothing before.

    Attributes
    ----------
    forming_every_s
        How often the bar that forms is sent, too; None: never.
    """

    def __init__(self, exchange: "Exchange") -> None:
        self.forming_every_s: float | None = None
        self._exchange = exchange
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def look(self) -> None:
        """Begin with the intervals that somebody listens to."""
        for name in _NAMES:
            if name not in self._tasks and self._exchange.hub.streams(f"@kline_{name}"):
                self._tasks[name] = self._exchange.run_script(lambda _, name=name: self._run(name))  # type: ignore[misc]

    async def _run(self, name: str) -> None:
        interval, clock_us = INTERVALS[name], self._exchange.venue.now_us
        number = interval.number_of(clock_us())
        while True:
            closes_us = interval.opens_us(number + 1)
            while (left_s := (closes_us - clock_us()) / 1e6 + CLOSES_AFTER_S) > 0:
                await asyncio.sleep(min(left_s, self.forming_every_s or left_s))
                if clock_us() < closes_us and self.forming_every_s is not None:
                    self._send(name, interval, number, is_closed=False)
            self._send(name, interval, number, is_closed=True)
            number += 1

    def _send(self, name: str, interval: Interval, number: int, *, is_closed: bool) -> None:
        exchange = self._exchange
        for stream in exchange.hub.streams(f"@kline_{name}"):
            tape = exchange.venue.tapes.get(stream.partition("@")[0].upper())
            if tape is None or tape.status != "TRADING":
                continue
            bar = tape.bar(interval, number)
            if bar is not None:
                self._publish(stream, name, tape, bar, is_closed=is_closed)
        exchange.hub.flush()

    def _publish(self, stream: str, name: str, tape: Tape, bar: Kline, *, is_closed: bool) -> None:
        venue = self._exchange.venue

        def payload(unit_us: int) -> bytes:
            return kline_payload(
                tape, name, bar, venue.market, venue.now_us(), unit_us, is_closed=is_closed
            )

        self._exchange.hub.publish_made(stream, payload)


def kline_payload(
    tape: Tape,
    name: str,
    bar: Kline,
    market: MarketName,
    now_us: int,
    unit_us: int,
    *,
    is_closed: bool,
) -> bytes:
    """Give the event of a bar, as the protocol has it."""

    def text(value_e8: int) -> str:
        return decimal_text(value_e8, market)

    first, last = tape.ids_of(bar)
    closed = "true" if is_closed else "false"
    return (
        f'{{"e":"kline","E":{now_us // unit_us},"s":"{tape.symbol}","k":{{'
        f'"t":{bar.open_us // unit_us},"T":{bar.close_us // unit_us},"s":"{tape.symbol}",'
        f'"i":"{name}","f":{first},"L":{last},"o":"{text(bar.open_e8)}",'
        f'"c":"{text(bar.close_e8)}","h":"{text(bar.high_e8)}","l":"{text(bar.low_e8)}",'
        f'"v":"{text(bar.volume_e8)}","n":{bar.trades},"x":{closed},'
        f'"q":"{text(bar.quote_volume_e8)}","V":"{text(bar.taker_volume_e8)}",'
        f'"Q":"{text(bar.taker_quote_volume_e8)}","B":"0"}}}}'
    ).encode()
