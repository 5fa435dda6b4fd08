"""`llm`: a model writes down what the older steps came to, and that stands for them.

An earlier summary is part of what the next one is made from. The call is paid like any other and
recorded in the event. Where the model gives no usable summary (it refuses, says nothing, or even a
short account is too long for it), the steps are left out with a remark that says so, and a note
goes into the journal.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

from velora.agent.memory.protocol import Need, Talk
from velora.agent.memory.rules import due
from velora.agent.memory.view import View
from velora.config.settings import CondenserSettings
from velora.errors import ContextOverflow, Refused
from velora.journal.conversation import clip, summary_request
from velora.journal.events import Condensed
from velora.journal.messages import Completion, Message
from velora.llm.protocol import SUMMARY, Model
from velora.llm.tokens import estimate

HEADING = "[Earlier steps are left out here. Notes on them:]\n\n"
_WORTH = 0.05  # of the limit: fewer tokens are not worth a paid call
_FULL = 0.8  # of the summing model's window, for its request
_SHORTEST = 200
_LONGEST_SUMMARY = 0.25  # of the limit
_CHARACTERS = 3  # of a token, about: a summary is cut by characters


class Summary:
    """Args:
    settings: `keep_first`, `max_size`, `max_event_length` and `trigger`.
    model: writes the summaries; None is the agent's own. It is closed with the condenser.
    """

    name = "llm"

    def __init__(self, settings: CondenserSettings, model: Model | None = None) -> None:
        self._settings = settings
        self._model = model
        self._prompt = instructions()

    def due(self, view: View) -> Need | None:
        """As many steps as allowed, or too many tokens."""
        too_many = view.steps_shown >= self._settings.max_size
        return due(view, too_many=too_many, trigger=self._settings.trigger)

    async def condense(self, view: View, need: Need, talk: Talk) -> Condensed | None:
        """Sum up the steps between the first and the last."""
        settings, limit = self._settings, view.limit
        kept = view.head(settings.keep_first)
        longest = int((limit or view.gauge.tokens) * _LONGEST_SUMMARY)
        room = None
        if need.target is not None:
            room = need.target - view.tokens_with(view.without(kept, len(view.messages)))
            longest = max(min(longest, need.target // 2), _SHORTEST)
            room -= min(longest, need.target // 4)
        start = view.tail(
            view.now, most=max(1, settings.max_size // 2 - settings.keep_first), tokens=room
        )
        if start <= max(kept, view.now.start):
            return None
        summed = range(max(kept, view.now.start), start)
        if need.reason == "tokens" and limit and view.tokens(summed, view.now) < _WORTH * limit:
            return None
        made = replace(view.without(kept, start), condenser=self.name, reason=need.reason)
        completion, excerpt = await self._ask(view, made, talk)
        told = completion is not None and completion.finish_reason != "content_filter"
        text = completion.message.content.strip() if completion and told else ""
        if completion:
            made = replace(made, completion=completion, request=self._prompt, excerpt=excerpt)
        if not text:
            text = "The model gave no summary of earlier steps; they are left out here without one."
            talk.note("summary_failed", text, {})
            return made
        return replace(made, summary=HEADING + clip(text, longest * _CHARACTERS))

    async def _ask(self, view: View, made: Condensed, talk: Talk) -> tuple[Completion | None, int]:
        """The summary, and the characters of each message that it was made from."""
        model = self._model or talk.model
        excerpt = self._settings.max_event_length
        key = f"{talk.conversation}{SUMMARY}" if talk.conversation else ""
        while True:
            request = self._request(view, made, excerpt)
            longer = excerpt > _SHORTEST
            tokens = view.gauge.ratio * estimate(request)
            if longer and model.window and tokens > _FULL * model.window:
                excerpt = max(excerpt // 2, _SHORTEST)
                continue
            try:
                answer = await model.complete(request, (), note=talk.note, conversation=key)
                return answer, excerpt
            except ContextOverflow:
                if not longer:
                    return None, excerpt
                excerpt = max(excerpt // 4, _SHORTEST)
            except Refused as refused:
                return refused.answer, excerpt

    def _request(self, view: View, made: Condensed, excerpt: int) -> list[Message]:
        return summary_request(
            view.messages,
            view.condensed,
            kept=made.kept,
            start=made.start,
            request=self._prompt,
            excerpt=excerpt,
        )

    async def close(self) -> None:
        """Close the model, unless it is the agent's."""
        if self._model is not None:
            await self._model.close()


def instructions() -> str:
    """What the summing model is told to do."""
    return resources.files("velora.agent").joinpath("prompts", "summary.txt").read_text("utf-8")
