"""The loop on virtual time keeps its promises."""

import asyncio
import time

import pytest

from exchange.virtual_time import VirtualTimeError, in_virtual_time, run_virtual, settle


def test_an_hour_passes_at_once_and_timers_fire_in_order() -> None:
    async def scenario() -> list[str]:
        loop = asyncio.get_running_loop()
        fired: list[str] = []
        begun_s = loop.time()
        for delay_s in (3.0, 1.0, 2.0):
            loop.call_later(delay_s, fired.append, f"{delay_s:g}")
        await asyncio.sleep(3600)
        assert loop.time() - begun_s == pytest.approx(3600, abs=1e-6)
        return fired

    begun_s = time.monotonic()
    assert run_virtual(scenario()) == ["1", "2", "3"]
    assert time.monotonic() - begun_s < 5


def test_waiting_for_nothing_is_an_error_and_not_a_hang() -> None:
    async def scenario() -> None:
        await asyncio.Event().wait()

    with pytest.raises(VirtualTimeError, match="nothing scheduled"):
        run_virtual(scenario())


def test_a_task_that_spins_is_an_error_and_is_ended() -> None:
    ended = []

    async def scenario() -> None:
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    with pytest.raises(VirtualTimeError, match="a task spins"):
        run_virtual(scenario())
    assert ended


def test_a_scenario_without_end_is_an_error() -> None:
    async def scenario() -> None:
        while True:
            await asyncio.sleep(10)

    with pytest.raises(VirtualTimeError, match=r"not over after 10\d virtual seconds"):
        run_virtual(scenario(), most_s=100)


def test_threads_are_refused() -> None:
    async def scenario() -> None:
        await asyncio.to_thread(time.monotonic)

    with pytest.raises(VirtualTimeError, match="a thread runs on real time"):
        run_virtual(scenario())


@in_virtual_time
async def test_settling_lets_ready_tasks_run_and_no_time_pass() -> None:
    done = []

    async def work() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        done.append(1)

    begun_s = asyncio.get_running_loop().time()
    task = asyncio.create_task(work())
    await settle()
    assert task.done()
    assert done == [1]
    assert asyncio.get_running_loop().time() - begun_s < 1e-6


@in_virtual_time
async def test_a_task_that_waits_until_a_moment_is_not_left_a_hair_before_it() -> None:
    loop = asyncio.get_running_loop()
    for step_s in (0.1, 1 / 3, 1e-7, 86400.1):
        until_s = loop.time() + step_s
        while loop.time() < until_s:
            await asyncio.sleep(until_s - loop.time())
        assert loop.time() - until_s < 1e-6
