"""What holds for every parser on any log: it does not raise, it invents nothing, and its time is
linear in the log, also where a log is made to make it slow.

Time is not measured by the clock: lines of Python are counted, and what counting does not see (a
regular expression that backtracks, a copy of all that was read so far) meets a limit of CPU time
that is a hundred times what such a log needs.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.grading.mutations import HOSTILE, ODD, PARSERS, check, foreign, logs_of, mutate
from velora.grading.parsers import registry
from velora.grading.parsers.framework import Framework

READABLE = sorted(name for name in PARSERS if logs_of(name))
EXAMPLES = max(30, 6_000 // len(PARSERS))
"""A parser's; of all parsers together they take some twenty seconds."""

CPU_LIMIT = 5.0
STEPS = st.lists(st.tuples(*[st.integers(0, 100_000)] * 3), min_size=1, max_size=12)
quiet = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


@pytest.mark.parametrize("name", READABLE)
def test_a_damaged_log(name: str) -> None:
    framework = PARSERS[name]

    logs = logs_of(name)

    @given(log=st.integers(0, len(logs) - 1), steps=STEPS, start=st.integers(0, 10_000))
    @quiet
    def damaged(log: int, steps: list[tuple[int, int, int]], start: int) -> None:
        lines = logs[log].split("\n")
        start = start % max(1, len(lines) - 150) if start % 3 else 0
        text = mutate("\n".join(lines[start : start + 150]), steps)
        parsed = framework.parse(text)
        check(framework, text, parsed)
        assert framework.parse(text) == parsed

    damaged()


@given(
    steps=STEPS,
    parts=st.lists(st.sampled_from(foreign() or ("",)) | st.sampled_from((*ODD, *HOSTILE))),
)
@quiet
def test_auto_on_a_mixture_of_all(steps: list[tuple[int, int, int]], parts: list[str]) -> None:
    text = mutate("\n".join(parts), steps)
    reading = registry.parse("auto", text)
    if reading.parsed.results:
        (framework,) = registry.get(reading.label.removeprefix("auto:"))
        check(framework, text, reading.parsed)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_lines_of_other_logs(name: str) -> None:
    text = "\n".join((*foreign(), *ODD, *HOSTILE, *reversed(foreign())))
    check(PARSERS[name], text, PARSERS[name].parse(text))


@pytest.mark.parametrize("name", READABLE)
def test_twice_the_log_takes_twice_the_steps(name: str) -> None:
    """Also with other names in every copy, and with each kind of line again and again."""
    framework = PARSERS[name]
    for text in _largest(name, 2):
        names = framework.parse(text).results
        _assert_linear(framework, partial(_copies, _renamed(text, list(names))), 4)
    for head in _heads(name):
        for line in _kinds(name, 24 if name in registry.FRAMEWORKS else 8):
            _assert_linear(framework, partial(_again, head, line), 100)
        _assert_linear(framework, partial(_staircase, head, _kinds(name, 8)), 100)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_hostile_shapes(name: str) -> None:
    framework = PARSERS[name]
    kinds = _kinds(name, 3)
    texts = [" ".join(kinds or foreign()[:50])]
    for head in _heads(name)[:2]:
        for shape in (
            *(_times(text, 1_000_000) for text in texts),
            *(_times(kind, 200_000) for kind in kinds),
            *(_times(kind.strip()[:8] or ".", 200_000) for kind in kinds[:2]),
            _times(" ", 200_000) + "x",
            _times("(", 20_000),
            _times("<a>", 20_000),
            _times("[", 20_000),
            _times('{"a":[', 20_000),
            _times('{"a":[\n', 20_000),
            *(_times(f"{kind}\n", 20_000 * len(kind)) for kind in kinds[:1]),
        ):
            with cpu_limit(CPU_LIMIT, f"{shape[:60]!r} * {len(shape)}"):
                parsed = framework.parse(f"{head}\n{shape}\n{head}")
            check(framework, f"{head}\n{shape}\n{head}", parsed)


def _times(piece: str, size: int) -> str:
    return piece * (size // max(1, len(piece)))


def _largest(name: str, count: int) -> list[str]:
    """The log with the most lines, and others, none so long that counting takes long."""
    logs = sorted(logs_of(name), key=lambda text: -len(text.split("\n")))
    return ["\n".join(text.split("\n")[:400]) for text in logs[:count]]


def _heads(name: str) -> list[str]:
    """States in which a reader may be: at the beginning, and in the middle of a log."""
    logs = _largest(name, 1)
    if not logs:
        return [""]
    lines = logs[0].split("\n")
    return ["", "\n".join(lines[: len(lines) // 2]) + "\n"]


def _kinds(name: str, count: int) -> list[str]:
    """Lines that differ in more than letters and numbers."""
    kinds: dict[str, str] = {}
    for text in logs_of(name):
        for line in text.split("\n"):
            kinds.setdefault(re.sub(r"[a-z]+", "a", re.sub(r"\d+", "1", line))[:40], line)
    lines = [line for line in kinds.values() if line.strip()]
    return lines[:: max(1, len(lines) // count)][:count]


def _copies(copy: Callable[[int], str], count: int) -> str:
    return "\n".join(copy(at) for at in range(count))


def _again(head: str, line: str, count: int) -> str:
    return head + f"{line}\n" * count


def _staircase(head: str, kinds: list[str], count: int) -> str:
    """Each line further in than the one before, and out again."""
    lines = [" " * (at % 50) + kinds[at % len(kinds)] for at in range(count)]
    return head + "\n".join([*lines, *reversed(lines)])


def _renamed(text: str, names: list[str]) -> Callable[[int], str]:
    """Makes copies of a log in which the tests have other names."""
    words = {found[-1] for name in names[:200] if (found := re.findall(r"[A-Za-z]{4,}", name))}
    if not words:
        return lambda _: text
    pattern = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))

    def copy(at: int) -> str:
        suffix = "".join(chr(ord("a") + int(digit)) for digit in str(at))
        return pattern.sub(lambda match: match[0] + suffix, text)

    return copy


def _assert_linear(framework: Framework, shape: Callable[[int], str], count: int) -> None:
    """Twice as much takes twice as long, or else does so when it is longer."""
    growth = _growth(framework, shape, count)
    if growth > 2.2:
        growth = _growth(framework, shape, 4 * count)
    assert growth <= 2.2, shape(1)[-200:]


def _growth(framework: Framework, shape: Callable[[int], str], count: int) -> float:
    base = steps_of(framework, shape(0))
    one = steps_of(framework, shape(count)) - base
    two = steps_of(framework, shape(2 * count)) - base
    return two / (one + 100)


def steps_of(framework: Framework, text: str) -> int:
    """Lines of Python that run while a log is read."""
    steps = 0

    def local(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda *_: local)
    try:
        framework.parse(text)
    finally:
        sys.settrace(before)
    return steps


@contextmanager
def cpu_limit(seconds: float, what: str) -> Iterator[None]:
    """Fail where the body takes more CPU time; long searches of `re` are interrupted too."""

    def stop(_number: int, _frame: object) -> None:
        pytest.fail(f"more than {seconds} s for {what}")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_what_counting_finds() -> None:
    """The measure itself: a reader that looks at all that it has read is found out."""

    class Slow:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def feed(self, _: int, line: str) -> None:
            self.seen.append(line)
            for one in self.seen:
                assert one is not None

        def finish(self) -> Any:
            return None

    slow = Framework("slow", Slow, "")
    with pytest.raises(AssertionError):
        _assert_linear(slow, lambda count: "x\n" * count, 100)
    with pytest.raises(pytest.fail.Exception), cpu_limit(0.2, "backtracking"):
        re.match(r"(?:a|a)*b", "a" * 60)
