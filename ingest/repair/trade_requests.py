"""Requests for a stream's trades by id or time: which call of REST gives those of its kind."""

from collections.abc import Callable

from ingest.rest import REPAIR_SHARE, RestClient
from ingest.store import IdRange
from ingest.tick import Event, StreamKind


class TradeRequests:
    """Asks for trades within the share of the weight that repairs may take.

    Every method raises what `RestClient` raises.

    Parameters
    ----------
    rest
        Asks the exchange.
    stream
        The kind whose ids are meant.
    """

    def __init__(self, rest: RestClient, stream: StreamKind) -> None:
        self._rest, self._stream = rest, stream

    async def page(self, symbol: str, from_id: int, limit: int) -> list[Event]:
        """Up to `limit` trades from an id on, that id included."""
        is_aggregate = self._stream == "aggTrade"
        fetch = self._rest.agg_trades if is_aggregate else self._rest.historical_trades
        return await fetch(symbol, from_id=from_id, limit=limit, share=REPAIR_SHARE)

    async def first_id_since(
        self, symbol: str, ids: IdRange, time_us: int, count: Callable[[], None]
    ) -> int | None:
        """First id traded at `time_us` or later; None while REST knows of none.

        Raw trades cannot be asked for by time: `ids` is searched by halves. `count` is called
        before each request.
        """
        if self._stream == "aggTrade":
            count()
            rows = await self._rest.agg_trades(
                symbol, start_us=time_us, limit=1, share=REPAIR_SHARE
            )
            return rows[0].trade_id if rows else None
        low, high = ids.from_id, ids.to_id + 1
        while low < high:
            middle = (low + high) // 2
            count()
            rows = await self.page(symbol, middle, 1)
            if not rows:
                return None
            if rows[0].time_us < time_us:
                low = rows[0].trade_id + 1
            else:
                high = middle
        return low
