from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.agent.kinds import kind_of
from velora.agent.prompts import TASK_NAMES, LanguageFacts, render_instruction, render_system
from velora.config.settings import AgentSettings
from velora.errors import UsageError
from velora.instances.model import Instance

PYTHON = LanguageFacts(name="Python", reproduce="python reproduce.py", may_add_tests=True)


def rendered(
    template: Path | None = None,
    *,
    issue: str = "It crashes.",
    hints: bool = False,
    language: LanguageFacts = PYTHON,
) -> str:
    instance = Instance(
        instance_id="a__b-1",
        problem_statement=issue,
        repo="a/b",
        base_commit="c0ffee",
        version="1.2",
        hints_text="Look at parse().",
        patch="GOLD PATCH",
        test_patches=("TEST PATCH",),
        fail_to_pass=("test_x",),
    )
    return render_instruction(
        instance=instance, workdir="/testbed", language=language, hints=hints, template=template
    )


def refused(template: Path) -> str:
    with pytest.raises(UsageError) as caught:
        rendered(template)
    return str(caught.value)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return tmp_path / "mine.j2"


def test_the_task_prompt_has_its_parts_in_order() -> None:
    text = rendered()
    parts = [
        "<uploaded_files>\n/testbed\n</uploaded_files>",
        "holds a Python repository",
        "<issue_description>\nIt crashes.\n</issue_description>",
        "Do not install",
        "You may add or adapt tests",
        "1. Explore",
        "2. Reproduce",
        "run it with python reproduce.py or the like",
        "3. Fix",
        "4. Run the reproduction again",
        "5. Think of edge cases",
        "6. Read the issue once more",
        "7. Run the tests",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_nothing_of_the_row_but_the_issue_gets_in() -> None:
    text = rendered(hints=True)
    assert "GOLD" not in text
    assert "TEST PATCH" not in text
    assert "test_x" not in text
    assert "GOLD" not in "".join(TASK_NAMES)


def test_hints_only_if_asked_for() -> None:
    assert "Look at parse()." not in rendered()
    assert "<hints>\nLook at parse().\n</hints>\n\nChange" in rendered(hints=True)


def test_languages_differ_in_what_they_say() -> None:
    text = rendered(language=LanguageFacts("Rust", "cargo run", may_add_tests=False))
    assert "holds a Rust repository" in text
    assert "Do not change test files" in text
    assert "You may add" not in text
    text = rendered(language=LanguageFacts())
    assert "holds a repository" in text
    assert "shows the problem, run it and see it fail" in text


@given(st.text())
def test_the_issue_is_verbatim(issue: str) -> None:
    text = rendered(issue=issue)
    assert f"<issue_description>\n{issue}\n</issue_description>\n\nChange" in text


def test_the_issue_is_no_template() -> None:
    issue = "{{ workdir }} {% if %} {# gone? #} {% raw %} <b>&amp;\r\n  # line"
    assert issue in rendered(issue=issue)


def test_a_users_template_has_the_documented_names(template: Path) -> None:
    template.write_text("".join(f"{name}={{{{ {name} }}}}\n" for name in TASK_NAMES))
    assert rendered(template, hints=True).splitlines() == [
        "base_commit=c0ffee",
        "hints_text=Look at parse().",
        "instance_id=a__b-1",
        "language=Python",
        "may_add_tests=True",
        "problem_statement=It crashes.",
        "repo=a/b",
        "reproduce=python reproduce.py",
        "single_test=",
        "version=1.2",
        "workdir=/testbed",
    ]


def test_a_users_template_may_include_its_neighbours(template: Path) -> None:
    template.write_text("{% include 'other.j2' %}!")
    template.with_name("other.j2").write_text("in {{ workdir }}")
    assert rendered(template) == "in /testbed!"


def test_an_unknown_placeholder_is_named_with_its_place(template: Path) -> None:
    template.write_text("ok {{ workdir }}\n\n{% if false %}{{ problem_statment }}{% endif %}\n")
    assert refused(template) == (
        f"{template}:3: unknown placeholder 'problem_statment'\n"
        f"  did you mean 'problem_statement'? known: {', '.join(TASK_NAMES)}"
    )


def test_the_row_itself_is_no_placeholder(template: Path) -> None:
    template.write_text("{{ instance.patch }}")
    assert f"{template}:1: unknown placeholder 'instance'" in refused(template)


def test_an_unknown_attribute_is_named_with_its_place(template: Path) -> None:
    template.write_text("a\n{{ workdir.name }}\n")
    text = refused(template)
    assert text.startswith(f"{template}:2: unknown placeholder: ")
    assert "known: base_commit, " in text


def test_an_unknown_placeholder_in_an_included_file_is_placed_there(template: Path) -> None:
    template.write_text("{% include 'other.j2' %}")
    other = template.with_name("other.j2")
    other.write_text("\n{{ workdire }}")
    assert refused(template).startswith(f"{other}:2: unknown placeholder: 'workdire'")


def test_a_malformed_template_is_placed(template: Path) -> None:
    template.write_text("a\n{% if %}\n")
    assert refused(template).startswith(f"{template}:2: malformed template: ")


def test_a_template_that_cannot_be_read(template: Path) -> None:
    assert refused(template) == f"{template}: cannot read the template: No such file or directory"
    template.write_bytes(b"caf\xe9")
    assert refused(template) == f"{template}: the template is not UTF-8: byte 3 is 0xe9"
    template.write_text("{% include 'gone.j2' %}")
    assert refused(template) == f"{template}: it includes gone.j2, which is not beside it"


def test_the_system_prompt_speaks_of_the_tools_on_offer_only(template: Path) -> None:
    text = render_system(AgentSettings())
    assert all(part in text for part in ("The shell", "The editor", "`task_tracker`", "`finish`"))
    bare = AgentSettings(
        enable_cmd=False, enable_editor=False, enable_plan_mode=False, enable_finish=False
    )
    text = render_system(bare)
    assert not any(part in text for part in ("The shell", "The editor", "task_tracker", "finish"))
    template.write_text("{{ tools | join(' ') }}")
    assert render_system(AgentSettings(system_prompt_filename=str(template))) == (
        "execute_bash str_replace_editor think task_tracker finish"
    )
    template.write_text("{{ workdir }}")
    with pytest.raises(UsageError, match=r"mine.j2:1: unknown placeholder 'workdir'\n  known: too"):
        render_system(AgentSettings(system_prompt_filename=str(template)))


def test_the_bash_agents_prompts_are_short() -> None:
    kind = kind_of("BashAgent")
    system = render_system(AgentSettings(), kind)
    assert "finish" in system
    assert "str_replace_editor" not in system
    assert len(system) < 500
    assert kind_of("CodeActAgent").tools is None
    with pytest.raises(UsageError, match="did you mean 'BashAgent'"):
        kind_of("BashAgnt")
