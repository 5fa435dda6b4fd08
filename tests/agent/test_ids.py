from __future__ import annotations

from velora.agent.ids import CallIds
from velora.journal.messages import AssistantMessage, Completion, ToolCall


def answer(*ids: str, provider: dict[str, str] | None = None) -> Completion:
    calls = tuple(ToolCall(id_, "think", "{}") for id_ in ids)
    return Completion(AssistantMessage("", calls, provider=provider))


def mended(book: CallIds, completion: Completion) -> list[str]:
    result, _ = book.mend(completion)
    return [call.id for call in result.message.tool_calls]


def test_ids_of_their_own_are_left_alone() -> None:
    completion = answer("a", "b")
    result, changed = CallIds().mend(completion)
    assert result is completion
    assert not changed


def test_missing_and_repeated_ids_are_replaced() -> None:
    book = CallIds()
    assert mended(book, answer("", "a", "a", "")) == ["call_v0", "a", "call_v2", "call_v3"]
    assert mended(book, answer("a", "call_v3", "b")) == ["call_v4", "call_v5", "b"]


def test_an_answer_with_a_providers_record_keeps_its_ids() -> None:
    book = CallIds()
    assert mended(book, answer("a", provider={"kind": "response"})) == ["a"]
    assert mended(book, answer("a")) == ["call_v1"]
