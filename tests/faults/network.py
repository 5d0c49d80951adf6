"""Faults of the network and the exchange, on virtual time: storms, bans, hand-overs, silence."""

import asyncio

from exchange.virtual_time import run_virtual

from faults.result import Result, at_least, at_most, equal, holds, told
from faults.world import Handshake, World
from ingest.feed import FeedLimits


def most_in(times_s: list[float], period_s: float) -> int:
    """Give the most events in any stretch of `period_s` seconds."""
    most = begin = 0
    for end, moment_s in enumerate(times_s):
        while times_s[begin] <= moment_s - period_s:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def attempts_storm(kind: str, *, seed: int = 1, for_s: float = 1800.0) -> Result:
    """Be a server that accepts and closes, refuses, or always says that it goes."""

    async def scenario() -> World:
        world = World(seed=seed)
        if kind == "accept and close":
            world.handshakes.append(Handshake(lasts_s=0.0, times=None))
        elif kind == "accept, one trade, close":
            world.handshakes.append(Handshake(lasts_s=0.02, times=None))
        elif kind == "refuse with 503":
            world.handshakes.append(Handshake(status=503, times=None))
        elif kind == "shutdown at once":
            world.shut_down_all = True
        elif kind == "successor dies":
            asyncio.get_running_loop().call_later(5.0, _doom_successors, world)
        elif kind == "receiving thread fails":
            asyncio.create_task(_fail_often(world))  # noqa: RUF006 - ends with the loop
        world.start()
        await world.trade_on(for_s, 10.0)
        await world.stop()
        return world

    world = run_virtual(scenario())
    return Result(
        f"{kind}, for {for_s:,.0f} s",
        seed,
        (
            at_most("attempts in any 5 minutes", most_in(world.attempts_s, 300.0), 60),
            at_most("attempts in any second", most_in(world.attempts_s, 1.0), 8),
            told("attempts in all", len(world.attempts_s)),
        ),
    )


def _doom_successors(world: World) -> None:
    for stream in list(world.streams):
        world.announce_shutdown(stream)
    world.handshakes.append(Handshake(lasts_s=0.0, times=None))


async def _fail_often(world: World) -> None:
    while True:
        await asyncio.sleep(2.0)
        world.fail_receiving()


def refused_with_wait(where: str, status: int, *, retry_after_s: int, seed: int = 1) -> Result:
    """Answer 429 or 418 with Retry-After: nothing may be asked before it ends."""

    async def scenario() -> tuple[World, float, list[float]]:
        world = World(seed=seed)
        world.start()
        await world.trade_on(10.0, 20.0)
        refusal = Handshake(status=status, retry_after=str(retry_after_s))
        if where == "handshake":
            world.handshakes.append(refusal)
            world.cut_all("closed: 1006")
        elif where == "hand-over":
            world.handshakes.append(refusal)
            for stream in list(world.streams):
                world.announce_shutdown(stream)
            await asyncio.sleep(1.0)
            world.cut_all("closed: 1001")
        else:
            world.exchange.faults.answer_rest(status, retry_after_s=retry_after_s)
            for stream in list(world.streams):
                stream.lose_next = 3
        await world.trade_on(retry_after_s + 120.0, 5.0)
        times_s = (
            [request.at_s for request in world.exchange.requests if request.at_s]
            if where == "REST"
            else world.attempts_s
        )
        refused_s = (
            next(r.at_s for r in world.exchange.requests if r.status == status)
            if where == "REST"
            else times_s[1]
        )
        # What lies further back than the recorder fetches stays in the ledger, as given up.
        is_far = retry_after_s > world.settings.backfill_hours * 3600
        complete_s = await world.until(world.settled if is_far else world.whole, 60.0)
        await world.stop()
        return world, complete_s, [each - refused_s for each in times_s if each > refused_s]

    _, complete_s, after_s = run_virtual(scenario())
    # 0.2 s: a refusal takes its time to come back, and the wait counts from then.
    early = sum(each < retry_after_s for each in after_s)
    return Result(
        f"{where}: HTTP {status}, Retry-After {retry_after_s:,} s",
        seed,
        (
            equal("requests before it ended", early, 0),
            at_least("next one after", min(after_s, default=0.0), retry_after_s, "s"),
            at_most("next one after it ended", min(after_s) - retry_after_s, 70.0, "s"),
            at_most("nothing open any more", complete_s, 60.0, "s"),
        ),
    )


def rotation(*, times: int, seed: int = 1, every_s: float = 60.0, rate: float = 40.0) -> Result:
    """Let connections reach their age, over and over: the next one stands before it."""

    async def scenario() -> World:
        world = World(seed=seed, limits=FeedLimits(rotate_after_s=every_s))
        world.start()
        await asyncio.sleep(1.0)
        world.exchange.requests.clear()  # the start's own
        await world.trade_on(times * every_s + 30.0, rate)
        await world.until(world.whole, 5.0)
        await world.stop()
        return world

    world = run_virtual(scenario())
    rotations = world.receiving._counts.rotations
    gaps = sum(len(account.gaps) for account in world.final.values())
    missing = sum(len(each.owed) - len(each.stored) for each in world.final.values())
    return Result(
        f"{rotations} hand-overs while {len(world.final['BTCUSDT'].sent) * 2:,} trades ran",
        seed,
        (
            at_least("hand-overs", rotations, times),
            equal("trades missing", missing, 0),
            equal("REST calls for trades", len(world.requests("aggTrades")), 0),
            equal("gaps", gaps, 0),
            equal("connections lost", world.receiving._counts.reconnects, 0),
        ),
    )


def silent_stream(kind: str, *, seed: int = 1, rate: float = 10.0) -> Result:
    """Let a stream fall silent while the exchange trades on; measure how soon it is given up.

    ``symbol``: one symbol's frames stop, the other's go on; ``connection``: all frames stop;
    ``from the start``: no frame ever comes, as on the wrong path; ``after a quiet hour``: nobody
    traded for long, and what is traded then does not come.
    """

    async def scenario() -> tuple[World, float, float, str]:
        world = World(seed=seed)
        if kind == "from the start":
            world.deaf = True
        world.start()
        if kind != "from the start":
            await world.trade_on(30.0, rate)
        if kind == "after a quiet hour":
            await asyncio.sleep(3600.0 + world.rng.uniform(0.0, 60.0))
        before, begun_s = len(world.attempts_s), world.exchange.now_s()
        if kind == "symbol":
            world.deaf_to.add("BTCUSDT")
        else:
            world.deaf = True
        going = asyncio.create_task(world.trade_on(120.0, rate))
        await world.until(lambda: len(world.attempts_s) > before + (kind == "from the start"), 120)
        found_s = world.attempts_s[-1] - begun_s
        said = world.receiving.state()
        world.deaf = False
        world.deaf_to.clear()
        await going
        whole_s = await world.until(world.whole, 60.0)
        await world.stop()
        return world, found_s, whole_s, said

    _, found_s, whole_s, _ = run_virtual(scenario())
    return Result(
        f"silent stream: {kind}",
        seed,
        (
            at_most("reconnected after", found_s, 35.0, "s"),
            at_most("whole again after the trading", whole_s, 60.0, "s"),
        ),
    )


def quiet_market(*, for_s: float = 3600.0, seed: int = 1) -> Result:
    """Let nobody trade for an hour: the connection must be left alone."""

    async def scenario() -> tuple[World, int, str]:
        world = World(seed=seed)
        world.start()
        await world.trade_on(30.0, 10.0)
        before = len(world.attempts_s)
        await asyncio.sleep(for_s)
        assert world.receiving.repair is not None
        state = world.receiving.repair.symbol_state("BTCUSDT")
        await world.stop()
        return world, len(world.attempts_s) - before, state

    world, reconnects, state = run_virtual(scenario())
    return Result(
        f"a quiet market for {for_s:,.0f} s",
        seed,
        (
            equal("reconnects", reconnects, 0),
            holds("state", state, state == "quiet", "quiet"),
            told("REST requests", len(world.exchange.requests)),
        ),
    )


def outage(
    *,
    seed: int = 1,
    for_s: float = 600.0,
    rate: float = 40.0,
    rest_lag_s: float = 30.0,
    holes: int = 5,
) -> Result:
    """Take the network away; let REST lag behind and ids be absent at the exchange."""

    async def scenario() -> tuple[World, float, int]:
        world = World(seed=seed)
        world.start()
        await world.trade_on(20.0, rate)
        world.network = False
        world.exchange.offline = True
        world.cut_all("closed: 1006")
        skipped = 0
        for _ in range(holes):
            await world.trade_on(for_s / holes, rate)
            skipped += len(world.exchange.venue.tape("BTCUSDT").skip_ids(3))
        world.network = True
        world.exchange.offline = False
        world.exchange.faults.rest_lag_s = rest_lag_s
        back_s = world.exchange.now_s()
        before = len(world.streams)
        await world.until(lambda: len(world.streams) > before, 60.0)
        going = asyncio.create_task(world.trade_on(120.0, rate))
        connected_s = world.exchange.now_s()
        missed = {each: world.exchange.venue.tape(each).next_id - 1 for each in world.symbols}
        await asyncio.sleep(2.0)
        filled_s = await world.until(lambda: _nothing_open_below(world, missed), 300.0)
        filled_s += connected_s - back_s + 2.0
        await going
        await world.until(world.whole, 120.0)
        await world.stop()
        return world, filled_s, skipped

    world, filled_s, skipped = run_virtual(scenario())
    absent = sum(len(each.ids_in("absent")) for each in world.final.values())
    expired = sum(len(each.ids_in("expired")) for each in world.final.values())
    missing = sum(len(set(each.owed) - set(each.stored)) for each in world.final.values())
    return Result(
        f"no network for {for_s:,.0f} s at {rate:g} trades/s, REST {rest_lag_s:g} s behind",
        seed,
        (
            at_most("filled or marked absent after", filled_s, 60.0, "s"),
            equal("trades missing", missing, 0),
            equal("ids marked absent", absent, skipped),
            equal("ids given up", expired, 0),
            holds("ledger", *_faultless(world)),
        ),
    )


def _faultless(world: World) -> tuple[str, bool]:
    found = [fault for account in world.final.values() for fault in account.faults()]
    return "; ".join(found) or "agrees", not found


def _nothing_open_below(world: World, newest: dict[str, int]) -> bool:
    return not any(gap.from_id <= newest[gap.key[1]] for gap in world.board.gaps)


def stop_while(doing: str, *, seed: int = 1) -> Result:
    """Stop in the midst of something: the receiving loop must return, its sockets closed."""

    async def scenario() -> tuple[float, int]:
        world = World(seed=seed, warm=True)
        if doing == "connecting":
            world.handshakes.append(Handshake(hang=True))
        elif doing == "waiting to try again":
            world.handshakes.append(Handshake(status=429, retry_after="600"))
        work = asyncio.create_task(world.receiving._main())
        await asyncio.sleep(2.0)
        if doing == "handing over":
            for stream in list(world.streams):
                world.announce_shutdown(stream)
        elif doing == "making the next connection":
            world.handshakes.append(Handshake(hang=True))
            for stream in list(world.streams):
                world.announce_shutdown(stream)
        elif doing == "in a black hole":
            world.black_hole_all()
        await asyncio.sleep(1.0)
        begun_s = world.exchange.now_s()
        world.receiving.stop()
        await asyncio.wait({work}, timeout=60.0)
        took_s = world.exchange.now_s() - begun_s if work.done() else float("inf")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        left = len(world.streams)
        await world.stop()
        return took_s, left

    took_s, left = run_virtual(scenario())
    return Result(
        f"stopped while {doing}",
        seed,
        (at_most("returned after", took_s, 4.0, "s"), equal("connections left", left, 0)),
    )


def clock_jumps(*, seed: int = 1, jump_s: float = 3600.0) -> Result:
    """Tell the recorder that the clock jumped an hour: one reconnect, no storm, no loss."""

    async def scenario() -> tuple[World, int]:
        world = World(seed=seed)
        world.start()
        await world.trade_on(20.0, 20.0)
        before = len(world.attempts_s)
        world.receiving.reconnect(f"the machine slept {jump_s:,.0f} s")
        await world.trade_on(120.0, 20.0)
        await world.until(world.whole, 60.0)
        await world.stop()
        return world, len(world.attempts_s) - before

    world, attempts = run_virtual(scenario())
    missing = sum(len(each.owed) - len(each.stored) for each in world.final.values())
    return Result(
        f"the clock jumped by {jump_s:,.0f} s",
        seed,
        (equal("reconnects", attempts, 1), equal("trades missing", missing, 0)),
    )
