"""What Claude models take, whichever API serves them: thinking, sampling, names of calls.

A thinking model refuses most sampling settings, a budget has to leave room for the answer, and a
turn that calls tools has to begin with the thoughts that it began with. What the settings ask for
beyond that is left out, with a notice, so that no request is refused for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ThinkingPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.profiles.anthropic import ANTHROPIC_THINKING_BUDGET_MAP
from pydantic_ai.settings import ThinkingEffort

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.llm.backend import Options
from velora.llm.convert import Reader
from velora.llm.limits import output_limit

Notice = tuple[str, str, dict[str, Any]]

LEAST_BUDGET = 1024
"""Tokens of thinking that the API takes at least."""
INTERLEAVED = "interleaved-thinking-2025-05-14"
"""The beta in which a model with a thinking budget also thinks between tool calls."""
BINDING = "thinking-binding-controls-2026-08-01"
"""The beta in which a request says what becomes of thoughts that are bound to another history."""
DROP_UNBOUND = {"block_binding": {"prefix_mismatch_behavior": "drop_block"}}
MODERATE = 16_384
"""Tokens of an answer that no agent's step should need more of."""
MESSAGE_MARKS = 2
"""Cache breakpoints in messages; with those after the tools and the system prompt the limit of 4
stays unused by one."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_THOUGHTLESS = re.compile(r"claude-(?:instant|v?2|3-5|3-(?:opus|sonnet|haiku))")
_INTERLEAVES = re.compile(r"claude-(?:opus|sonnet|haiku)-4")
_ONE_SAMPLING = re.compile(r"claude-(?:opus-4-[1-6]|(?:sonnet|haiku)-4-[5-6])(?:\D|$)")
"""Models that take a temperature or a top_p, not both."""


def reader(api: str, model: str, settings: LLMSettings) -> Reader:
    """What both of Claude's APIs take of a history."""
    return Reader(
        f"{api}/{model}",
        call_id=_ID,
        images="none" if settings.disable_vision else "result",
        tool_name=_NO_NAME,
        solid=True,
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings come to for one model.

    Attributes:
        thinking: the API's `thinking` object; None leaves the model as it is.
        effort: pydantic-ai's level of thinking for a model that decides its budget itself; False
            switches thinking off.
        thinks: the model thinks in these requests.
        sampling: `temperature`, `top_p` and `top_k` as far as they are sent.
        body: further fields of the request.
        notices: what is not sent, and why.
    """

    thinking: Mapping[str, Any] | None = None
    effort: ThinkingEffort | bool | None = None
    thinks: bool = False
    sampling: Mapping[str, float] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    @property
    def budget(self) -> int | None:
        """Tokens of thinking; None where the model decides."""
        if self.thinking and self.thinking["type"] == "enabled":
            return int(self.thinking["budget_tokens"])
        return None


def plan(settings: LLMSettings, model: str, profile: ModelProfile) -> Plan:
    """What is sent to a model.

    Args:
        model: its name as Anthropic's, without any prefix of another host.
        profile: pydantic-ai's for it.

    Raises:
        UsageError: `thinking` or `reasoning_effort` is not built as it must be.
    """
    body = dict(settings.completion_kwargs)
    found = _thinking(settings, body.pop("thinking", None), model, profile)
    dropped = _sampling_refused(settings, model, found.thinks, profile)
    sampling = {
        key: value
        for key in ("temperature", "top_p", "top_k")
        if (value := getattr(settings, key)) is not None and key not in dropped
    }
    notices = list(found.notices)
    if dropped:
        text = f"{' and '.join(dropped)} not sent: {model} refuses it"
        text += " while it thinks" if found.thinks else ""
        notices.append(("sampling_not_sent", text, {"settings": list(dropped)}))
    return replace(found, sampling=sampling, body=body, notices=tuple(notices))


def _thinking(settings: LLMSettings, asked: Any, model: str, profile: ModelProfile) -> Plan:
    """The part of a plan that is about thinking."""
    profile_says = cast("Mapping[str, Any]", profile)
    adaptive = bool(profile_says.get("anthropic_supports_adaptive_thinking"))
    by_itself = bool(profile_says.get("thinking_enabled_by_default"))
    effort = settings.reasoning_effort
    if asked is not None:
        return _asked(asked, model, profile_says)
    if not effort:
        return Plan(thinks=by_itself)
    if effort == "none":
        return Plan(effort=False, thinks=bool(profile_says.get("thinking_always_enabled")))
    if effort not in get_args(ThinkingEffort):
        known = ", ".join((*get_args(ThinkingEffort), "none"))
        message = f"reasoning_effort '{effort}' is unknown"
        raise UsageError(message, where="[llm]", hint=f"one of {known}")
    if _THOUGHTLESS.match(model):
        text = f"reasoning_effort is not sent: {model} does not think"
        return Plan(notices=(("reasoning_effort_not_sent", text, {"effort": effort}),))
    if adaptive:
        return Plan(effort=cast("ThinkingEffort", effort), thinks=True)
    budget = ANTHROPIC_THINKING_BUDGET_MAP[cast("ThinkingEffort", effort)]
    return Plan(thinking={"type": "enabled", "budget_tokens": budget}, thinks=True)


def _asked(asked: Any, model: str, profile: Mapping[str, Any]) -> Plan:
    """For `completion_kwargs = {thinking = {...}}`."""
    place = "completion_kwargs.thinking"
    kind = asked.get("type") if isinstance(asked, dict) else None
    if kind not in ("enabled", "adaptive", "disabled", "between_tools"):
        hint = '{type = "enabled", budget_tokens = 10000}, {type = "adaptive"} or "disabled"'
        raise UsageError(f"{place} is {asked!r}", where="[llm]", hint=hint)
    budget = asked.get("budget_tokens")
    if kind == "enabled":
        if not isinstance(budget, int) or budget < LEAST_BUDGET:
            hint = f"a whole number of tokens, {LEAST_BUDGET} at least"
            raise UsageError(f"{place}.budget_tokens is {budget!r}", where="[llm]", hint=hint)
        if profile.get("anthropic_disallows_budget_thinking"):
            text = f"{model} decides its own thinking budget; budget_tokens is not sent"
            notice = ("thinking_budget_not_sent", text, {"budget_tokens": budget})
            return Plan(thinking={"type": "adaptive"}, thinks=True, notices=(notice,))
    return Plan(thinking=asked, thinks=kind in ("enabled", "adaptive"))


def _sampling_refused(
    settings: LLMSettings, model: str, thinks: bool, profile: ModelProfile
) -> tuple[str, ...]:
    given = [key for key in ("temperature", "top_p", "top_k") if getattr(settings, key) is not None]
    refused: list[str] = []
    if cast("Mapping[str, Any]", profile).get("anthropic_disallows_sampling_settings"):
        refused = given
    elif thinks:
        # Documented for thinking: no temperature but 1, top_p from 0.95 on, no top_k.
        allowed = {
            "temperature": settings.temperature == 1,
            "top_p": settings.top_p is not None and 0.95 <= settings.top_p <= 1,
        }
        refused = [key for key in given if not allowed.get(key, False)]
    left = [key for key in given if key not in refused]
    if "temperature" in left and "top_p" in left and _ONE_SAMPLING.match(model):
        refused.append("top_p")
    if settings.seed is not None:
        refused.append("seed")
    return tuple(refused)


def interleaves(model: str) -> bool:
    """Whether a model needs the beta to think between tool calls."""
    return bool(_INTERLEAVES.match(model))


def fitting_budget(budget: int, max_tokens: int | None) -> int:
    """The budget that leaves room for an answer of `max_tokens`, thoughts included; 0 for none."""
    if max_tokens is None or budget <= max_tokens // 2:
        return budget
    fitting = min(budget, max_tokens - min(4096, max_tokens // 2))
    return fitting if fitting >= LEAST_BUDGET else 0


def default_answer(model: str, budget: int | None, profile: ModelProfile) -> int:
    """The longest answer to ask for where nothing says it: the API wants to be told one.

    All that the model can, but for older ones: they refuse a prompt that leaves less than that.
    """
    says = cast("Mapping[str, Any]", profile)
    known = output_limit(model) or says.get("anthropic_max_output_tokens") or MODERATE
    older = says.get("anthropic_rejects_max_tokens_beyond_context_window")
    return max(min(known, MODERATE) if older else known, (budget or 0) + 4096)


def begins_with_thoughts(history: Sequence[ModelMessage]) -> bool:
    """Whether the turn that the next answer goes on with began with signed thoughts.

    With a thinking budget the API refuses a turn of calls and results that began otherwise, as one
    of another model did. A new turn, after the user's words, may always think. Whether words beside
    results begin a turn is not documented: after them thoughts are looked for, and before them.
    """
    first: ModelResponse | None = None
    for message in reversed(history):
        if isinstance(message, ModelResponse):
            first = message
        elif any(isinstance(part, UserPromptPart) for part in message.parts):
            if first is not None and not _is_thought_first(first):
                return False
            if not any(isinstance(part, ToolReturnPart) for part in message.parts):
                return True
    return first is None or _is_thought_first(first)


def _is_thought_first(response: ModelResponse) -> bool:
    head = response.parts[0] if response.parts else None
    return isinstance(head, ThinkingPart) and bool(head.signature)


def without_thoughts(history: Sequence[ModelMessage]) -> list[ModelMessage]:
    """A history for a request that does not think, which the API refuses to hold thoughts."""
    return [
        replace(message, parts=[one for one in message.parts if not isinstance(one, ThinkingPart)])
        if isinstance(message, ModelResponse)
        else message
        for message in history
    ]


class Thoughts:
    """What becomes of thinking in one request after another.

    Args:
        plan: the model's.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._told: set[str] = set()

    def fit(
        self, history: list[ModelMessage], options: Options
    ) -> tuple[list[ModelMessage], Mapping[str, Any] | None, tuple[Notice, ...]]:
        """The history and the `thinking` object of one request, and what is worth a note."""
        plan, most = self._plan, options.max_tokens
        if not plan.thinks:
            return without_thoughts(history), plan.thinking, ()
        if plan.budget is None:
            return history, plan.thinking, ()
        budget = fitting_budget(plan.budget, most)
        why = f"max_tokens = {most} leaves no room for it"
        if budget and not begins_with_thoughts(history):
            budget, why = 0, "the turn under way began without signed thoughts"
        if budget:
            return history, {**(plan.thinking or {}), "budget_tokens": budget}, ()
        notes: tuple[Notice, ...] = ()
        if options.conversation not in self._told:
            self._told.add(options.conversation)
            notes = (("thinking_left_out", f"thinking is left out: {why}", {}),)
        return without_thoughts(history), None, notes


def last_of_user(roles: Sequence[str], most: int = MESSAGE_MARKS) -> list[int]:
    """The messages after which a cache breakpoint stands: the last ones of the user.

    The last is where this request writes; the one before is where the request before wrote, so
    that what it wrote is found however many blocks have come since.
    """
    users = [index for index, role in enumerate(roles) if role == "user"]
    return users[-most:]
