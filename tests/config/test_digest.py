from typing import Any

import pytest
from pydantic import SecretStr

from velora.config.digest import NOT_DEFINING, defining, differences, digest
from velora.config.masking import masked
from velora.config.settings import LLMSettings, Settings


def changed(section: str, **values: Any) -> Settings:
    part = getattr(Settings(), section).model_copy(update=values)
    return Settings().model_copy(update={section: part})


@pytest.mark.parametrize(
    "same",
    [
        changed("llm", api_key=SecretStr("other"), num_retries=1, log_completions=False),
        changed("run", num_workers=16, max_retries=0, attempts=8),
        changed("sandbox", keep_runtime_alive=True, start_timeout=5.0),
        changed("evaluation", timeout=5.0),
    ],
)
def test_what_does_not_define_an_attempt(same: Settings) -> None:
    assert digest(same) == digest(Settings())
    assert differences(masked(Settings()), masked(same)) == ()


@pytest.mark.parametrize(
    "other",
    [
        changed("llm", model="gpt-4o"),
        changed("llm", temperature=0.0),
        changed("llm", completion_kwargs={"x": 1}),
        changed("core", max_iterations=3),
        changed("run", max_budget_per_task=1.0),
        changed("sandbox", memory="1g"),
        changed("agent", enable_think=False),
    ],
)
def test_what_does(other: Settings) -> None:
    assert digest(other) != digest(Settings())
    assert len(differences(masked(Settings()), masked(other))) == 1


def test_a_key_set_or_not_is_one_configuration() -> None:
    assert digest(Settings(llm=LLMSettings(api_key=SecretStr("k" * 20)))) == digest(Settings())


def test_more_counts() -> None:
    assert digest(Settings(), {"prompt": "1"}) != digest(Settings(), {"prompt": "2"})


def test_differences_are_named() -> None:
    old = masked(changed("core", max_iterations=300))
    new = masked(changed("core", max_iterations=100))
    new["llm"]["model"] = "gpt-4o"
    del new["sandbox"]["memory"]
    assert differences(old, new) == (
        "core.max_iterations: 300 → 100",
        'llm.model: "" → "gpt-4o"',
        'sandbox.memory: "8g" → (unset)',
    )


def test_every_name_left_out_exists() -> None:
    known = set(Settings.model_fields)
    for kind, part in Settings():
        if hasattr(part, "model_fields_set"):
            known |= {f"{kind}.{key}" for key in type(part).model_fields}
    assert known >= NOT_DEFINING
    assert not defining(masked(Settings())).keys() & NOT_DEFINING
