from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.memory.talk import (
    OPENING,
    check_whole,
    condense,
    long_talk,
    state_of,
    step,
    talk,
    texts,
)
from velora.agent.memory.build import build
from velora.agent.memory.llm import HEADING, Summary
from velora.agent.memory.masking import ObservationMasking
from velora.agent.memory.noop import Noop
from velora.agent.memory.pipeline import Pipeline
from velora.agent.memory.protocol import Condenser, Need
from velora.agent.memory.recent import Recent
from velora.agent.memory.truncation import truncate
from velora.config.settings import CondenserSettings, LLMSettings, Settings
from velora.errors import UsageError
from velora.journal.conversation import MASK, shown
from velora.journal.events import Condensed, Event
from velora.journal.messages import Message, SystemMessage, ToolMessage, UserMessage


def settings(kind: str, **more: Any) -> CondenserSettings:
    return CondenserSettings(type=kind, **more)  # type: ignore[arg-type]


def observations(messages: Any) -> list[str]:
    return [message.content for message in messages if isinstance(message, ToolMessage)]


async def test_noop_never_condenses() -> None:
    state = long_talk(300)
    assert await condense(Noop(), state, window=100) is None
    assert await condense(Noop(), state, need=Need("overflow", 10)) is None
    assert list(state.shown()) == state.messages


async def test_recent_keeps_the_first_steps_and_the_last() -> None:
    recent = Recent(settings("recent", keep_first=2, max_events=10))
    state = long_talk(10)
    assert await condense(recent, state) is None
    for event in step(10, "result 10"):
        state.apply(event)
    made = await condense(recent, state)
    assert made is not None
    assert (made.condenser, made.reason, made.kept, made.start) == ("recent", "size", 6, 12)
    now = state.shown()
    assert texts(now[2:6:2]) == ["Step 0.", "Step 1."]
    assert now[6] == UserMessage(
        "[3 earlier steps are left out here to keep the conversation short. What was done to files "
        "and in the shell still holds.]"
    )
    assert texts(now[7::2]) == [f"Step {n}." for n in range(5, 11)]
    assert state.view(None).steps_shown == 8
    assert await condense(recent, state) is None


async def test_recent_leaves_out_several_steps_at_once_so_that_requests_begin_alike() -> None:
    recent = Recent(settings("recent", max_events=20))
    state, condensed = long_talk(1), 0
    for n in range(1, 200):
        for event in step(n, f"result {n}"):
            state.apply(event)
        condensed += await condense(recent, state) is not None
        assert state.view(None).steps_shown <= 20
    assert condensed == 36  # every fifth step


async def test_observation_masking_masks_older_observations_in_steps() -> None:
    masking = ObservationMasking(settings("observation_masking", attention_window=8))
    state, masked = long_talk(10), []
    for n in range(10, 50):
        for event in step(n, f"result {n} " + "x" * 400):
            state.apply(event)
        if made := await condense(masking, state):
            masked.append(made.masked)
            assert made.kept == made.start
        in_full = [one for one in observations(state.shown()) if one != MASK]
        assert 8 <= len(in_full) <= 10
        assert in_full[-1].startswith(f"result {n} ")
    assert len(masked) == 14  # every third step
    assert masked == sorted(masked)
    assert len(state.shown()) == len(state.messages)


async def test_observation_masking_goes_further_where_tokens_are_short() -> None:
    masking = ObservationMasking(settings("observation_masking", attention_window=100))
    state = long_talk(50, size=3500)
    assert await condense(masking, state, window=200_000) is None
    made = await condense(masking, state, window=50_000)
    assert made is not None
    assert made.reason == "tokens"
    assert 0.25 * 50_000 < state.gauge.tokens <= 0.375 * 50_000
    assert observations(state.shown())[-1].startswith("result 49 ")


async def test_short_observations_are_not_masked() -> None:
    masking = ObservationMasking(settings("observation_masking", attention_window=1))
    state = state_of([OPENING, *step(0, "ok"), *step(1, "x" * 99), *step(2, "y")])
    await condense(masking, state)
    assert observations(state.shown()) == ["ok", MASK, "y"]


async def test_a_summary_stands_for_the_older_half() -> None:
    summing = Summary(settings("llm", max_size=12, keep_first=1))
    state = long_talk(11)
    assert await condense(summing, state) is None
    for event in step(11, "result 11"):
        state.apply(event)
    before = state.cost
    made = await condense(summing, state, asked=talk("The parser is in a.py."))
    assert made is not None
    assert made.completion is not None
    assert (made.kept, made.start) == (4, 16)
    assert made.summary == f"{HEADING}The parser is in a.py."
    assert state.shown()[4] == UserMessage(made.summary)
    assert texts(state.shown()[5::2]) == [f"Step {n}." for n in range(7, 12)]
    assert state.cost == before


async def test_an_earlier_summary_is_part_of_the_next() -> None:
    summing = Summary(settings("llm", max_size=8, max_event_length=50))
    state, asked = long_talk(8), talk("First notes.", "Second notes.", "Third notes.")
    found = []
    for n in range(8, 18):
        if made := await condense(summing, state, asked=asked):
            found.append(made.summary.removeprefix(HEADING))
        for event in step(n, f"result {n}"):
            state.apply(event)
    assert found == ["First notes.", "Second notes.", "Third notes."]


async def test_a_summary_of_nothing_is_a_remark_and_is_paid_for() -> None:
    notes: list[str] = []
    summing = Summary(settings("llm", max_size=8))
    state, asked = long_talk(8), talk(" ")
    asked = type(asked)(asked.model, lambda code, text, data: notes.append(code))
    made = await condense(summing, state, asked=asked)
    assert made is not None
    assert made.completion is not None
    assert made.summary.startswith("[4 earlier steps are left out here")
    assert notes == ["summary_failed"]


async def test_an_endless_summary_is_cut() -> None:
    summing = Summary(settings("llm"))
    state = long_talk(60, size=3500)
    made = await condense(summing, state, window=30_000, asked=talk("word " * 30_000))
    assert made is not None
    assert state.gauge.tokens < 0.6 * 30_000


async def test_a_pipeline_works_in_order_and_only_where_it_is_due() -> None:
    masking = ObservationMasking(settings("observation_masking", attention_window=4))
    pipeline = Pipeline([masking, Recent(settings("recent", max_events=10))])
    state, made = state_of([OPENING]), []
    for n in range(24):
        for event in step(n, f"result {n} " + "x" * 200):
            state.apply(event)
        while one := await condense(pipeline, state):
            made.append(one)
    names = [one.condenser for one in made]
    assert names[:4] == ["observation_masking"] * 3 + ["recent"]
    assert made[3].masked == made[2].masked > 0
    assert state.view(None).steps_shown <= 10


async def test_an_asked_pipeline_goes_on_until_nothing_more_can_be_left_out() -> None:
    stages: list[Condenser] = [
        ObservationMasking(settings("observation_masking")),
        Recent(settings("recent")),
    ]
    pipeline, state, names = Pipeline(stages), long_talk(20), []
    while made := await condense(pipeline, state, need=Need("requested", 10)):
        names.append(made.condenser)
    assert names == ["observation_masking", "recent"]


def test_truncation_takes_the_middle_first_and_then_ever_more() -> None:
    state = long_talk(40, size=3500)  # about 1,000 tokens a step
    seen = []
    for target in (20_000, 5_000, 1_800, 600, 150):
        made = truncate(state.view(None), target, "overflow")
        assert made is not None
        state.apply(made)
        assert state.gauge.tokens <= target
        seen.append((made.kept, state.view(None).steps_shown, made.longest))
    kept, steps, longest = zip(*seen, strict=True)
    assert kept == (4, 4, 2, 2, 2)
    assert 15 <= steps[0] <= 19
    assert steps[1:] == (4, 1, 1, 0)
    assert longest[:3] == (0, 0, 0)
    assert longest[3] > 200
    assert truncate(state.view(None), 10, "overflow") is None


def test_one_huge_observation_is_cut_and_the_history_stays() -> None:
    huge = "head " + "x" * 400_000 + " tail"
    events = [e for n in range(20) for e in step(n, "y" * 350)]
    state = state_of([OPENING, *events, *step(20, huge, "small")])
    made = truncate(state.view(None), 8_000, "tokens")
    assert made is not None
    state.apply(made)
    assert state.gauge.tokens <= 8_000
    assert state.view(None).steps_shown == 21
    last, small = observations(state.shown())[-2:]
    assert last.startswith("head xx")
    assert last.endswith("xx tail")
    assert 5_000 < len(last) < 20_000
    assert small == "small"


async def test_a_summary_outlives_later_truncations() -> None:
    state = long_talk(30, size=3500)
    summing = Summary(settings("llm", max_size=20))
    await condense(summing, state, asked=talk("The parser is in a.py."))
    for target in (6_000, 3_000):
        made = truncate(state.view(None), target, "tokens")
        assert made is not None
        state.apply(made)
        assert made.completion is None
    task, told = [m.content for m in state.shown() if isinstance(m, UserMessage)]
    assert task == "Fix it."
    assert told.startswith(f"{HEADING}The parser is in a.py.\n\n[2")
    assert told.count("left out here to keep") == 1


CONDENSERS: dict[str, Condenser] = {
    "recent": Recent(settings("recent", max_events=6, keep_first=1)),
    "masking": ObservationMasking(settings("observation_masking", attention_window=3)),
    "llm": Summary(settings("llm", max_size=8, max_event_length=40)),
}
STEPS = st.lists(st.integers(0, 3), min_size=0, max_size=4)
ACTS = st.lists(
    st.tuples(STEPS, st.sampled_from(["", "truncate", *CONDENSERS]), st.integers(1, 4000)),
    max_size=12,
)


@given(ACTS, st.booleans())
async def test_any_condensations_leave_each_call_with_its_one_result(
    acts: list[tuple[list[int], str, int]], system: bool
) -> None:
    opening = OPENING if system else type(OPENING)("", "Fix it.", ())
    state, number, events = state_of([opening]), 0, list[Event]([opening])
    for steps, name, target in acts:
        for calls in steps:
            results = (("long " * 100 * n)[: 100 * n * n + 1] for n in range(calls))
            number += 1
            events += (said := step(number, *results))
            for event in said:
                state.apply(event)
        made = None
        if name == "truncate":
            made = truncate(state.view(None), target, "overflow")
        elif name:
            need = Need("overflow", target) if target % 2 else Need("size")
            view = state.view(None)
            made = await CONDENSERS[name].condense(view, need, talk())
        if made:
            assert all(
                index in (*state.begins, len(state.messages)) for index in (made.kept, made.start)
            )
            assert made.kept <= made.start
            state.apply(made)
            events.append(made)
        now = state.shown()
        check_whole(now)
        assert list(now) == list(shown(state.messages, state.condensed))
        assert isinstance(now[0], SystemMessage if system else UserMessage)
        assert now[system].content.startswith("Fix it.")
        assert not any(two_users(now))
    again = state_of(events)
    assert list(again.shown()) == list(state.shown())
    assert again.gauge.tokens == state.gauge.tokens


def two_users(messages: Any) -> list[bool]:
    return [
        isinstance(one, UserMessage) and isinstance(after, UserMessage)
        for one, after in itertools.pairwise(messages)
    ]


def test_settings_that_leave_no_room_are_refused() -> None:
    for own, where in (
        (settings("recent", keep_first=5, max_events=5), "[condenser.short]"),
        (settings("llm", keep_first=5, max_size=10), "[condenser.short]"),
    ):
        with pytest.raises(UsageError, match="leaves no room") as error:
            build(Settings(condenser=own, condenser_name="short"))
        assert error.value.where == where


async def test_a_summary_by_another_model_is_built_from_its_section(tmp_path: Any) -> None:
    script = tmp_path / "notes.yaml"
    script.write_text("turns: [{say: Other notes.}]\n")
    own = settings("llm", llm_config="small", max_size=8)
    other = LLMSettings(model=f"scripted:{script}")
    condenser = build(Settings(condenser=own, condenser_llms={"small": other}))
    made = await condense(condenser, long_talk(8))
    assert made is not None
    assert made.summary == f"{HEADING}Other notes."
    assert made.completion is not None
    assert made.completion.model == "scripted-notes"
    await condenser.close()
    with pytest.raises(UsageError, match=r"\[llm.small\]"):
        build(Settings(condenser=own, condenser_llms={"small": LLMSettings(model="nope/x")}))


def test_a_view_is_made_of_steps() -> None:
    state = long_talk(3)
    view = state.view(None)
    assert (view.opening, list(view.steps)) == (2, [2, 4, 6])
    assert (view.head(0), view.head(1), view.head(9)) == (2, 4, 8)
    assert view.steps_shown == 3
    condensed = Condensed("x", "size", kept=4, start=6)
    state.apply(condensed)
    assert state.view(None).steps_shown == 2
    assert state.view(None).head(2) == 4
    empty: list[Message] = []
    assert list(shown(empty, None)) == []
