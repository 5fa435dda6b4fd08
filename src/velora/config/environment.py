"""VeloraHarness's environment variables: those that still mean something, and notices on the rest.

Its commands are started with half a dozen exported variables. Each is read here and nowhere else;
a flag on the command line stands above its variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from velora.errors import UsageError

_IMAGE = "the task image is used as it is"
_MONOLITH = "each instance runs in its own image"
_LOCAL = "tasks run on this machine's engine"

WITHOUT_EFFECT: dict[str, str] = {
    "ALLHANDS_API_KEY": _LOCAL,
    "DEBUG_RUNTIME": "no server runs in the container",
    "DEFAULT_REASONING_EFFORT_HIGH_THINKING_BUDGET": "completion_kwargs in [llm] sets it",
    "DOCKER_HOST_ADDR": "DOCKER_HOST names the engine",
    "EVAL_SKIP_MAXIMUM_RETRIES_EXCEEDED": "an instance whose retries are used up never stops the "
    "run, and is owed by the next one",
    "IMAGE_MAPPING_CSV": "mapping files are not offered so far",
    "INSTRUCTION_TEMPLATE_NAME": "instruction_template in [agent] names a file",
    "MONOLITH_IMAGE": _MONOLITH,
    "OH_RUNTIME_RUNTIME_IMAGE_REPO": _IMAGE,
    "OPENHANDS_FORCE_VISION": "no images are sent",
    "OPENHANDS_GIT_COMMIT": "the version is the package's",
    "PREFER_MONOLITH": _MONOLITH,
    "RUNTIME": "backend in [sandbox] says where tasks run",
    "RUNTIME_CONTAINER_IMAGE": _IMAGE,
    "RUNTIME_USERNAME": "commands run as the image's user, or as user in [sandbox]",
    "RUN_WITH_BROWSING": "there is no browser tool",
    "SANDBOX_REMOTE_RUNTIME_API_URL": _LOCAL,
    "SANDBOX_VOLUMES": "nothing of this machine is mounted into the container",
    "SANDBOX_VOLUME_OVERLAYS": "nothing of this machine is mounted into the container",
    "SKIP_VSCODE_BUILD": _IMAGE,
    "SU_TO_USER": "commands run as the image's user, or as user in [sandbox]",
    "SWELANCER_MONOLITH_IMAGE": _MONOLITH,
    "USE_MONOLITH_IMAGE": _MONOLITH,
    "USE_SWELANCER_MONOLITH": _MONOLITH,
}
"""Variables that are accepted and reported. One that is set to `false` asks for nothing."""

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"", "false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """What the environment asks for.

    Attributes:
        condenser: the `[condenser.NAME]` to use (`EVAL_CONDENSER`).
        skip_ids: ids to leave out (`SKIP_IDS`, separated by commas).
        use_hints: put the row's hints into the prompt (`USE_HINT_TEXT`); None where unset.
        language: for rows that name none (`LANGUAGE`).
        image_prefix: of computed image names (`EVAL_DOCKER_IMAGE_PREFIX`).
        notices: one sentence each, for the user.
    """

    condenser: str = ""
    skip_ids: tuple[str, ...] = ()
    use_hints: bool | None = None
    language: str = ""
    image_prefix: str = ""
    notices: tuple[str, ...] = field(default=())

    @property
    def overrides(self) -> dict[str, Any]:
        """The part that is settings, as `loader.load` takes it."""
        return {} if self.use_hints is None else {"run.use_hints": self.use_hints}


def from_environment(env: Mapping[str, str]) -> FromEnvironment:
    """Read VeloraHarness's variables.

    Raises:
        UsageError: a switch is neither true nor false.
    """
    notices: list[str] = []
    language = env.get("LANGUAGE", "").strip()
    if set(language) & set("_:."):
        language = ""  # gettext's variable of the same name: a locale, such as en_US:en
    if language:
        notices.append(f"LANGUAGE={language} is used for instances whose row names no language")
    if _switch(env, "USE_INSTANCE_IMAGE") is False:
        notices.append(
            "USE_INSTANCE_IMAGE=false is not offered: each instance runs in its own image"
        )
    notices += [
        f"{name} has no effect: {reason}"
        for name, reason in WITHOUT_EFFECT.items()
        if env.get(name, "").strip().lower() not in _FALSE
    ]
    ids = (one.strip() for one in env.get("SKIP_IDS", "").split(","))
    return FromEnvironment(
        condenser=env.get("EVAL_CONDENSER", "").strip(),
        skip_ids=tuple(one for one in ids if one),
        use_hints=_switch(env, "USE_HINT_TEXT"),
        language=language,
        image_prefix=env.get("EVAL_DOCKER_IMAGE_PREFIX", "").strip(),
        notices=tuple(notices),
    )


def _switch(env: Mapping[str, str], name: str) -> bool | None:
    if name not in env:
        return None
    text = env[name].strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False if text else None
    raise UsageError(
        f"'{env[name]}' is neither true nor false", where=name, hint="write true or false"
    )
