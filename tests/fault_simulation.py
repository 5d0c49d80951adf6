"""The whole state machine on a fake clock: random faults, then the account of every id."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from fault_network import most_in
from fault_result import Result, at_most, equal, told
from fault_world import Handshake, World
from virtual_time import VirtualTimeError, run_virtual

from ingest.event_queue import Call
from ingest.feed import FeedLimits
from ingest.writer import TickWriter

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
HEALED_WITHIN_S = 1200.0  # the longest wait a refusal of these asks for is 600 s
REASONS = ("closed: 1000", "closed: 1001", "closed: 1006", "closed: 1008", "closed: 1011", "RST")

Action = Callable[[World, random.Random], Awaitable[None] | None]


@dataclass(frozen=True)
class Simulated:
    """What one simulation came to."""

    seed: int
    faults: tuple[str, ...]
    trades: int
    actions: tuple[str, ...]
    most_attempts: int
    healed_s: float


def _cut(world: World, rng: random.Random) -> None:
    world.cut_all(rng.choice(REASONS))


def _black_hole(world: World, _rng: random.Random) -> None:
    world.black_hole_all()


def _mute(world: World, rng: random.Random) -> None:
    world.deaf = True
    asyncio.get_running_loop().call_later(rng.uniform(1, 90), _unmute, world)


def _mute_symbol(world: World, rng: random.Random) -> None:
    world.deaf_to.add(rng.choice(world.symbols))
    asyncio.get_running_loop().call_later(rng.uniform(1, 90), _unmute, world)


def _unmute(world: World) -> None:
    world.deaf = False
    world.deaf_to.clear()


def _lose(world: World, rng: random.Random) -> None:
    for stream in world.streams:
        stream.lose_next = rng.randint(1, 30)


def _reorder(world: World, _rng: random.Random) -> None:
    for stream in world.streams:
        stream.swap_next = True


def _replay(world: World, rng: random.Random) -> None:
    frames = list(world.latest)[-rng.randint(1, 20) :]
    if rng.random() < 0.3:
        rng.shuffle(frames)
    for stream in list(world.streams):
        for frame in frames:
            stream.deliver(frame)


def _shutdown(world: World, rng: random.Random) -> None:
    loop = asyncio.get_running_loop()
    for stream in list(world.streams):
        world.announce_shutdown(stream)
        loop.call_later(rng.uniform(0, 60), stream.end, "closed: 1001")


def _refuse(world: World, rng: random.Random) -> None:
    status, wait = rng.choice(
        [(429, "7"), (418, "120"), (403, None), (503, None), (500, "3"), (404, None)]
    )
    world.handshakes.append(Handshake(status, wait, times=rng.randint(1, 3)))
    if rng.random() < 0.7:
        world.cut_all("closed: 1006")


def _hang(world: World, _rng: random.Random) -> None:
    world.handshakes.append(Handshake(hang=True))
    world.cut_all("closed: 1006")


def _short_lived(world: World, rng: random.Random) -> None:
    world.handshakes.append(Handshake(lasts_s=rng.choice((0.0, 0.5, 5.0)), times=rng.randint(1, 8)))
    world.cut_all("closed: 1008")


def _no_network(world: World, rng: random.Random) -> None:
    world.network, world.exchange.offline = False, True
    world.cut_all("no route")
    asyncio.get_running_loop().call_later(rng.uniform(1, 60), _network, world)


def _network(world: World) -> None:
    world.network, world.exchange.offline = True, False


def _rest_lags(world: World, rng: random.Random) -> None:
    world.exchange.faults.rest_lag_s = rng.uniform(0, 60)


def _rest_slow(world: World, rng: random.Random) -> None:
    world.exchange.faults.rest_delay_s = rng.uniform(0, 8)


def _rest_refuses(world: World, rng: random.Random) -> None:
    status, wait_s = rng.choice([(429, 5), (418, 60), (500, None), (503, None), (403, None)])
    world.exchange.faults.answer_rest(status, retry_after_s=wait_s, times=rng.randint(1, 4))


def _holes(world: World, rng: random.Random) -> None:
    world.exchange.venue.tape(rng.choice(world.symbols)).skip_ids(rng.randint(1, 40))


def _stall(world: World, rng: random.Random) -> None:
    world.stalled = True
    asyncio.get_running_loop().call_later(rng.uniform(1, 60), _go_on, world)


def _go_on(world: World) -> None:
    world.stalled = False


def _bad_frames(world: World, rng: random.Random) -> None:
    frames = [b"{", b"\xff\xfe", b'{"e":"aggTrade","p":"NaN"}', b"[" * 5000, b"1e999"]
    for stream in world.streams:
        stream.deliver(rng.choice(frames))


def _fail(world: World, _rng: random.Random) -> None:
    world.fail_receiving()


async def _crash(world: World, rng: random.Random) -> None:
    await world.crash(rng.uniform(0, 20))


async def _other_symbols(world: World, rng: random.Random) -> None:
    chosen = tuple(rng.sample(world.symbols, rng.randint(0, len(world.symbols))))
    world.receiving.set_symbols(chosen)
    await asyncio.sleep(rng.uniform(0, 30))
    world.receiving.set_symbols(world.symbols)


def _clock(world: World, _rng: random.Random) -> None:
    world.receiving.reconnect("the clock moved")


def _forget(world: World, rng: random.Random) -> None:
    """Let retention delete the oldest trades, a few seconds of each stream's being left."""
    newest_us = [ledger.last_us for ledger in world.writing.writer.streams().values()]
    if newest_us and min(newest_us):
        cutoff = min(newest_us) // 1_000_000 - rng.randint(2, 60)
        world.queue.put(Call(lambda writer: _forget_before(writer, cutoff)))


def _forget_before(writer: TickWriter, second: int) -> None:
    writer.forget_before(second)


def _repair(world: World, _rng: random.Random) -> None:
    world.receiving.repair_now()


ACTIONS: dict[str, Action] = {
    name.strip("_"): action
    for name, action in list(globals().items())
    if name.startswith("_")
    and callable(action)
    and getattr(action, "__module__", "") == __name__
    and action not in (_unmute, _network, _go_on, _forget_before)
}


def heal(world: World) -> None:
    """Make everything whole again."""
    _unmute(world)
    _network(world)
    _go_on(world)
    world.handshakes.clear()
    world.exchange.faults.clear()


async def _live(world: World, rng: random.Random, for_s: float, actions: list[str]) -> None:
    """Let one fault follow another while trades go on."""
    going = asyncio.create_task(world.trade_on(for_s, rng.choice((0.5, 2.0, 6.0))))
    end_s = world.exchange.now_s() + for_s
    mild = rng.uniform(3.0, 30.0)
    while world.exchange.now_s() < end_s:
        await asyncio.sleep(rng.expovariate(1 / mild))
        name = rng.choice(list(ACTIONS))
        actions.append(name)
        done = ACTIONS[name](world, rng)
        if done is not None:
            await done
    await going


async def _scenario(seed: int, for_s: float) -> Simulated:
    rng = random.Random(seed)
    limits = FeedLimits(rotate_after_s=rng.choice((23 * 3600.0, 60.0, 25.0)))
    capacity = rng.choice((200_000, 2000, 30))
    warm = rng.random() < 0.8  # 260 requests for bars in every run would only take time
    world = World(SYMBOLS, seed=seed, limits=limits, capacity=capacity, warm=warm)
    actions: list[str] = []
    world.start()
    await world.trade_on(rng.uniform(0, 5), 5.0)
    await _live(world, rng, for_s, actions)
    heal(world)
    # One trade more of each in half of the cases: else the quiet market has to be understood.
    if rng.random() < 0.5:
        for symbol in world.symbols:
            world.trade(symbol)
    healed_s = await world.until(world.whole_to_the_end, HEALED_WITHIN_S, every_s=0.5)
    await world.stop()
    faults = [
        f"{symbol}: {fault}"
        for symbol, account in world.final.items()
        for fault in account.faults()
    ]
    if healed_s == float("inf"):
        left = {symbol: account.gaps[:3] for symbol, account in world.final.items()}
        faults.append(f"not whole after {HEALED_WITHIN_S:g} s: {left}")
    # Nothing here is beyond the limits of what is fetched.
    given_up = sum(len(account.ids_in("expired")) for account in world.final.values())
    if given_up:
        faults.append(f"{given_up} ids given up")
    made = {repr(each) for each in world.failures} - {"RuntimeError('made to fail')"}
    faults += sorted(made)
    trades = sum(len(account.sent) for account in world.final.values())
    attempts = most_in(world.attempts_s, 300.0)
    return Simulated(seed, tuple(faults), trades, tuple(actions), attempts, healed_s)


def simulate(seed: int, for_s: float = 120.0) -> Simulated:
    """Run one simulation; the same seed gives the same one."""
    try:
        return run_virtual(_scenario(seed, for_s), most_s=86_400.0)
    except VirtualTimeError as error:
        return Simulated(seed, (f"stuck: {error}",), 0, (), 0, float("inf"))


def simulations(count: int, *, first_seed: int = 1, for_s: float = 120.0) -> Result:
    """Run many; stored ids and the ledger must together be all ids the exchange ever sent."""
    runs = [simulate(seed, for_s) for seed in range(first_seed, first_seed + count)]
    broken = [run for run in runs if run.faults]
    done = Counter(action for run in runs for action in run.actions)
    figures = [
        told("simulations", count),
        told("trades", sum(run.trades for run in runs)),
        told("faults made", sum(done.values())),
        equal("simulations that break the promise", len(broken), 0),
        at_most("attempts in any 5 minutes (a process's)", max(r.most_attempts for r in runs), 60),
        told("whole again after, at most, s", max(run.healed_s for run in runs)),
    ]
    figures += [
        equal(f"seed {run.seed}: {'; '.join(run.faults)[:400]}", 1, 0) for run in broken[:10]
    ]
    return Result(
        f"{count:,} simulations of {for_s:g} s, {len(ACTIONS)} faults", first_seed, tuple(figures)
    )


def main() -> None:
    """Replay one seed from the command line: ``python tests/fault_simulation.py SEED``."""
    with suppress(IndexError):
        print(simulate(int(sys.argv[1])))


if __name__ == "__main__":
    main()
