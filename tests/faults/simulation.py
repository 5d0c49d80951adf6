"""The whole state machine on a fake clock: a script of faults, then the account of every id.

Hypothesis makes the scripts up. One that breaks the promise is cut down to the least that still
does, and printed; ``python tests/faults/simulation.py 'SCRIPT'`` does the same again.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

sys.path[:0] = map(str, Path(__file__).resolve().parents[1:3])

import hypothesis
from exchange.virtual_time import VirtualTimeError, run_virtual
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st

from faults.network import most_in
from faults.result import Figure, Result, at_most, holds, told
from faults.world import Handshake, World
from ingest.event_queue import Call
from ingest.feed import FeedLimits
from ingest.store import TickWriter
from ingest.tick import StreamKey

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
MOST_ATTEMPTS = 60
HEALED_WITHIN_S = 1200.0  # the longest wait a refusal of these asks for is 600 s
REASONS = ("closed: 1000", "closed: 1001", "closed: 1006", "closed: 1008", "closed: 1011", "RST")

Action = Callable[[World, random.Random], Awaitable[None] | None]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, how long after the one before it, and the seed of its details."""

    after_s: float
    name: str
    seed: int


@dataclass(frozen=True)
class Script:
    """All that decides a simulation."""

    seed: int  # of the market
    trades_per_s: float
    rotate_after_s: float
    capacity: int  # of the queue
    is_warm: bool  # else the first requests are spent on a day of bars
    quiet_at_the_end: bool  # then a quiet market has to be understood
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        """Give it as JSON, short enough to be pasted."""
        faults = [[each.after_s, each.name, each.seed] for each in self.faults]
        return json.dumps(asdict(self) | {"faults": faults})

    @classmethod
    def parsed(cls, text: str) -> Self:
        fields = json.loads(text)
        return cls(**fields | {"faults": tuple(Fault(*each) for each in fields["faults"])})


@dataclass(frozen=True)
class Simulated:
    """What one simulation came to."""

    script: Script
    faults: tuple[str, ...]
    trades: int
    most_attempts: int
    healed_s: float


def _nothing(_world: World, _rng: random.Random) -> None:
    """Leave a script's place empty: what Hypothesis cuts a fault down to."""


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
    if newest_us and min(newest_us) > 0:
        cutoff = min(newest_us) // 1_000_000 - rng.randint(2, 60)
        world.queue.put(Call(lambda writer: _forget_before(writer, cutoff)))


def _forget_before(writer: TickWriter, second: int) -> None:
    writer.forget_before(second)


def _repair(world: World, _rng: random.Random) -> None:
    keys: list[StreamKey] = [("spot", symbol, "aggTrade") for symbol in world.symbols]
    requested = world.board.requested

    def reopen(writer: TickWriter) -> None:
        requested.reopen(writer, keys)

    world.queue.put(Call(reopen))
    world.receiving.repair_now()


ACTIONS: dict[str, Action] = {
    action.__name__.strip("_"): action
    for action in (
        *(_nothing, _cut, _black_hole, _mute, _mute_symbol, _lose, _reorder, _replay, _shutdown),
        *(_refuse, _hang, _short_lived, _no_network, _rest_lags, _rest_slow, _rest_refuses),
        *(_holes, _stall, _bad_frames, _fail, _crash, _other_symbols, _clock, _forget, _repair),
    )
}


def heal(world: World) -> None:
    """Make everything whole again."""
    _unmute(world)
    _network(world)
    _go_on(world)
    world.handshakes.clear()
    world.exchange.faults.clear()


async def _live(world: World, script: Script) -> None:
    """Let one fault follow another while trades go on."""
    for_s = sum(fault.after_s for fault in script.faults) + 5.0
    going = asyncio.create_task(world.trade_on(for_s, script.trades_per_s))
    for fault in script.faults:
        await asyncio.sleep(fault.after_s)
        done = ACTIONS[fault.name](world, random.Random(fault.seed))
        if done is not None:
            await done
    await going


async def _scenario(script: Script) -> Simulated:
    limits = FeedLimits(rotate_after_s=script.rotate_after_s)
    world = World(
        SYMBOLS, seed=script.seed, limits=limits, capacity=script.capacity, warm=script.is_warm
    )
    world.start()
    await world.trade_on(3.0, 5.0)
    await _live(world, script)
    heal(world)
    for symbol in () if script.quiet_at_the_end else world.symbols:
        world.trade(symbol)
    healed_s = await world.until(world.whole_to_the_end, HEALED_WITHIN_S, every_s=0.5)
    await world.stop()
    faults = _faults(world, healed_s)
    trades = sum(len(account.sent) for account in world.final.values())
    return Simulated(script, faults, trades, most_in(world.attempts_s, 300.0), healed_s)


def _faults(world: World, healed_s: float) -> tuple[str, ...]:
    """Say what breaks the promise."""
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
    attempts = most_in(world.attempts_s, 300.0)
    if attempts > MOST_ATTEMPTS:
        faults.append(f"{attempts} attempts in 5 minutes")
    return (*faults, *sorted(made))


def simulate(script: Script) -> Simulated:
    """Run one simulation; the same script gives the same one."""
    try:
        return run_virtual(_scenario(script), most_s=86_400.0)
    except VirtualTimeError as error:
        return Simulated(script, (f"stuck: {error}",), 0, 0, float("inf"))


def scripts(longest_wait_s: float) -> st.SearchStrategy[Script]:
    """Scripts of about ten faults."""
    seeds = st.integers(0, 2**20)
    waits_s = st.integers(0, round(longest_wait_s * 10)).map(lambda tenths: tenths / 10)
    fault = st.builds(Fault, waits_s, st.sampled_from(list(ACTIONS)), seeds)
    return st.builds(
        Script,
        seed=seeds,
        trades_per_s=st.sampled_from((2.0, 0.5, 6.0)),
        rotate_after_s=st.sampled_from((23 * 3600.0, 60.0, 25.0)),
        capacity=st.sampled_from((200_000, 2000, 30)),
        is_warm=st.sampled_from((True, True, True, True, False)),
        quiet_at_the_end=st.booleans(),
        faults=st.lists(fault, min_size=5, max_size=40).map(tuple),
    )


def simulations(count: int, *, seed: int = 1, longest_wait_s: float = 20.0) -> Result:
    """Run many; stored ids and the ledger must together be all ids the exchange ever sent."""
    runs: list[Simulated] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        phases=(Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(scripts(longest_wait_s))
    def promise_holds(script: Script) -> None:
        runs.append(simulate(script))
        assert not runs[-1].faults

    try:
        promise_holds()
    except AssertionError:
        least = runs[-1]  # Hypothesis ends with the least script that fails
        runs = runs[: next(n for n, run in enumerate(runs, 1) if run.faults)]
        broken = f"{'; '.join(least.faults)[:400]} in {least.script}"
    else:
        broken = ""
    return Result(
        f"{len(runs):,} simulations by Hypothesis, {len(ACTIONS) - 1} faults",
        seed,
        _figures(runs, broken),
    )


def _figures(runs: list[Simulated], broken: str) -> tuple[Figure, ...]:
    done = Counter(fault.name for run in runs for fault in run.script.faults)
    return (
        told("simulations", len(runs)),
        told("trades", sum(run.trades for run in runs)),
        told("faults made", done.total() - done["nothing"]),
        told("of each, at least", min(done[name] for name in ACTIONS)),
        holds("a simulation that breaks the promise", broken or "none", not broken, "none"),
        at_most(
            "attempts in any 5 minutes (a process's)",
            max(run.most_attempts for run in runs),
            MOST_ATTEMPTS,
        ),
        told("whole again after, at most, s", max(run.healed_s for run in runs)),
    )


if __name__ == "__main__":
    print(simulate(Script.parsed(sys.argv[1])))
