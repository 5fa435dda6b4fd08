"""From `[llm.NAME]` to a model, with everything checked that can be checked before a run starts.

`scripted:FILE.yaml` plays a script, `replay:EVENTS.jsonl` a recorded attempt; any other name is a
provider's model, which `llm.routes` finds the way to.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.journal.messages import Usage
from velora.llm.deferred import Deferred
from velora.llm.ledger import Ledger
from velora.llm.limits import context_window
from velora.llm.protocol import Model
from velora.llm.routes import MODULES, check_key, constructor, route

SCRIPTED = "scripted:"
REPLAY = "replay:"


def build(
    settings: LLMSettings,
    *,
    budget: float | None = None,
    ledger: Ledger | None = None,
    where: str = "[llm]",
) -> Model:
    """The model that the settings describe; one object serves a whole run.

    Quick: what a provider's model takes to import is imported at the first call, or by `preload`.

    Args:
        settings: with the API key resolved (`velora.config.loader`).
        budget: the smallest cap in US dollars; a model without a known price is refused.
        ledger: what a run may spend; shared by all of its models.
        where: the settings' place in error messages.

    Raises:
        UsageError: no such file, an unknown provider, no API key, half a price, no price.
    """
    if settings.model.startswith(SCRIPTED):
        from velora.llm.scripted import ScriptedModel

        return ScriptedModel.from_file(Path(settings.model.removeprefix(SCRIPTED)))
    if settings.model.startswith(REPLAY):
        from velora.llm.replay import ReplayModel

        return ReplayModel.from_file(Path(settings.model.removeprefix(REPLAY)))
    found = route(settings, where)
    model = found.model
    check_key(found, where)
    _check_price(found.settings, model, budget, where)

    def make() -> Model:
        preload(settings)
        from velora.llm.endpoint import EndpointModel
        from velora.llm.text_calls.backend import TextCalls, mode_of

        mode = mode_of(settings.native_tool_calling, model)
        backends = [TextCalls(one, mode) for one in found.backends()]
        return EndpointModel(found.settings, model, backends, ledger)

    return Deferred(model, make, settings.max_input_tokens or context_window(model))


def preload(settings: LLMSettings) -> None:
    """Import what the first call will need; for a thread, while the first container starts.

    Takes two seconds of CPU for a model behind HTTP and next to nothing for the others. Without
    it the first call does the same.
    """
    if settings.model.startswith((SCRIPTED, REPLAY)):
        return
    api = route(settings).api
    if MODULES[api] in sys.modules:
        return
    # Importing makes 400,000 objects that stay: collecting while they come takes a tenth of the
    # time, and each full collection later on would walk through them again, for 0.1 s.
    enabled = gc.isenabled()
    gc.disable()
    try:
        import genai_prices.data_snapshot

        constructor(api)
        genai_prices.data_snapshot.get_snapshot()
        gc.freeze()
    finally:
        if enabled:
            gc.enable()


def _check_price(settings: LLMSettings, model: str, budget: float | None, where: str) -> None:
    given = settings.input_cost_per_token, settings.output_cost_per_token
    if (given[0] is None) != (given[1] is None):
        message = "input_cost_per_token and output_cost_per_token go together"
        raise UsageError(message, where=where, hint="set both or neither")
    cached = settings.cache_read_input_token_cost, settings.cache_creation_input_token_cost
    if given == (None, None) and cached != (None, None):
        message = "prices of cached tokens need input_cost_per_token and output_cost_per_token"
        raise UsageError(message, where=where, hint="set all of them, or none")
    if budget is None:
        return
    from velora.llm.cost import price

    if price(Usage(prompt=1, completion=1), model, settings) is None:
        hint = "set input_cost_per_token and output_cost_per_token, or leave out the budget"
        raise UsageError(
            f"a budget is set, but the price of {model} is unknown", where=where, hint=hint
        )
