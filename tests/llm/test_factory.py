"""Which settings give which model, and what is refused before a run starts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.llm.conftest import START, TOOLS, Notes, settings
from tests.servers.openai import Server
from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.llm.factory import build, endpoint_model
from velora.llm.replay import ReplayModel
from velora.llm.scripted import ScriptedModel

LOCAL = "http://127.0.0.1:8000/v1"
KEY = SecretStr("sk-0123456789")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"model": "gpt-4o"}, "gpt-4o"),
        ({"model": "o3"}, "o3"),
        ({"model": "o4-mini-2025-04-16"}, "o4-mini-2025-04-16"),
        ({"model": "openai/gpt-5.2-codex"}, "gpt-5.2-codex"),
        ({"model": "openai/some-new-name"}, "some-new-name"),
        ({"model": "new", "custom_llm_provider": "openai"}, "new"),
        ({"model": "openai/Qwen/Qwen3", "base_url": LOCAL}, "Qwen/Qwen3"),
        ({"model": "litellm_proxy/claude", "base_url": LOCAL}, "claude"),
        ({"model": "anthropic/claude", "base_url": LOCAL}, "anthropic/claude"),
    ],
)
def test_the_name_that_the_endpoint_is_asked_for(changes: dict[str, Any], name: str) -> None:
    assert endpoint_model(LLMSettings(**changes)) == name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "no model is set"),
        ({"model": "anthropic/claude-opus-4-5"}, "'anthropic/claude-opus-4-5' is not served yet"),
        ({"model": "gemini/gemini-3-pro"}, "served are OpenAI's models"),
        ({"model": "openrouter/x"}, "set base_url"),
        ({"model": "x", "custom_llm_provider": "bedrock"}, "provider 'bedrock' is not served"),
        ({"model": "gpt-4o"}, "no API key for api.openai.com"),
        ({"model": "gpt-4o", "api_key_env": "MY_KEY"}, "environment variable MY_KEY"),
        ({"model": "x", "base_url": "https://llm.example/v1"}, "no API key for llm.example"),
        ({"model": "x", "base_url": "localhost:8000"}, "is no URL"),
        ({"model": "gpt-4o", "api_key": KEY, "input_cost_per_token": 1.0}, "go together"),
        ({"model": "scripted:absent.yaml"}, "cannot read the script"),
        ({"model": "replay:absent.jsonl"}, "cannot read the journal: No such file"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as error:
        build(LLMSettings(**changes), where="config.toml: [llm.gpt]")
    assert words in str(error.value)


def test_the_place_is_named() -> None:
    with pytest.raises(UsageError, match=r"^config.toml: \[llm.gpt\]: no API key"):
        build(LLMSettings(model="gpt-4o"), where="config.toml: [llm.gpt]")


async def test_a_budget_needs_a_price() -> None:
    with pytest.raises(UsageError, match="the price of mine is unknown"):
        build(LLMSettings(model="mine", base_url=LOCAL), budget=1.0)
    known = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
    for changes in ({"model": "mine", **known}, {"model": "gpt-4o"}):
        model = build(LLMSettings(base_url=LOCAL, **changes), budget=1.0)
        await model.close()


def test_scripts_and_journals(tmp_path: Path) -> None:
    script = tmp_path / "demo.yaml"
    script.write_text("turns:\n  - say: hi\n")
    model = build(LLMSettings(model=f"scripted:{script}"))
    assert isinstance(model, ScriptedModel)
    assert model.name == "scripted-demo"
    assert ReplayModel([]).name == "replay"


@pytest.mark.parametrize(
    ("use", "heavy"),
    [
        ("import velora.llm.factory", False),
        ("preload(LLMSettings(model='scripted:x.yaml'))", False),
        ("build(LLMSettings(model='gpt-4o', api_key='sk-0123456789'))", False),
        ("preload(LLMSettings(model='gpt-4o'))", True),
    ],
)
def test_heavy_libraries_are_imported_where_they_are_used(use: str, heavy: bool) -> None:
    source = (
        "import sys\n"
        "from velora.config.settings import LLMSettings\n"
        "from velora.llm.factory import build, preload\n"
        f"{use}\n"
        "print(sorted({'openai', 'pydantic_ai', 'genai_prices'} & sys.modules.keys()))\n"
    )
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(["genai_prices", "openai", "pydantic_ai"] if heavy else [])


async def test_a_model_is_made_once_by_the_first_call(server: Server, notes: Notes) -> None:
    model = build(settings(server.url))
    assert model.name == "gpt-4o"
    calls = (model.complete(START, TOOLS, note=notes) for _ in range(5))
    answers = await asyncio.gather(*calls)
    assert {one.message.content for one in answers} == {"I look."}
    await model.close()


async def test_a_model_that_was_never_called_closes(server: Server, notes: Notes) -> None:
    model = build(settings(server.url))
    await model.close()
    await model.close()
    with pytest.raises(RuntimeError, match="closed"):
        await model.complete(START, TOOLS, note=notes)
