"""200 turns in a window of 16,000 tokens, against a server that refuses what a provider refuses."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.servers.chat import Refusal, Rules, prompt_tokens
from tests.servers.openai import Reply, Request, Server
from velora.agent.loop import CodeActAgent, End, Limits
from velora.agent.memory.build import build
from velora.config.settings import AgentSettings, CondenserSettings, LLMSettings, Settings
from velora.errors import ContextOverflow, Outcome
from velora.journal.completions import Completions
from velora.journal.events import (
    Answered,
    AttemptStarted,
    Condensed,
    Event,
    Observed,
    Record,
    paid,
)
from velora.journal.messages import AssistantMessage, ToolCall, ToolSpec
from velora.journal.metrics import metrics
from velora.journal.store import AttemptJournal
from velora.llm import factory
from velora.llm.protocol import Model
from velora.llm.replay import ReplayModel
from velora.tools.build import Toolset
from velora.tools.finish import FinishTool
from velora.tools.protocol import ToolResult

WINDOW = 16_000
TURNS = 200
TASK = "Fix the parser. " * 40
LINES = [
    "    def parse(self, text: str) -> Tree:\n",
    "E   AssertionError: assert \"a\\tb\" == 'a b'\n",
    "drwxr-xr-x 2 root root 4096 Jan  1 00:00 src\n",
    "数据 Übergröße ✓\n",
    "0x7f3a9c 00 ff 1e 2d 3c 4b 5a 69 78 87 96 a5 b4 c3 d2 e1\n",
]


class Read:
    """A tool whose observations have any length, up to twice the window in all."""

    spec = ToolSpec("read", "Reads.", {"type": "object", "properties": {"n": {"type": "integer"}}})

    def __init__(self, longest: int) -> None:
        self._random = random.Random(2)
        self._longest = longest

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        chance = self._random
        length = chance.choice((80, 400, 3_000, 12_000, self._longest))
        line = chance.choice(LINES)
        return ToolResult((line * (length // len(line) + 1))[:length])


class Condense:
    """Asks for a shorter conversation."""

    spec = ToolSpec("condense", "Condenses.", {"type": "object", "properties": {}})

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult("It will be shorter.", condense=True)


@dataclass
class Playing:
    """A model of many turns: parallel calls, plain text, reasoning; and summaries when asked."""

    turns: int = TURNS
    said: int = 0
    summaries: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def __call__(self, request: Request) -> AssistantMessage:
        if not request.body.get("tools"):
            self.summaries += 1
            return AssistantMessage(f"DONE: summary {self.summaries}. " + "fact " * 200)
        self.said += 1
        if self.said >= self.turns:
            call = ToolCall("call_end", "finish", '{"message": "done"}')
            return AssistantMessage("", (call,), "So.")
        if self.chance.random() < 0.05:
            return AssistantMessage(f"Thought number {self.said}.", reasoning="Hm.")
        calls = tuple(
            ToolCall(f"call_{self.said}_{n}", "read", orjson.dumps({"n": self.said}).decode())
            for n in range(self.chance.choice((1, 1, 1, 2, 4)))
        )
        reasoning = "Because. " * self.chance.choice((2, 20))
        return AssistantMessage("I look. " * self.chance.randrange(30), calls, reasoning)


@dataclass
class Run:
    """One attempt, and what the server saw of it."""

    server: Server
    events: list[Event]
    end: End

    @property
    def statuses(self) -> list[int]:
        return [request.status for request in self.server.requests]

    @property
    def condensed(self) -> list[Condensed]:
        return [event for event in self.events if isinstance(event, Condensed)]


async def work(
    settings: Settings,
    *,
    window: int | None = WINDOW,
    rules: Rules | None = None,
    longest: int = 30_000,
    turns: int = TURNS,
    task: str = TASK,
    limits: Limits | None = None,
    events: list[Event] | None = None,
    play: Callable[[Request], Reply] | None = None,
    model: Model | None = None,
) -> Run:
    rules = rules or Rules(context=WINDOW)
    events = [] if events is None else events
    async with Server(play or Playing(turns), rules=rules) as server:
        llm = LLMSettings(
            model="openai/some-model",
            base_url=server.url,
            max_input_tokens=window,
            num_retries=0,
            input_cost_per_token=1e-6,
            output_cost_per_token=1e-6,
        )
        model = model or factory.build(llm)
        condenser = build(settings)
        tools = {tool.spec.name: tool for tool in (Read(longest), Condense(), FinishTool())}
        agent = CodeActAgent(
            model=model,
            toolset=Toolset(tools),
            emit=events.append,
            system="You are an agent.",
            instruction=task,
            limits=limits or Limits(max_iterations=turns + 1),
            settings=settings.agent,
            condenser=condenser,
            conversation="one",
        )
        try:
            end = await agent.run()
        finally:
            await condenser.close()
            await model.close()
    return Run(server, events, end)


def condensing(kind: str, **more: Any) -> Settings:
    return Settings(condenser=CondenserSettings(type=kind, **more))  # type: ignore[arg-type]


KINDS: dict[str, Settings] = {
    "noop": condensing("noop"),
    "recent": condensing("recent"),
    "recent by size": condensing("recent", max_events=8, keep_first=2),
    "observation_masking": condensing("observation_masking"),
    "observation_masking by size": condensing("observation_masking", attention_window=4),
    "llm": condensing("llm"),
    "llm by size": condensing("llm", max_size=12),
    "pipeline": Settings(
        condenser=CondenserSettings(type="pipeline", condensers=("mask", "notes")),
        condensers={
            "mask": CondenserSettings(type="observation_masking", attention_window=4),
            "notes": CondenserSettings(type="llm", max_size=12),
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_no_request_is_refused_in_a_window_that_is_known(kind: str) -> None:
    run = await work(KINDS[kind])
    assert run.end == End(Outcome.FINISHED, "", TURNS)
    assert set(run.statuses) == {200}
    assert run.condensed
    names = {event.condenser for event in run.condensed}
    own = {"noop": {"truncation"}, "pipeline": {"observation_masking", "llm"}}
    assert own.get(kind, {kind.partition(" ")[0]}) <= names
    summaries = [event for event in run.condensed if event.completion]
    assert len(run.statuses) == TURNS + len(summaries)
    check_prefixes(run)
    check_files(run)
    check_costs(run)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_refusal_teaches_a_window_that_is_unknown(kind: str) -> None:
    run = await work(KINDS[kind], window=None)
    assert run.end == End(Outcome.FINISHED, "", TURNS)
    assert run.statuses.count(400) <= 1
    assert set(run.statuses) <= {200, 400}
    overflows = [event for event in run.condensed if event.reason == "overflow"]
    assert len(overflows) == run.statuses.count(400)
    check_prefixes(run)
    check_files(run)


async def test_one_observation_of_any_length_does_not_end_an_attempt() -> None:
    for window in (WINDOW, None):
        run = await work(KINDS["noop"], window=window, longest=2_000_000, turns=30)
        assert run.end.outcome is Outcome.FINISHED
        assert run.statuses.count(400) == (window is None)
        assert any(event.clipped for event in run.condensed)


async def test_a_refusal_that_states_no_window_is_learnt_from_too() -> None:
    playing = Playing(turns=100)

    def play(request: Request) -> Reply:
        if prompt_tokens(request.body) > WINDOW:
            return Refusal(400, "prompt is too long", "context_length_exceeded")
        return playing(request)

    run = await work(KINDS["recent"], window=None, rules=Rules(), turns=100, play=play)
    assert run.end.outcome is Outcome.FINISHED
    assert 1 <= run.statuses.count(400) <= 3
    check_files(run)


async def test_without_truncation_the_first_overflow_ends_the_attempt() -> None:
    settings = Settings(agent=AgentSettings(enable_history_truncation=False))
    with pytest.raises(ContextOverflow, match="maximum context length is 16000"):
        await work(settings)
    # A condenser is not truncation: it may do what it can.
    own = CondenserSettings(type="recent")
    run = await work(
        Settings(agent=settings.agent, condenser=own), window=None, longest=2_000, turns=100
    )
    assert run.end.outcome is Outcome.FINISHED


async def test_a_task_that_does_not_fit_ends_the_attempt_after_a_few_tries() -> None:
    for kind in ("noop", "llm"):
        events: list[Event] = []
        with pytest.raises(ContextOverflow):
            await work(KINDS[kind], task="word " * 20_000, window=None, events=events)
        assert len(events) <= 2


async def test_the_summing_model_may_have_a_smaller_window() -> None:
    playing = Playing(turns=100)

    def play(request: Request) -> Reply:
        if not request.body.get("tools") and prompt_tokens(request.body) > 3_000:
            return Refusal(400, "prompt is too long", "context_length_exceeded")
        return playing(request)

    run = await work(KINDS["llm"], turns=100, play=play)
    assert run.end.outcome is Outcome.FINISHED
    written = [event for event in run.condensed if event.completion]
    assert written
    assert all(event.excerpt < 10_000 for event in written)
    check_files(run)


async def test_summaries_count_towards_the_budget() -> None:
    run = await work(KINDS["llm by size"], limits=Limits(max_iterations=300, max_budget=0.25))
    assert run.end.outcome is Outcome.BUDGET_EXCEEDED
    spent = [one.cost or 0.0 for event in run.events if (one := paid(event))]
    assert sum(spent[:-1]) < 0.25 <= sum(spent)


async def test_the_model_may_ask_for_it() -> None:
    def play(request: Request) -> Reply:
        if not request.body.get("tools"):
            return AssistantMessage("Notes.")
        if len(request.messages) < 13:
            call = ToolCall(f"c{len(request.messages)}", "read", "{}")
        elif "Notes." in str(request.messages):
            call = ToolCall("c_end", "finish", '{"message": "done"}')
        else:
            call = ToolCall("c_ask", "condense", "{}")
        return AssistantMessage(f"At {len(request.messages)}.", (call,))

    for kind, left in (("llm", "llm"), ("recent", "recent"), ("noop", "truncation")):
        run = await work(KINDS[kind], window=None, longest=3_000, play=play, turns=30)
        first = run.condensed[0]
        assert (first.condenser, first.reason) == (left, "requested")
        asked = [e.condense for e in run.events if isinstance(e, Observed)]
        assert asked.count(True) >= 1
        check_files(run)


@pytest.mark.parametrize("kind", ["noop", "recent by size", "llm", "pipeline"])
async def test_a_recording_is_replayed_with_its_condensations(kind: str, tmp_path: Path) -> None:
    run = await work(KINDS[kind], turns=60)
    with AttemptJournal.create(tmp_path / "attempt", redact=str) as journal:
        for event in run.events:
            journal.append(event)
    again: list[Event] = []
    await work(
        KINDS[kind], turns=60, events=again, model=ReplayModel.from_file(tmp_path / "attempt")
    )
    assert [told_again(event) for event in again] == [told_again(event) for event in run.events]


def told_again(event: Event) -> Event:
    """An event without what a replay does not repeat: prices and durations."""
    if isinstance(event, Observed):
        return replace(event, duration=0.0)
    if isinstance(event, Answered | Condensed) and event.completion:
        free = replace(event.completion, cost=0.0, latency=0.0)
        return replace(event, completion=free)
    return event


def check_prefixes(run: Run) -> None:
    """Between two condensations each request begins with all of the one before, byte for byte."""
    requests = [r for r in run.server.requests if r.body.get("tools") and r.status == 200]
    before: list[bytes] = []
    calls = iter(requests)
    condensed = False
    for event in run.events:
        if isinstance(event, Condensed):
            condensed = True
        if not isinstance(event, Answered):
            continue
        now = [orjson.dumps(message) for message in next(calls).messages]
        if not condensed:
            assert now[: len(before)] == before
        before, condensed = now, False
    assert next(calls, None) is None


def check_files(run: Run) -> None:
    """`llm_completions/` tells every request that was answered exactly."""
    files = Completions()
    files.feed(Record(0, 0.0, AttemptStarted("i", 1, "r", "c", "m", "CodeActAgent", "0", {})))
    sent: list[Any] = []
    requests = iter([request for request in run.server.requests if request.status == 200])
    for number, event in enumerate(run.events):
        made = files.feed(Record(number, float(number), event))
        if made is None:
            continue
        file = orjson.loads(made[1])
        if file.get("purpose") == "condensation":
            told = file["messages"]
        else:
            told = sent = [*sent[: file["messages_before"]], *file["messages"]]
        request = next(requests)
        assert [plain(one) for one in told] == [plain(one) for one in request.messages]
    assert next(requests, None) is None


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """What our files and the wire have in common: who says what, and calls what."""
    calls = [(c["id"], c["function"]) for c in message.get("tool_calls") or ()]
    content = message.get("content") or ""
    return {
        "role": message["role"],
        "content": content,
        "calls": calls,
        "answers": message.get("tool_call_id", ""),
    }


def check_costs(run: Run) -> None:
    """Every answer of the server is paid for once, summaries among them."""
    answers = [completion for event in run.events if (completion := paid(event))]
    assert len(answers) == run.statuses.count(200)
    records = [Record(n, float(n), event) for n, event in enumerate(run.events)]
    told = metrics(records)
    assert told["accumulated_cost"] == pytest.approx(sum(one.cost or 0 for one in answers))
    assert len(told["costs"]) == len(answers)
    assert len(told["condenser"]) == len(run.condensed)
