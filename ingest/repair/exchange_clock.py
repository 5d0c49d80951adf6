"""The exchange's clock, asked for over REST now and then."""

import asyncio
from typing import Final

from ingest.rest import RestClient

_FOR_S: Final = 60.0


class ExchangeClock:
    """Now, as the exchange has it. Made in the event loop it is used in."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest
        self._loop = asyncio.get_running_loop()
        self._known: tuple[int, float] | None = None  # its µs at a time of the loop

    async def now_us(self) -> int:
        """Read it; raises as `RestClient.server_time_us` does."""
        now_s = self._loop.time()
        if self._known is None or now_s - self._known[1] > _FOR_S:
            server_us = await self._rest.server_time_us()
            self._known = (server_us, self._loop.time())
        server_us, at_s = self._known
        return server_us + round((self._loop.time() - at_s) * 1e6)
