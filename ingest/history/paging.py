"""Pages of REST, several under way at once and given in order; and patience with the network."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import islice
from typing import Final, TypeVar

from ingest.binance import MAX_REST_ROWS
from ingest.errors import RestBlockedError, RestFailedError, RestRefusedError
from ingest.history.jobs import JobProgress
from ingest.rest import RestClient

PAGE_ROWS = MAX_REST_ROWS
AHEAD: Final = 4  # pages under way: the way there and back takes longer than the answer
PATIENCE_S: Final = 120.0  # without any answer
LONGEST_PAUSE_S: Final = 6 * 3600.0  # what the exchange may ask for before a fetch is given up

T = TypeVar("T")
R = TypeVar("R")


async def in_order(
    places: Iterable[T], ask: Callable[[T], Awaitable[R]], ahead: int = AHEAD
) -> AsyncGenerator[tuple[T, R], None]:
    """Ask for each place, `ahead` of them at once, and give the answers in the places' order.

    What an ask raises is raised in its place; what is still under way then, or when the reader
    leaves off, is cancelled.
    """
    waiting = iter(places)

    async def asked(place: T) -> tuple[T, R]:
        """Keep the place with its answer."""
        return place, await ask(place)

    tasks = [asyncio.ensure_future(asked(place)) for place in islice(waiting, ahead)]
    try:
        while tasks:
            answer = await tasks[0]
            del tasks[0]
            tasks += [asyncio.ensure_future(asked(place)) for place in islice(waiting, 1)]
            yield answer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class PatientRest:
    """Asks REST until an answer comes, as long as one may come.

    The client itself waits between two attempts, by its backoff or as long as the exchange asks.

    Parameters
    ----------
    rest
        Whose weight is counted.
    progress
        Is told what is waited for.
    share
        Of the weight that may be in use afterwards.
    """

    def __init__(self, rest: RestClient, progress: JobProgress, share: float = 1.0) -> None:
        self.rest, self.share = rest, share
        self._progress = progress
        self._failing_since_s: float | None = None

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until it is answered.

        Raises
        ------
        RestFailedError
            It failed for two minutes, or the exchange wants to be left alone for hours;
            `RestRefusedError`, `RestBlockedError` at once.
        """
        while True:
            try:
                answer = await ask()
            except (RestRefusedError, RestBlockedError):
                raise
            except RestFailedError as error:
                self._note_failure(error)
            else:
                self._failing_since_s = None
                return answer

    def _note_failure(self, error: RestFailedError) -> None:
        """Go on, or give up by raising `error`."""
        now_s = asyncio.get_running_loop().time()
        until_s = self.rest.blocked_until_s
        if until_s is not None:  # it is there, and says when it will answer
            self._failing_since_s = None
            if until_s - now_s > LONGEST_PAUSE_S:
                raise error
        elif self._failing_since_s is None:
            self._failing_since_s = now_s
        elif now_s - self._failing_since_s >= PATIENCE_S:
            raise error
        self._progress.update(step=f"waits: {error}")
