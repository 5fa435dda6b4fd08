"""The two texts that open a conversation, rendered from Jinja2 templates.

The built-in templates lie in `prompts/` beside this module; a user's file may stand in for either.
A template sees plain values only, each listed in `TASK_NAMES` or `SYSTEM_NAMES`, so nothing of the
row but what is listed there can reach the model. Values are never read as templates.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from velora.agent.kinds import AGENTS, CODEACT, Kind
from velora.config.settings import AgentSettings
from velora.errors import UsageError, nearest
from velora.instances.model import Instance
from velora.tools.build import enabled

if TYPE_CHECKING:
    from jinja2 import Environment

SYSTEM_NAMES = ("tools",)
"""Placeholders of a system prompt, which is the same for all tasks: the tools' names."""
TASK_NAMES = (
    "base_commit",
    "hints_text",
    "instance_id",
    "language",
    "may_add_tests",
    "problem_statement",
    "repo",
    "reproduce",
    "single_test",
    "version",
    "workdir",
)
"""Placeholders of a task prompt. `hints_text` is empty unless hints were asked for."""


@dataclass(frozen=True, slots=True)
class LanguageFacts:
    """What a task prompt says of the repository's language.

    Attributes:
        name: as it is written in a sentence, `Python` or `C++`; "" where it is not known.
        reproduce: follows the words "run it with", as `python reproduce.py`; "" where not known.
        single_test: runs one test, with NAME for its name; "" where not known.
        may_add_tests: False tells the agent to leave test files alone.
    """

    name: str = ""
    reproduce: str = ""
    single_test: str = ""
    may_add_tests: bool = True


def render_system(settings: AgentSettings, kind: Kind = AGENTS[CODEACT]) -> str:
    """The system prompt: the same for every task, so that providers can cache it.

    Raises:
        UsageError: the template cannot be read, is malformed or has an unknown placeholder.
    """
    tools = enabled(settings, kind.tools)
    return _render(kind.system, settings.system_prompt_filename, {"tools": tools})


def render_instruction(
    *,
    instance: Instance,
    workdir: str,
    language: LanguageFacts,
    hints: bool,
    template: Path | str | None = None,
    kind: Kind = AGENTS[CODEACT],
) -> str:
    """The task prompt: the issue's text, verbatim, and what is to be done about it.

    Args:
        hints: put the row's `hints_text` in.
        template: a file in place of the built-in one; "" and None mean the built-in one.

    Raises:
        UsageError: the template cannot be read, is malformed or has an unknown placeholder.
    """
    values = {
        "base_commit": instance.base_commit,
        "hints_text": instance.hints_text if hints else "",
        "instance_id": instance.instance_id,
        "language": language.name,
        "may_add_tests": language.may_add_tests,
        "problem_statement": instance.problem_statement,
        "repo": instance.repo,
        "single_test": language.single_test,
        "reproduce": language.reproduce,
        "version": instance.version,
        "workdir": workdir,
    }
    return _render(kind.task, template, values)


def _render(builtin: str, chosen: Path | str | None, values: dict[str, Any]) -> str:
    import jinja2

    template = Path(chosen) if chosen else None
    source = _source(builtin, template)
    name = str(template) if template else builtin
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        loader=jinja2.FileSystemLoader(template.parent) if template else None,
    )
    try:
        _check_names(environment, source, name, values)
        code = environment.compile(source, name, name)
        return jinja2.Template.from_code(environment, code, {}).render(values)
    except jinja2.TemplateSyntaxError as error:
        where = f"{error.filename or error.name or name}:{error.lineno}"
        raise UsageError(f"malformed template: {error.message}", where=where) from None
    except jinja2.TemplateNotFound as error:
        raise UsageError(f"it includes {error.name}, which is not beside it", where=name) from None
    except jinja2.UndefinedError as error:
        hint = f"known: {', '.join(sorted(values))}"
        message = f"unknown placeholder: {error.message}"
        raise UsageError(message, where=_place(error, name), hint=hint) from None


def _source(builtin: str, template: Path | None) -> str:
    if template is None:
        return resources.files("velora.agent").joinpath("prompts", builtin).read_text("utf-8")
    try:
        return template.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"cannot read the template: {error.strerror}", where=str(template)
        ) from None
    except UnicodeDecodeError as error:
        message = f"the template is not UTF-8: byte {error.start} is {error.object[error.start]:#x}"
        raise UsageError(message, where=str(template)) from None


def _check_names(environment: Environment, source: str, name: str, values: dict[str, Any]) -> None:
    """Refuse a placeholder that nobody fills, also where this row would not come by it."""
    from jinja2 import meta, nodes

    tree = environment.parse(source, name, name)
    unknown = meta.find_undeclared_variables(tree) - values.keys()
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            known = f"known: {', '.join(sorted(values))}"
            close = nearest(node.name, values)
            raise UsageError(
                f"unknown placeholder '{node.name}'",
                where=f"{name}:{node.lineno}",
                hint=known if close.startswith("known") else f"{close} {known}",
            )


def _place(error: BaseException, name: str) -> str:
    """File and line of the innermost template frame; Jinja2 puts them into the traceback."""
    folder = Path(name).parent
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent == folder]
    return f"{inside[-1].filename}:{inside[-1].lineno}" if inside else name
