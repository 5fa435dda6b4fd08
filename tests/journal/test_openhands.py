from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.journal.sample import (
    PATCH,
    answered,
    call,
    failed_attempt,
    new_run,
    patch_taken,
    play,
    started,
    whole_attempt,
)
from velora.errors import Outcome
from velora.journal.conversation import conversation
from velora.journal.events import (
    Answered,
    AttemptEnded,
    Condensed,
    Event,
    Graded,
    Observed,
    PatchTaken,
    Prompted,
    Record,
)
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    SystemMessage,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from velora.journal.openhands import history, metrics, output_row

GOLDEN = Path(__file__).parent / "golden"


def numbered(*events: Event) -> list[Record]:
    return [Record(n, 1_767_323_045.0 + n / 4, event) for n, event in enumerate(events)]


def golden(name: str, made: bytes) -> None:
    """Compare with a checked-in file; `VELORA_GOLDEN=write` writes it instead."""
    if os.environ.get("VELORA_GOLDEN") == "write":
        (GOLDEN / name).write_bytes(made)
    assert made.decode() == (GOLDEN / name).read_text()


def pretty(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def test_the_row_is_the_golden_one() -> None:
    records = numbered(*whole_attempt())
    metadata = {"agent_class": "CodeActAgent", "details": {"why": "golden"}, "argv": ["velora"]}
    golden("output_row.json", pretty(output_row(records, PATCH, metadata)))


def test_each_observation_names_its_action() -> None:
    events = history(numbered(*whole_attempt()))
    assert [e["id"] for e in events] == list(range(len(events)))
    assert [e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events)
    causes = [events[e["cause"]] for e in events if "observation" in e]
    assert [
        (c["action"], e["observation"]) for c, e in zip(causes, _seen(events), strict=True)
    ] == [
        ("run", "run"),
        ("read", "read"),
        ("condensation", "condense"),
        ("run", "error"),
        ("edit", "edit"),
        ("call_tool_mcp", "error"),
        ("think", "think"),
        ("task_tracking", "task_tracking"),
    ]
    assert [e["action"] for e in events if "action" in e][:2] == ["system", "message"]
    assert events[-1]["action"] == "finish"


def _seen(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [e for e in events if "observation" in e]


def test_a_turn_of_several_calls_shares_one_response_and_one_thought() -> None:
    events = history(numbered(*whole_attempt()))
    turn = [e for e in events if e.get("tool_call_metadata", {}).get("tool_call_id") in _FIRST]
    assert [e["tool_call_metadata"]["total_calls_in_response"] for e in turn] == [2, 2]
    assert turn[0]["tool_call_metadata"]["model_response"]["id"] == "chatcmpl-1"
    assert [e["args"]["thought"] for e in turn] == ["Let me look.", ""]


_FIRST = ("call_1", "call_2")


def test_calls_that_were_never_run_are_in_the_history() -> None:
    calls = [call(n, "execute_bash", f'{{"command": "{n}"}}') for n in (1, 2, 3)]
    ran = Observed("call_2", "execute_bash", {"command": "2"}, "two", exit_code=-1)
    events = history(numbered(answered(*calls), ran))
    assert [(e.get("action"), e.get("observation"), e.get("cause")) for e in events] == [
        ("run", None, None),
        ("run", None, None),
        (None, "run", 1),
        ("run", None, None),
    ]
    assert events[2]["extras"]["metadata"]["exit_code"] == -1
    assert events[2]["success"] is False
    stray = Observed("other", "execute_bash", {"command": "x"}, "?")
    events = history(numbered(answered(calls[0]), stray))
    assert [e["tool_call_metadata"]["tool_call_id"] for e in events if "action" in e] == [
        "other",
        "call_1",
    ]


@pytest.mark.parametrize(
    "arguments",
    ["", "[1]", "{", '"text"', '{"command": 7, "task_list": 3, "path": [], "thought": 1}'],
)
@pytest.mark.parametrize(
    "tool",
    [
        "execute_bash",
        "execute_ipython_cell",
        "str_replace_editor",
        "think",
        "finish",
        "task_tracker",
    ],
)
def test_arguments_of_any_kind_make_an_action(tool: str, arguments: str) -> None:
    said = answered(call(1, tool, arguments))
    failed = Observed("call_1", tool, {}, "no", error=True)
    for records in (numbered(said), numbered(said, failed)):
        (action, *rest) = history(records)
        orjson.dumps(action)
        raw = arguments in {"[1]", "{", '"text"'}
        assert action["args"].get("raw_arguments") == (arguments if raw else None)
        assert [e["observation"] for e in rest] == ["error"] * len(rest)


def test_metrics_count_what_is_known_and_say_what_is_not() -> None:
    made = metrics(numbered(*whole_attempt()), budget=2.0, context_window=128_000)
    assert made["accumulated_cost"] == pytest.approx(0.03)
    assert made["cost_unknown_calls"] == 1
    assert len(made["costs"]) == 3
    assert sum(c["cost"] for c in made["costs"]) == made["accumulated_cost"]
    assert len(made["token_usages"]) == len(made["response_latencies"]) == 4
    total = made["accumulated_token_usage"]
    assert (total["prompt_tokens"], total["completion_tokens"]) == (4800, 136)
    assert (total["cache_read_tokens"], total["per_turn_token"]) == (4000, 1234)
    assert total["context_window"] == 128_000
    assert made["max_budget_per_task"] == 2.0
    assert metrics([])["accumulated_cost"] == 0.0


def row(*end: Event, patch: bytes = b"") -> dict[str, Any]:
    prompted = Prompted("system", "task", ())
    return output_row(numbered(started(), prompted, *end), patch, {})


def test_the_three_ends_of_a_patch_are_told_apart() -> None:
    ended = AttemptEnded(Outcome.FINISHED)
    assert row(patch_taken(), ended, patch=PATCH)["test_result"]["git_patch"] == PATCH.decode()
    empty = row(patch_taken(b""), ended)["test_result"]
    assert (empty["git_patch"], empty["status"]) == ("", "empty")
    failed = row(PatchTaken("failed", detail="fatal: no space"), ended)["test_result"]
    assert failed == {"git_patch": None, "status": "failed", "detail": "fatal: no space"}
    assert row(ended)["test_result"]["status"] == "failed"
    latin = PATCH.replace(b"x = 2", b"x = '\xe9'")
    other = row(patch_taken(latin), ended, patch=latin)["test_result"]
    assert other["git_patch"] is None
    assert base64.b64decode(other["git_patch_base64"]) == latin
    assert "not UTF-8" in other["detail"]


def test_the_error_is_null_only_where_the_model_finished() -> None:
    assert row(AttemptEnded(Outcome.FINISHED, "whatever"))["error"] is None
    assert row(AttemptEnded(Outcome.MAX_ITERATIONS))["error"] == "max_iterations"
    assert row(AttemptEnded(Outcome.STUCK, "4 times"))["error"] == "stuck: 4 times"


def test_a_verdict_does_not_change_the_row() -> None:
    records = numbered(*whole_attempt())
    assert isinstance(records[-1].event, Graded)
    assert output_row(records, PATCH, {}) == output_row(records[:-1], PATCH, {})


def test_the_conversation_is_what_was_sent() -> None:
    messages = conversation(numbered(*whole_attempt()))
    assert messages[:2] == [
        SystemMessage("You mend programs."),
        UserMessage("Make x be 2.\nTests are in t.py."),
    ]
    assert [type(m) for m in messages[2:7]] == [
        AssistantMessage,
        ToolMessage,
        ToolMessage,
        AssistantMessage,
        UserMessage,
    ]
    assert messages[4] == ToolMessage("call_2", "str_replace_editor", "     1\tx = 1")
    assert isinstance(messages[2], AssistantMessage)
    assert messages[2].provider == {"kind": "response", "parts": ["Let me look."]}
    assert len(messages) == 15
    assert conversation(numbered(Prompted("", "task", ()))) == [UserMessage("task")]


def test_the_files_of_an_attempt_are_the_golden_ones(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    play(run, whole_attempt())
    golden("instance.log", run.infer_log("owner__repo-1", 1).read_bytes())
    directory = run.completions_dir("owner__repo-1", 1)
    names = sorted(path.name for path in directory.iterdir())
    assert names[0] == "gpt-4o-2024-08-06-1767323046.250000.json"
    golden("completion_1.json", (directory / names[0]).read_bytes())
    golden("completion_3.json", (directory / names[2]).read_bytes())
    files = [orjson.loads((directory / name).read_bytes()) for name in names]
    sent = [message for file in files for message in file["messages"]]
    # Condensed before the third call: of what was sent before, only the system prompt is as it was.
    assert [f["messages_before"] for f in files] == [0, 2, 1, 4]
    assert [m["role"] for m in sent] == [
        *["system", "user"],
        *["assistant", "tool", "tool"],
        *["user", "assistant", "user"],
        *["assistant", "tool", "tool", "tool"],
    ]
    assert sent[5]["content"].endswith("\n\nA file was read.")


def test_a_failed_attempt_is_told_and_makes_no_row(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    play(run, failed_attempt("owner__repo-1", 2, Outcome.SANDBOX_LOST))
    golden("instance.attempt-2.log", run.infer_log("owner__repo-1", 2).read_bytes())
    assert not run.output_file.exists()


def test_a_request_for_a_condensation_is_openhands_own_action() -> None:
    asks = Answered(
        Completion(AssistantMessage("", (ToolCall("c1", "request_condensation", "{}"),)))
    )
    told = Observed("c1", "request_condensation", {}, "It will be.", condense=True)
    (event,) = history(numbered(asks, told))
    assert event["action"] == "condensation_request"


def test_a_condensation_that_leaves_nothing_out_says_what_it_masks() -> None:
    masked = Condensed("observation_masking", "size", kept=2, start=2, masked=5)
    made = history(numbered(*list(whole_attempt())[:11], masked))
    event = made[-1]
    assert event["args"]["forgotten_event_ids"] == []
    assert event["args"]["summary"] is None
    assert event["args"]["summary_offset"] is None
    assert event["condensation"]["masked"] == 5
    assert "observation" not in event


def test_a_summary_is_a_call_of_its_own(tmp_path: Path) -> None:
    notes = Completion(AssistantMessage("A file was read."), Usage(500, 20), 0.5, "gpt-4o-mini")
    events = [
        replace(e, completion=notes, request="Sum up.", excerpt=200)
        if isinstance(e, Condensed)
        else e
        for e in whole_attempt()
    ]
    told = metrics(numbered(*events))
    assert told["accumulated_cost"] == pytest.approx(0.53)
    assert [one["model"] for one in told["costs"]].count("gpt-4o-mini") == 1
    assert told["condenser"][0]["cost"] == 0.5
    run = new_run(tmp_path)
    play(run, events)
    directory = run.completions_dir("owner__repo-1", 1)
    (file,) = [path for path in directory.iterdir() if path.name.startswith("gpt-4o-mini")]
    call = orjson.loads(file.read_bytes())
    assert call["purpose"] == "condensation"
    assert call["messages"][0] == {"role": "system", "content": "Sum up."}
    assert call["messages"][1]["content"].startswith("[TASK]\nMake x be 2.")
    assert "[AGENT]\n" in call["messages"][1]["content"]
    assert "[RESULT OF execute_bash]\n" in call["messages"][1]["content"]
    log = run.infer_log("owner__repo-1", 1).read_text()
    assert "condensed by llm (size): 3 messages left out  $0.5200" in log
