"""The gate alone: order, buckets, the concurrency limit, closing. Time is the event loop's, turned
on by the test, so nothing here waits."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from contextlib import suppress
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
        times.append(now())
        gate.refused(slot)  # took none
        await gate.enter(100)
        times.append(now())
        return times

    times = timeless(work())
    waits = [b - a for a, b in itertools.pairwise(times)]
    assert waits == pytest.approx([10, 1, 1, 0])  # 100 tokens a second


def test_a_request_larger_than_the_bucket_goes_out_and_is_paid_off() -> None:
    bucket = Bucket(10.0)  # holds 5
    assert bucket.delay(1000, 0) == pytest.approx(0.4)
    bucket.take(1000, 1)
    assert bucket.delay(1, 1) == pytest.approx(99.6)
    assert bucket.delay(1000, 51) == pytest.approx(50)


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


class Provider:
    """Takes so many requests a second, or so many at once."""

    def __init__(self, rate: float = 0.0, at_once: int = 0) -> None:
        self.bucket = Bucket(rate, max(0.2, 2 / rate)) if rate else None
        self.at_once = at_once
        self.flying = self.taken = self.refused = 0

    async def take(self, gate: Gate, latency: float) -> None:
        slot = await gate.enter(1)
        full = self.at_once and self.flying >= self.at_once
        if full or (self.bucket and self.bucket.delay(1, now()) > 0):
            self.refused += 1
            gate.refused(slot)
            await asyncio.sleep(0.5)  # the attempt waits before its next try
            return
        if self.bucket:
            self.bucket.take(1, now())
        self.taken += 1
        self.flying += 1
        try:
            await asyncio.sleep(latency)
        except asyncio.CancelledError:
            gate.failed(slot)
            raise
        else:
            gate.done(slot)
        finally:
            self.flying -= 1


async def pressed(gate: Gate, provider: Provider, seconds: float, latency: float) -> None:
    """100 attempts that always have something to ask."""

    async def attempt() -> None:
        while True:
            await provider.take(gate, latency)

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task(attempt())


@pytest.mark.parametrize("latency", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("rate", [0.5, 20.0, 200.0])
def test_an_unknown_quota_is_learnt_and_used_up(rate: float, latency: float) -> None:
    most = 100 / latency  # what 100 attempts can ask for

    async def work() -> tuple[Provider, int]:
        gate, provider = Gate(), Provider(rate)
        await pressed(gate, provider, 600 + 30 * latency, latency)  # to learn
        provider.taken = provider.refused = 0
        await pressed(gate, provider, 300, latency)
        return provider, gate.limit

    provider, _ = timeless(work())
    assert provider.taken >= 0.9 * 300 * min(rate, most)
    assert provider.refused <= 0.3 * (provider.taken + provider.refused)


def test_an_unknown_limit_of_requests_at_once_is_learnt() -> None:
    async def work() -> Provider:
        gate, provider = Gate(), Provider(at_once=10)
        await pressed(gate, provider, 60, 1.0)
        provider.taken = provider.refused = 0
        await pressed(gate, provider, 300, 1.0)
        return provider

    provider = timeless(work())
    assert provider.taken >= 0.9 * 300 * 10
    assert provider.refused <= 0.3 * (provider.taken + provider.refused)


def test_a_provider_that_takes_nothing_is_asked_ever_less() -> None:
    async def work() -> tuple[int, int, int, int]:
        gate, provider = Gate(slowest=30.0), Provider(at_once=1)
        provider.flying = 1  # never room
        await pressed(gate, provider, 60, 1.0)
        first, limit = provider.refused, gate.limit
        await pressed(gate, provider, 600, 1.0)
        later = provider.refused - first
        provider.flying = 0
        provider.at_once = 50
        await pressed(gate, provider, 120, 1.0)
        return first, later, provider.taken, limit

    first, later, taken, limit = timeless(work())
    assert first < 100
    assert later <= 25
    assert limit == 1
    assert taken > 1000  # and is asked again when it takes requests


def test_one_reduction_in_the_time_of_an_answer() -> None:
    async def work() -> tuple[int, int]:
        gate = Gate()
        slots = await entered(gate, START)
        for slot in slots[:8]:
            gate.refused(slot)
        after = gate.limit
        for slot in slots[8:]:
            gate.refused(slot)
        return after, gate.limit

    after, later = timeless(work())
    assert START > after == later > 1


def test_a_few_refusals_are_no_reason_to_slow_down() -> None:
    async def work() -> tuple[int, float | None]:
        gate = Gate()
        for _ in range(100):
            slots = await entered(gate, 12)
            await asyncio.sleep(1)
            gate.refused(slots[0])
            for slot in slots[1:]:
                gate.done(slot)
        return gate.limit, gate.rate

    assert timeless(work()) == (START, None)


def test_retry_after_closes_the_gate_for_all() -> None:
    async def work() -> float:
        gate = Gate()
        gate.refused(await gate.enter(1), 30.0)
        await gate.enter(1)
        return now()

    assert timeless(work()) == pytest.approx(30)


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
