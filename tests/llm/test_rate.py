"""The gate alone: order, buckets, the concurrency limit, closing. Time is the event loop's, turned
on by the test, so nothing here waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from velora.llm.rate import MOST, START, Bucket, Elsewhere, Gate, Slot


T = TypeVar("T")


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = 0.0

    def time(self) -> float:
        return self._passed

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._passed = max(self._passed, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def timeless(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(work)


def now() -> float:
    return asyncio.get_running_loop().time()


async def entered(gate: Gate, count: int, tokens: int = 1) -> list[Slot]:
    return [await gate.enter(tokens) for _ in range(count)]


def test_requests_come_through_in_the_order_of_their_arrival() -> None:
    async def work() -> list[int]:
        gate, order = Gate(most=1), []

        async def one(number: int) -> None:
            slot = await gate.enter(1)
            order.append(number)
            await asyncio.sleep(1)
            gate.done(slot)

        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(one(number))
        return order

    assert timeless(work()) == list(range(10))


def test_a_rate_is_kept_to_and_used_up() -> None:
    async def work() -> tuple[float, int]:
        gate = Gate(rpm=600)
        most = 0
        for _ in range(200):
            slot = await gate.enter(1)
            most = max(most, gate.flying)
            gate.done(slot)
        return now(), most

    seconds, most = timeless(work())
    assert seconds == pytest.approx(19.9)  # 200 at 10 a second, the first at once
    assert most == 1


def test_tokens_are_corrected_by_what_was_used() -> None:
    async def work() -> list[float]:
        gate, times = Gate(tpm=6000), []  # 100 a second
        for used in (1000, 100, 100):
            slot = await gate.enter(100)
            times.append(now())
            gate.done(slot, used)
        slot = await gate.enter(100)
        gate.refused(slot)  # took none
        await gate.enter(100)
        times.append(now())
        return times

    first, second, third, fourth = timeless(work())
    assert first == 0
    assert second == pytest.approx(10)  # 1000 tokens at 100 a second
    assert third == pytest.approx(11)
    assert fourth == pytest.approx(12)


def test_a_request_larger_than_the_bucket_goes_out_and_is_paid_off() -> None:
    bucket = Bucket(600)
    assert bucket.delay(1000, 0) == 0
    bucket.take(1000, 0)
    assert bucket.delay(1, 0) == pytest.approx(99.1)
    assert bucket.delay(1000, 50) == pytest.approx(50)


def test_the_limit_doubles_each_round_until_the_provider_refuses_too_much() -> None:
    async def work() -> list[int]:
        gate, out = Gate(), []

        async def one() -> None:
            slot = await gate.enter(1)
            await asyncio.sleep(1)
            gate.done(slot)

        async with asyncio.TaskGroup() as group:
            for _ in range(300):
                group.create_task(one())
            for _ in range(4):
                await asyncio.sleep(0.5)
                out.append(gate.flying)
                await asyncio.sleep(0.5)
        return out

    assert timeless(work()) == [START, 2 * START, 4 * START, 8 * START]


async def full(gate: Gate) -> list[Slot]:
    """As many requests as go through, with one more that waits."""
    return [await gate.enter(1) for _ in range(gate.limit - gate.flying)]


def test_one_reduction_a_round_in_proportion_to_the_refusals() -> None:
    async def work() -> tuple[int, int, int]:
        gate = Gate(most=40)
        gate._limit = 40.0
        slots = await full(gate)
        for slot in slots[:30]:  # all but the last ten count: a streak closes the gate at ten
            gate.refused(slot, 0.001)
        for slot in slots[30:]:
            gate.done(slot)
        after = gate.limit
        await asyncio.sleep(1)
        slots = await full(gate)
        for number, slot in enumerate(slots):
            gate.refused(slot, 0.001) if number % 10 == 0 else gate.done(slot)
        return len(slots), after, gate.limit

    count, after, later = timeless(work())
    assert after == count == 25  # 40 · (1 - 0.75 / 2)
    assert later >= after  # a tenth is tolerated


def test_refusals_of_requests_from_before_a_reduction_reduce_nothing() -> None:
    async def work() -> tuple[int, int]:
        gate = Gate(most=100)
        gate._limit = 100.0
        slots = await full(gate)
        for slot in slots[:50]:
            gate.refused(slot, 0.001)
        after = gate.limit
        for slot in slots[50:]:
            gate.refused(slot, 0.001)
        return after, gate.limit

    after, later = timeless(work())
    assert after == later == 50


def test_retry_after_closes_the_gate_for_all() -> None:
    async def work() -> float:
        gate = Gate()
        gate.refused(await gate.enter(1), 30.0)
        await gate.enter(1)
        return now()

    assert timeless(work()) == pytest.approx(30)


def test_refusals_without_a_time_close_the_gate_for_ever_longer() -> None:
    async def work() -> list[float]:
        gate, times = Gate(most=1, pause=(1.0, 4.0)), []
        for _ in range(10):
            gate.refused(await gate.enter(1))
            times.append(now())
        gate.done(await gate.enter(1))
        gate.refused(await gate.enter(1))
        gate.refused(await gate.enter(1))
        began = now()
        await gate.enter(1)
        return [*times, now() - began]

    *times, last = timeless(work())
    waits = [round(b - a, 3) for a, b in zip(times, times[1:], strict=False)]
    assert waits == [0, 1, 2, 4, 4, 4, 4, 4, 4]
    assert last == pytest.approx(1)


def test_who_gives_up_waiting_leaves_no_trace() -> None:
    async def work() -> tuple[int, float]:
        gate = Gate(most=1)
        slot = await gate.enter(1)
        waiting = [asyncio.create_task(gate.enter(1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.done(slot)  # lets the second through, and the first is gone
        waiting[1].cancel()
        await asyncio.gather(*waiting[:2], return_exceptions=True)
        gate.done(await waiting[2])
        return gate.flying, gate.load

    assert timeless(work()) == (0, 0.0)


def test_those_who_wait_can_be_sent_elsewhere() -> None:
    async def work() -> None:
        gate = Gate()
        gate.close(100)
        waiting = asyncio.create_task(gate.enter(1))
        await asyncio.sleep(0)
        gate.scatter()
        with pytest.raises(Elsewhere):
            await waiting

    timeless(work())


def test_a_configured_rate_starts_wide_open() -> None:
    assert Gate(rpm=10).limit == MOST
    assert Gate(tpm=10, most=7).limit == 7
    assert Gate(most=3).limit == 3
