"""History over REST as a job: several symbols one after the other, each as far as it lacks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

from ingest.binance import AGG_TRADES_REACH_S, UNKNOWN_SYMBOL_CODE, market_name
from ingest.clock import now_us
from ingest.errors import IngestError, RestRefusedError
from ingest.history.days import DAY_S, day_of, day_second, days_words, moment_words
from ingest.history.fetch_klines import LENGTHS_S, KlineFetch, kline_span
from ingest.history.fetch_trades import TradeFetch
from ingest.history.jobs import JobCancelledError, JobProgress, JobRunner
from ingest.history.keeping import KlineKeeper, TradeKeeper
from ingest.history.paging import PatientRest
from ingest.rest import SEED_SHARE, HttpClient, RestClient
from ingest.store import SECOND_US, LakeStream
from ingest.tick import Market

FETCH: Final = "fetch"  # the kind of these jobs
SETTLED_S: Final = 10  # REST lags behind the trades, but not by so much
_SHOWN_SYMBOLS: Final = 5
_BARS_WORDS: Final = {"1s": "1-s", "1m": "1-min", "5m": "5-min", "1h": "1-h"}


class FetchRequest(msgspec.Struct, frozen=True):
    """What to bring from where: days `first` to `last`, UTC; bars, or trades where it is None."""

    market: Market
    rest_base: str
    symbols: tuple[str, ...]
    first: date
    last: date
    bars: Literal["1s", "1m", "5m", "1h"] | None = "1m"
    venue: str = ""  # the exchange that is asked; empty in those queued by older versions

    @property
    def words(self) -> str:
        """What is done, for a reader."""
        named = ", ".join(self.symbols[:_SHOWN_SYMBOLS])
        more = len(self.symbols) - _SHOWN_SYMBOLS
        symbols = f"{named} and {more:,} more" if more > 0 else named
        rows = "trades" if self.bars is None else f"{_BARS_WORDS[self.bars]} bars"
        return f"fetch {rows} of {symbols}, {days_words(self.first, self.last)}"


def submit_fetch(
    runner: JobRunner, root: Path, request: FetchRequest, share: float = SEED_SHARE
) -> int:
    """Queue a fetch into the lake at `root`; gives the job's id. A later process can go on with it.

    `share` is the part of our weight at the exchange that it may take.
    """
    return runner.submit(
        FETCH,
        request.words,
        lambda progress: fetch(root, request, progress, share),
        unit="trades" if request.bars is None else "bars",
        request=msgspec.json.encode(request).decode(),
    )


def fetch_request(text: str) -> FetchRequest | None:
    """Read `Job.request` of a fetch; None of anything else."""
    try:
        return msgspec.json.decode(text, type=FetchRequest)
    except msgspec.MsgspecError:
        return None


def fetch(root: Path, request: FetchRequest, progress: JobProgress, share: float = 1.0) -> None:
    """Bring what the lake lacks, in this thread; what was written stays, whatever ends it.

    Raises
    ------
    JobCancelledError
        It was asked to end.
    IngestError
        It cannot go on: why, in a line.
    """
    asyncio.run(_cancellable(progress, lambda: _fetch(root, request, progress, share)))


async def _cancellable(progress: JobProgress, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work until the job is cancelled: what it waits for is left at once."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work())
    progress.on_cancel(lambda: loop.call_soon_threadsafe(task.cancel))
    try:
        await task
    except asyncio.CancelledError:
        raise JobCancelledError from None
    finally:
        progress.on_cancel(None)


async def _fetch(root: Path, request: FetchRequest, progress: JobProgress, share: float) -> None:
    async with aclosing(HttpClient()) as http:
        rest = RestClient(request.rest_base, request.market, fetch=http.get)
        request = _possible(request, progress)
        await _check_over(request, PatientRest(rest, progress, share))
        fetches = [
            _Symbol(root, request, PatientRest(rest, progress, share), progress, each)
            for each in request.symbols
        ]
        total = 0
        for each in fetches:
            total += await each.count()
            progress.update(total=total)
        for each in fetches:
            await each.run()


def _possible(request: FetchRequest, progress: JobProgress) -> FetchRequest:
    """Leave out the days that the exchange does not hand out any more."""
    reach_s = AGG_TRADES_REACH_S[request.market] if request.bars is None else None
    if reach_s is None:
        return request
    oldest = day_of(now_us() // SECOND_US - reach_s + DAY_S - 1)
    if request.first >= oldest:
        return request
    words = (
        f"{market_name(request.market)} hands out trades of the last {reach_s // 3600} hours only:"
        " of earlier days fetch bars (--bars 1m), or import its dumps"
    )
    if request.last < oldest:
        raise IngestError(words)
    progress.lacks(words)
    return msgspec.structs.replace(request, first=oldest)


async def _check_over(request: FetchRequest, patient: PatientRest) -> None:
    """Refuse a last day that is not over by the exchange's clock: its bars would be kept cut."""
    ends = day_second(request.last) + DAY_S + SETTLED_S
    if now_us() // SECOND_US - ends > DAY_S:  # no clock of ours is wrong by so much unnoticed
        return
    server_us = await patient.answer(patient.rest.server_time_us)
    if server_us < ends * SECOND_US:
        moment = moment_words(server_us // SECOND_US)
        raise IngestError(
            f"{request.last} is not over at the exchange, whose clock says {moment}: fetch it"
            " later, or up to the day before"
        )


class _Symbol:
    """The fetch of one symbol; one that the exchange does not know is named, and left out."""

    def __init__(
        self, root: Path, request: FetchRequest, rest: PatientRest, progress: JobProgress,
        symbol: str,
    ) -> None:  # fmt: skip
        self._symbol, self._rest, self._progress = symbol, rest, progress
        self._where = market_name(request.market)
        self._is_known = True
        first, last = request.first, request.last
        self._work: KlineFetch | TradeFetch
        if request.bars is None:
            stream = LakeStream(request.market, symbol, "aggTrade")
            of_trades = TradeKeeper(root, stream, progress, request.venue)
            self._work = TradeFetch(rest, of_trades, progress, first, last)
        else:
            length_s = LENGTHS_S[request.bars]
            of_bars = KlineKeeper(
                root, request.market, symbol, length_s, request.bars, progress, request.venue
            )
            self._work = KlineFetch(rest, of_bars, progress, *kline_span(first, last))

    async def count(self) -> int:
        """How much it lacks."""
        if isinstance(self._work, KlineFetch):
            return self._work.count()
        work = self._work
        counted = await self._if_known(work.count)
        return counted or 0

    async def run(self) -> None:
        """Fetch it."""
        if self._is_known:
            await self._if_known(self._work.run)

    async def _if_known(self, ask: Callable[[], Awaitable[int | None]]) -> int | None:
        try:
            return await ask()
        except RestRefusedError as error:
            if error.code != UNKNOWN_SYMBOL_CODE:
                raise
            self._is_known = False
            self._progress.lacks(f"{self._symbol}: {self._where} knows no such symbol")
            return None
