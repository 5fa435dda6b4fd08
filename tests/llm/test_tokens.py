"""The estimate of a request's tokens, and what the endpoint makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.llm.conftest import SCRIPT, START, TOOLS, Notes, talking
from tests.servers.chat import Refusal, Rules
from tests.servers.openai import Request
from velora.errors import ContextOverflow
from velora.journal.messages import (
    AssistantMessage,
    Image,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from velora.llm.script import Turn
from velora.llm.tokens import IMAGE, Scale, estimate


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 20, 201),
        ("def parse(text):\n    return [int(x) for x in text.split(',')]\n" * 10, 170),
        ("敏捷的棕色狐狸跳过了那只懒狗。" * 20, 320),
        ("Быстрая лиса прыгает через ленивую собаку. " * 20, 302),
    ],
)
def test_texts_of_all_kinds_are_estimated_within_a_factor_of_two(text: str, tokens: int) -> None:
    """`tokens` is what OpenAI's o200k_base makes of the text."""
    assert tokens / 2 < estimate([UserMessage(text)]) < tokens * 2


@given(st.lists(st.text(max_size=50), max_size=8), st.text(max_size=50))
def test_a_longer_conversation_is_never_estimated_shorter(texts: list[str], more: str) -> None:
    messages = [UserMessage(text) for text in texts]
    assert estimate([*messages, UserMessage(more)]) > estimate(messages)


def test_everything_that_is_sent_counts() -> None:
    call = ToolCall("1", "execute_bash", '{"command": "' + "x" * 3500 + '"}')
    assert estimate([AssistantMessage("", (call,))]) > 1000
    assert estimate([AssistantMessage("", reasoning="x" * 3500)]) > 1000
    image = Image("image/png", "AAAA" * 10_000)
    assert IMAGE < estimate([ToolMessage("1", "view", "", (image,))]) < IMAGE + 20
    assert estimate(START, TOOLS) > estimate(START)
    assert estimate([UserMessage("\ud800")]) > 0


def test_a_scale_follows_what_the_provider_counts() -> None:
    scale = Scale()
    assert scale.of(1000) == 1000
    scale.learn(1000, 1500)
    assert scale.of(1000) == 1500
    for _ in range(30):
        scale.learn(1000, 1200)
    assert abs(scale.of(1000) - 1200) < 5
    scale.learn(0, 1)
    scale.learn(1, 10**9)
    assert scale.ratio < 4


async def test_the_answer_is_fitted_into_the_window(notes: Notes) -> None:
    asked: list[int] = []

    def play(request: Request) -> Turn:
        asked.append(request.body["max_tokens"])
        return Turn("ok")

    long: list[Message] = [*START, UserMessage("word " * 7000)]
    changes = {"max_input_tokens": 16_000, "max_output_tokens": 8000}
    async with talking(play, model=changes) as (_, model):
        assert model.window == 16_000
        await model.complete(START, TOOLS, note=notes)
        await model.complete(long, TOOLS, note=notes)
    assert asked[0] == 8000
    assert 4000 < asked[1] < 16_000 - 7000


async def test_the_window_is_known_before_the_first_call_and_learnt_from_a_refusal(
    notes: Notes,
) -> None:
    async with talking(SCRIPT, rules=Rules(context=500)) as (_, model):
        assert model.window == 128_000
        with pytest.raises(ContextOverflow):
            await model.complete([*START, UserMessage("x" * 4000)], TOOLS, note=notes)
        assert model.window == 500


async def test_an_unknown_model_has_no_window_until_it_is_told(notes: Notes) -> None:
    refusal = Refusal(400, "request (5000 tokens) exceeds the available context size (4096 tokens)")
    async with talking(lambda _: refusal, model={"model": "mine"}) as (_, model):
        assert model.window is None
        with pytest.raises(ContextOverflow):
            await model.complete(START, TOOLS, note=notes)
        assert model.window == 4096
