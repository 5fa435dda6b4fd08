"""The YAML format: what it says, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from velora.errors import UsageError
from velora.llm.script import FINISHED, Call, Script, Turn, choose, load, parse

FULL = """\
scripts:
  - when: TypeError
    turns:
      - say: I look.
        reasoning: Where is it?
        calls:
          - tool: execute_bash
            arguments: {command: "ls -la", timeout: 1.5, is_input: "false"}
          - tool: finish
            arguments: '{"message": '
    finish: All done.
  - turns:
      - calls: [{tool: think}]
"""


def test_everything_that_a_script_may_say(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(FULL)
    first, second = load(path)
    command = Call("execute_bash", '{"command": "ls -la", "timeout": 1.5, "is_input": "false"}')
    calls = (command, Call("finish", '{"message": '))
    assert first == Script((Turn("I look.", "Where is it?", calls),), "All done.", "TypeError")
    assert second == Script((Turn(calls=(Call("think", "{}"),)),))
    assert choose((first, second), "a TypeError in parse()") is first
    assert choose((first, second), "something else") is second
    assert choose((first,), "something else") is None


def test_after_the_last_turn_it_finishes() -> None:
    script = Script((Turn("hi"),), finish="Bye.")
    assert script.turn(0, "") == Turn("hi")
    assert (
        script.turn(1, "")
        == script.turn(9, "")
        == Turn(calls=(Call("finish", '{"message": "Bye."}'),))
    )
    assert Script(()).turn(0, "").calls[0].arguments == f'{{"message": "{FINISHED}"}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("turns: [", "s.yaml: not YAML: "),
        ("- say: hi", "s.yaml: must be a mapping, not a list"),
        ("", "s.yaml: must be a mapping, not nothing"),
        ("finish: x", "s.yaml: either 'turns' or 'scripts' is needed"),
        ("turns: []\nscripts: []", "s.yaml: either 'turns' or 'scripts' is needed"),
        ("turn: []", "s.yaml: unknown key 'turn'\n  did you mean 'turns'?"),
        ("turns: hi", "s.yaml: 'turns' must be a list, not a text"),
        ("scripts: [{when: x}]", "s.yaml: script 1: 'turns' is missing"),
        ("turns: [{say: a}, {sya: b}]", "s.yaml: turn 2: unknown key 'sya'\n  did you mean 'say'?"),
        ("turns: [{say: yes}]", "s.yaml: turn 1: 'say' must be a text, not True\n  put quotes"),
        ("turns: [{}]", "s.yaml: turn 1: the turn says nothing and calls nothing"),
        ("turns: [{calls: [{tol: x}]}]", "s.yaml: turn 1, call 1: unknown key 'tol'"),
        ("turns: [{calls: [{arguments: {}}]}]", "s.yaml: turn 1, call 1: 'tool' is missing"),
        (
            "turns: [{calls: [{tool: a}, {tool: b, arguments: [1]}]}]",
            "s.yaml: turn 1, call 2: 'arguments' must be a mapping or a text, not a list",
        ),
        (
            "turns: [{calls: [{tool: a, arguments: {day: 2024-01-01}}]}]",
            "s.yaml: turn 1, call 1: 'arguments' holds what JSON cannot",
        ),
        (
            "scripts: [{turns: [{say: a}, {say: 1}]}]",
            "s.yaml: script 1: turn 2: 'say' must be a text, not 1",
        ),
        ("scripts: [{turns: []}]\nfinish: x", "s.yaml: 'finish' belongs into each script"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        load(path.relative_to(tmp_path))
    assert str(error.value).startswith(message)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the script: No such file"):
        load(tmp_path / "none.yaml")


def test_parse_names_its_source() -> None:
    with pytest.raises(UsageError, match=r"^demo: either"):
        parse({}, "demo")
