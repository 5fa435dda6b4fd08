"""From settings to the condenser of a run."""

from __future__ import annotations

from velora.agent.memory.llm import Summary
from velora.agent.memory.masking import ObservationMasking
from velora.agent.memory.noop import Noop
from velora.agent.memory.pipeline import Pipeline
from velora.agent.memory.protocol import Condenser
from velora.agent.memory.recent import Recent
from velora.config.settings import CondenserSettings, Settings
from velora.errors import UsageError
from velora.llm import factory
from velora.llm.ledger import Ledger


def build(settings: Settings, ledger: Ledger | None = None) -> Condenser:
    """The condenser that the settings describe; one object serves all attempts of a run.

    Models that write summaries are made here, and closed with the condenser.

    Args:
        settings: the run's.
        ledger: the run's money, which those models spend as well.

    Raises:
        UsageError: settings that contradict each other, or a model that cannot be made.
    """
    return _build(settings.condenser, settings.condenser_name, settings, ledger)


def _build(
    own: CondenserSettings, name: str, settings: Settings, ledger: Ledger | None
) -> Condenser:
    where = f"[condenser.{name}]" if name else "[condenser]"
    match own.type:
        case "noop":
            return Noop()
        case "recent":
            if own.keep_first >= own.max_events:
                raise _no_room(where, "keep_first", own.keep_first, "max_events", own.max_events)
            return Recent(own)
        case "observation_masking":
            return ObservationMasking(own)
        case "llm":
            if own.keep_first >= own.max_size // 2:
                half = "half of max_size"
                raise _no_room(where, "keep_first", own.keep_first, half, own.max_size // 2)
            if not own.llm_config:
                return Summary(own)
            budget = settings.run.smallest_budget
            other = settings.condenser_llms[own.llm_config]
            place = "[llm]" if own.llm_config == "llm" else f"[llm.{own.llm_config}]"
            return Summary(own, factory.build(other, budget=budget, ledger=ledger, where=place))
        case "pipeline":
            stages = ((one, settings.condensers[one]) for one in own.condensers)
            return Pipeline([_build(stage, one, settings, ledger) for one, stage in stages])


def _no_room(where: str, key: str, value: int, other: str, least: int) -> UsageError:
    message = f"{key} = {value} leaves no room: it must be less than {other}, which is {least}"
    return UsageError(message, where=where)
