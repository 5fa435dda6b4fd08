from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.config.settings import SandboxSettings
from velora.journal.messages import ToolSpec
from velora.tools import bash, editor, finish, tasks
from velora.tools.arguments import parse
from velora.tools.protocol import BadArguments

BASH = bash.spec(SandboxSettings())
EDITOR = editor.SPEC
TASKS = tasks.SPEC
NOTHING = ToolSpec("nothing", "", {"type": "object", "properties": {}})


def tool(**properties: dict[str, Any]) -> ToolSpec:
    return ToolSpec("tool", "", {"type": "object", "properties": properties})


def refusal(spec: ToolSpec, text: str) -> str:
    with pytest.raises(BadArguments) as caught:
        parse(spec, text)
    return str(caught.value)


def test_plain_arguments_pass_unchanged() -> None:
    assert parse(BASH, '{"command": "ls", "timeout": 5}') == {"command": "ls", "timeout": 5}


@pytest.mark.parametrize("text", ["", "  \n", "{}", "null"])
def test_no_arguments(text: str) -> None:
    assert parse(NOTHING, text) == {}


def test_security_risk_is_dropped_where_it_is_not_asked_for() -> None:
    assert parse(BASH, '{"command": "ls", "security_risk": "LOW"}') == {"command": "ls"}
    declared = tool(security_risk={"type": "string"})
    assert parse(declared, '{"security_risk": "LOW"}') == {"security_risk": "LOW"}


def test_null_counts_as_not_given() -> None:
    text = '{"command": "view", "path": "/a", "view_range": null, "old_str": null}'
    assert parse(EDITOR, text) == {"command": "view", "path": "/a"}


@pytest.mark.parametrize(
    "text",
    [
        '{"command": "a\nb"}',
        '```json\n{"command": "a\\nb"}\n```',
        '{"command": "a\\nb",}',
        '```\n{"command": "a\nb",\n}```',
        "{'command': 'a\\nb'}",
        '"{\\"command\\": \\"a\\\\nb\\"}"',
        '{"command": "a\\nb", "command": "a\\nb"}',
    ],
)
def test_slips_with_one_reading_are_mended(text: str) -> None:
    assert parse(BASH, text) == {"command": "a\nb"}


def test_mending_leaves_what_is_inside_strings_alone() -> None:
    text = '{"command": "echo [1,2,] {,} \\",}\\"",}'
    assert parse(BASH, text) == {"command": 'echo [1,2,] {,} ",}"'}


def test_a_python_literal_keeps_backslashes_it_does_not_know() -> None:
    assert parse(BASH, r"{'command': 'grep \d', 'is_input': None}") == {"command": r"grep \d"}


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [("10", 10), (" 7 ", 7), (3.0, 3), (-1, -1), ("-1", -1)],
)
def test_integers(given_: Any, wanted: int) -> None:
    assert parse(tool(n={"type": "integer"}), json.dumps({"n": given_})) == {"n": wanted}


@pytest.mark.parametrize("value", ["ten", 1.5, True, [1], "", "1.5", "9" * 5000])
def test_not_integers(value: Any) -> None:
    text = refusal(tool(n={"type": "integer"}), json.dumps({"n": value}))
    assert text.startswith("tool: 'n' must be a whole number, not ")


@pytest.mark.parametrize("value", ["soon", "nan", "inf", "1e999", False])
def test_not_numbers(value: Any) -> None:
    assert "'timeout' must be a number" in refusal(
        BASH, json.dumps({"command": "", "timeout": value})
    )


def test_numbers_of_any_size_do_not_break_it() -> None:
    assert parse(tool(n={"type": "number"}), json.dumps({"n": 10**400})) == {"n": 10**400}
    assert parse(tool(n={"type": "number"}), '{"n": "2.5"}') == {"n": 2.5}


def test_booleans() -> None:
    spec = tool(b={"type": "boolean"})
    assert parse(spec, '{"b": "True"}') == {"b": True}
    assert parse(spec, '{"b": false}') == {"b": False}
    assert "'b' must be true or false, not a number (1)" in refusal(spec, '{"b": 1}')


def test_strings_take_what_has_one_spelling() -> None:
    spec = tool(s={"type": "string"})
    assert parse(spec, '{"s": 10}') == {"s": "10"}
    assert parse(spec, '{"s": true}') == {"s": "true"}
    assert "'s' must be a string (put it in quotes), not a number (1.1)" in refusal(
        spec, '{"s": 1.10}'
    )
    assert "not an object" in refusal(spec, '{"s": {"a": 1}}')


def test_choices() -> None:
    assert parse(BASH, '{"command": "y", "is_input": true}')["is_input"] == "true"
    assert parse(BASH, '{"command": "y", "is_input": " FALSE"}')["is_input"] == "false"
    text = refusal(EDITOR, '{"command": "str_replce", "path": "/a"}')
    assert "'command' cannot be 'str_replce'; did you mean 'str_replace'?" in text


def test_lists_and_objects_inside_strings() -> None:
    text = '{"command": "view", "path": "/a", "view_range": "[\\"1\\", 20]"}'
    assert parse(EDITOR, text)["view_range"] == [1, 20]
    step = {"id": 1, "title": "t", "status": "Done"}
    found = parse(TASKS, json.dumps({"command": "plan", "task_list": [json.dumps(step)]}))
    assert found["task_list"] == [{"id": "1", "title": "t", "status": "done"}]


def test_errors_inside_lists_name_the_place() -> None:
    text = json.dumps({"command": "plan", "task_list": [{"id": "1", "titel": "t"}]})
    assert "unknown argument 'task_list[0].titel'; did you mean 'title'?" in refusal(TASKS, text)
    text = json.dumps({"command": "plan", "task_list": [{"id": "1", "title": "t"}]})
    assert "missing argument 'task_list[0].status'." in refusal(TASKS, text)
    text = json.dumps({"command": "view", "path": "/a", "view_range": [1, "x"]})
    assert "'view_range[1]' must be a whole number, not a string ('x')" in refusal(EDITOR, text)
    text = json.dumps({"command": "view", "path": "/a", "view_range": "1-20"})
    assert "'view_range' must be an array, not a string ('1-20')" in refusal(EDITOR, text)


def test_an_unknown_argument_is_named_with_the_nearest_and_the_expected() -> None:
    assert refusal(BASH, '{"comand": "ls"}') == (
        "execute_bash: unknown argument 'comand'; did you mean 'command'?\n"
        'It takes a JSON object with: command (string, required), is_input ("true" | "false"), '
        "timeout (number)."
    )


def test_missing_arguments_are_all_named() -> None:
    assert refusal(EDITOR, "{}").startswith(
        "str_replace_editor: missing arguments 'command', 'path'.\n"
    )
    assert refusal(finish.SPEC, "").startswith("finish: missing argument 'message'.\n")


def test_malformed_json_is_placed() -> None:
    text = refusal(BASH, '{"command": "echo "hi""}')
    assert text.startswith(
        "execute_bash: the arguments are not valid JSON: Expecting ',' delimiter at line 1, "
        'column 20 (character 19 of 24): after \'{"command": "echo "\' comes \'hi""}\'.\n'
    )
    assert "the text ends too early, at line 1, column 13" in refusal(BASH, '{"command": ')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["ls"]', "must be a JSON object, not an array."),
        ("7", "must be a JSON object, not a number."),
        ('{"command": "a", "command": "b"}', "'command' is given twice with different values"),
        ('{"command": "a", "timeout": NaN}', "NaN is not a JSON number"),
        ("[" * 100_000, "it is nested too deeply"),
        ("{'command': {1: 2}}", "not valid JSON"),
        ('{"timeout": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, expected: str) -> None:
    assert expected in refusal(BASH, text)


def test_half_a_surrogate_pair_is_refused_wherever_it_stands() -> None:
    assert "'command' holds half of a surrogate pair at character 1" in refusal(
        BASH, '{"command": "a\\ud800"}'
    )
    assert parse(BASH, '{"command": "\\ud83d\\ude00"}') == {"command": "\U0001f600"}
    refusal(BASH, '{"\\ud800": 1}').encode()


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        found = parse(BASH, text)
    except BadArguments as error:
        str(error).encode()
    else:
        assert isinstance(found["command"], str)


@given(st.text(), st.floats(0, 1e9))
def test_every_valid_object_comes_back(command: str, timeout: float) -> None:
    given_ = {"command": command, "timeout": timeout}
    for ascii_ in (True, False):
        assert parse(BASH, json.dumps(given_, ensure_ascii=ascii_)) == given_
