"""Sections that a condenser names are read as strictly as those chosen on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.config.test_loader import loaded, refused
from velora.config.digest import defining, digest
from velora.config.masking import masked
from velora.config.redact import Redactor
from velora.config.settings import LLMSettings, Settings

SMALL = """
[llm]
model = "openai/big"
base_url = "http://localhost:1/v1"
temperature = 0.5

[llm.small]
model = "openai/small"
api_key_env = "SMALL_KEY"
rpm = 5
"""
NOTES = '[condenser.notes]\ntype = "llm"\nllm_config = "llm.small"\nmax_size = 40\n'
PIPELINE = '[condenser.both]\ntype = "pipeline"\ncondensers = ["mask", "notes"]\n'
MASK = '[condenser.mask]\ntype = "observation_masking"\nattention_window = 10\n'


def test_the_model_of_summaries_is_resolved_with_its_key(tmp_path: Path) -> None:
    found = loaded(tmp_path, SMALL + NOTES, condenser="notes", env={"SMALL_KEY": "sk-small-key-1"})
    settings = found.settings
    assert settings.condenser.llm_config == "small"
    small = settings.condenser_llms["small"]
    assert (small.model, small.temperature) == ("openai/small", 0.5)
    assert small.api_key == SecretStr("sk-small-key-1")
    assert "sk-small" not in str(masked(settings))
    assert Redactor.of(settings, {}).redact("sk-small-key-1") == "**********"


def test_a_section_that_nobody_uses_may_lack_its_key(tmp_path: Path) -> None:
    assert loaded(tmp_path, SMALL + NOTES).settings.condenser_llms == {}


def test_a_pipeline_brings_its_sections_and_their_models(tmp_path: Path) -> None:
    text = SMALL + NOTES + PIPELINE + MASK
    found = loaded(tmp_path, text, condenser="both", env={"SMALL_KEY": "sk-small-key-1"})
    assert found.settings.condenser.condensers == ("mask", "notes")
    assert list(found.settings.condensers) == ["mask", "notes"]
    assert found.settings.condensers["mask"].attention_window == 10
    assert list(found.settings.condenser_llms) == ["small"]


def test_the_base_section_may_write_summaries(tmp_path: Path) -> None:
    text = SMALL + '[condenser]\ntype = "llm"\nllm_config = "llm"\n'
    settings = loaded(tmp_path, text, llm="small", env={"SMALL_KEY": "k"}).settings
    assert settings.condenser_llms["llm"].model == "openai/big"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[condenser.x]\ntype = "llm"\nllm_config = "smal"\n',
            ":13: [condenser.x]: no section [llm.smal]\n  did you mean 'small'?",
        ),
        (
            '[condenser.x]\ntype = "llm"\nllm_config = "small"\n',
            "[llm.small]: api_key_env: environment variable SMALL_KEY is not set",
        ),
        (
            '[condenser.x]\ntype = "pipeline"\ncondensers = ["nots"]\n' + NOTES,
            ":13: [condenser.x]: no section [condenser.nots]\n  did you mean 'notes'?",
        ),
        ('[condenser.x]\ntype = "pipeline"\n', "a pipeline needs condensers"),
        (
            '[condenser.x]\ntype = "pipeline"\ncondensers = ["y"]\n'
            '[condenser.y]\ntype = "pipeline"\ncondensers = ["x"]\n',
            "a pipeline contains itself: x → y → x",
        ),
        (
            '[condenser.x]\ntype = "pipeline"\ncondensers = ["condenser"]\n',
            "a pipeline is made of [condenser.NAME] sections",
        ),
        (
            '[condenser.x]\ntype = "pipeline"\ncondensers = ["y"]\n[condenser.y]\ntype = "reecnt"',
            ":15: [condenser.y]: type must be one of",
        ),
        ('[condenser.x]\ntype = "amortized"\n', "no condenser 'amortized' here; 'recent' comes"),
        ('[condenser.x]\ntype = "structured"\n', "'structured' here; 'llm' comes nearest"),
        ('[condenser.x]\ntype = "llm_attention"\n', "'llm_attention' here; 'llm' comes nearest"),
        (
            '[condenser.x]\ntype = "browser_output_masking"\n',
            "'browser_output_masking' here; 'observation_masking' comes nearest",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, SMALL + text, condenser="x")


def test_a_model_that_is_not_named(tmp_path: Path) -> None:
    text = '[llm.a]\nmodel = "gpt-4o"\n[llm.b]\nseed = 1\n'
    text += '[condenser]\ntype = "llm"\nllm_config = "b"\n'
    assert "config.toml:7: [condenser]: [llm.b] names no model" in refused(
        tmp_path, text, llm="a", env={"OPENAI_API_KEY": "k"}
    )


def test_conversation_window_is_taken_as_recent_and_said(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[condenser]\ntype = "conversation_window"\n')
    assert found.settings.condenser.type == "recent"
    assert found.notices == ('[condenser] type = "conversation_window" is taken as "recent"',)


def test_a_summing_models_limits_and_keys_define_no_attempt() -> None:
    def with_small(**values: object) -> Settings:
        small = LLMSettings(model="openai/small").model_copy(update=values)
        return Settings(condenser_llms={"small.v1": small})

    assert digest(with_small()) == digest(with_small(rpm=3, api_key=SecretStr("k"), num_retries=1))
    assert digest(with_small()) != digest(with_small(temperature=0.0))
    assert digest(with_small()) != digest(Settings())
    assert not any("condens" in name for name in defining(masked(Settings())) if "." not in name)
