"""Which settings give which model, and what is refused before a run starts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from tests.llm.conftest import START, TOOLS, Notes, settings
from tests.servers.openai import Server
from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.llm.factory import build
from velora.llm.replay import ReplayModel
from velora.llm.routes import route
from velora.llm.script import Turn
from velora.llm.scripted import ScriptedModel

LOCAL = "http://127.0.0.1:8000/v1"
KEY = SecretStr("sk-0123456789")
CLAUDE = "https://api.anthropic.com"
AZURE = "https://mine.openai.azure.com"
BEDROCK = "us.anthropic.claude-x-v1:0"


@pytest.mark.parametrize(
    ("changes", "api", "name", "url"),
    [
        ({"model": "gpt-4o"}, "chat", "gpt-4o", ""),
        ({"model": "o3"}, "responses", "o3", ""),
        ({"model": "o3", "api_mode": "chat"}, "chat", "o3", ""),
        ({"model": "openai/gpt-5.2-codex"}, "responses", "gpt-5.2-codex", ""),
        ({"model": "openai/gpt-5", "base_url": LOCAL}, "chat", "gpt-5", LOCAL),
        ({"model": "x", "base_url": LOCAL, "api_mode": "responses"}, "responses", "x", LOCAL),
        ({"model": "openai/some-new-name"}, "chat", "some-new-name", ""),
        ({"model": "new", "custom_llm_provider": "openai"}, "chat", "new", ""),
        ({"model": "openai/Qwen/Qwen3", "base_url": LOCAL}, "chat", "Qwen/Qwen3", LOCAL),
        ({"model": "Qwen/Qwen3", "base_url": LOCAL}, "chat", "Qwen/Qwen3", LOCAL),
        ({"model": "google/gemma-3", "base_url": LOCAL}, "chat", "google/gemma-3", LOCAL),
        ({"model": "litellm_proxy/claude", "base_url": LOCAL}, "chat", "claude", LOCAL),
        ({"model": "hosted_vllm/Qwen/Qwen3", "base_url": LOCAL}, "chat", "Qwen/Qwen3", LOCAL),
        ({"model": "claude-opus-4-5"}, "anthropic", "claude-opus-4-5", CLAUDE),
        ({"model": "anthropic/claude-opus-4-5"}, "anthropic", "claude-opus-4-5", CLAUDE),
        ({"model": "anthropic/claude", "base_url": LOCAL}, "anthropic", "claude", LOCAL),
        ({"model": "kimi", "custom_llm_provider": "anthropic"}, "anthropic", "kimi", CLAUDE),
        ({"model": "gemini/gemini-3-pro"}, "google", "gemini-3-pro", ""),
        ({"model": "gemini-3-pro"}, "google", "gemini-3-pro", ""),
        ({"model": "google/gemini-3-pro"}, "google", "gemini-3-pro", ""),
        ({"model": "bedrock/us.anthropic.claude-x-v1:0"}, "bedrock", BEDROCK, ""),
        ({"model": BEDROCK, "custom_llm_provider": "bedrock"}, "bedrock", BEDROCK, ""),
        ({"model": "azure/my-gpt", "base_url": AZURE}, "chat", "my-gpt", AZURE),
        ({"model": "openrouter/openai/gpt-5"}, "chat", "openai/gpt-5", "openrouter.ai"),
        (
            {"model": "openai/gpt-5", "custom_llm_provider": "openrouter"},
            "chat",
            "openai/gpt-5",
            "openrouter.ai",
        ),
        ({"model": "deepseek/deepseek-chat"}, "chat", "deepseek-chat", "api.deepseek.com"),
        ({"model": "moonshot/kimi-k2-thinking"}, "chat", "kimi-k2-thinking", "moonshot.ai"),
        ({"model": "dashscope/qwen3-max"}, "chat", "qwen3-max", "aliyuncs.com"),
        ({"model": "together_ai/x/y"}, "chat", "x/y", "api.together.xyz"),
        ({"model": "fireworks_ai/accounts/x"}, "chat", "accounts/x", "api.fireworks.ai"),
        ({"model": "groq/openai/gpt-oss-20b"}, "chat", "openai/gpt-oss-20b", "api.groq.com"),
        ({"model": "mistral/devstral-medium"}, "chat", "devstral-medium", "api.mistral.ai"),
        ({"model": "xai/grok-4"}, "chat", "grok-4", "api.x.ai"),
        ({"model": "ollama/qwen3"}, "chat", "qwen3", "http://localhost:11434/v1"),
        (
            {"model": "ollama/qwen3", "base_url": "http://box:11434/"},
            "chat",
            "qwen3",
            "http://box:11434/v1",
        ),
    ],
)
def test_whose_model_it_is(changes: dict[str, Any], api: str, name: str, url: str) -> None:
    found = route(LLMSettings(**changes))
    assert (found.api, found.model) == (api, name)
    assert url in found.settings.base_url
    assert bool(url) == bool(found.settings.base_url)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "no model is set"),
        ({"model": "some-model"}, "nothing tells whose model 'some-model' is\n  set base_url if"),
        (
            {"model": "antropic/claude"},
            "the provider 'antropic' is unknown\n  did you mean 'anthropic'?; set base_url",
        ),
        ({"model": "x", "custom_llm_provider": "grok"}, "the provider 'grok' is unknown"),
        (
            {"model": "vertex_ai/gemini-3"},
            "'vertex_ai' is not served\n  Vertex AI is not served; G",
        ),
        ({"model": "vertex_ai/gemini-3", "base_url": LOCAL}, "by API key is: gemini/NAME"),
        ({"model": "openai/"}, "the model 'openai/' has no name"),
        ({"model": "azure/dep"}, 'has no base_url\n  base_url = "https://RESOURCE.openai.azure'),
        ({"model": "azure/dep", "base_url": AZURE, "api_mode": "responses"}, "leave it out"),
        ({"model": "hosted_vllm/x"}, 'has no base_url\n  base_url = "http://localhost:8000/v1"'),
        (
            {"model": "gpt-4o"},
            "no API key for api.openai.com\n  set the environment variable OPENAI",
        ),
        ({"model": "claude-opus-4-5"}, "variable ANTHROPIC_API_KEY, or name another"),
        ({"model": "gemini/gemini-3-pro"}, "variable GEMINI_API_KEY"),
        ({"model": "openrouter/x"}, "no API key for openrouter.ai"),
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


async def test_endpoints_that_ask_for_no_key() -> None:
    for changes in (
        {"model": "ollama/qwen3", "base_url": "http://box:11434"},
        {"model": "hosted_vllm/x", "base_url": "http://box:8000/v1"},
        {"model": "bedrock/amazon.nova-pro-v1:0"},
        {"model": "gpt-4o", "api_keys": (KEY, KEY)},
    ):
        model = build(LLMSettings(**cast("Any", changes)))
        await model.close()


def test_several_keys_are_several_backends() -> None:
    keys = (SecretStr("sk-1"), SecretStr("sk-2"))
    for name in ("openai/gpt-4o", "anthropic/claude-opus-4-5", "gemini/gemini-3-pro"):
        backends = route(LLMSettings(model=name, base_url=LOCAL, api_keys=keys)).backends()
        assert len({id(one) for one in backends}) == 2


async def test_a_deployment_of_azures(notes: Notes) -> None:
    async with Server(lambda _: Turn("hi")) as server:
        root = server.url.removesuffix("/v1")
        changes = {"model": "azure/my-gpt", "custom_llm_provider": "azure", "temperature": 0.5}
        model = build(settings(root, api_version="2024-10-21", **changes))
        completion = await model.complete(START, TOOLS, note=notes)
        await model.close()
    request = server.requests[0]
    assert completion.message.content == "hi"
    wanted = "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert request.path == wanted
    assert request.headers["api-key"] == "sk-secret-0123456789"
    assert "authorization" not in request.headers
    assert request.body["temperature"] == 0.5


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
        ("build(LLMSettings(model='claude-opus-4-5', api_key='sk-0123456789'))", False),
        ("build(LLMSettings(model='gemini/gemini-3-pro', api_key='sk-0123456789'))", False),
        ("build(LLMSettings(model='bedrock/amazon.nova-pro-v1:0'))", False),
        ("preload(LLMSettings(model='gpt-4o'))", True),
    ],
)
def test_heavy_libraries_are_imported_where_they_are_used(use: str, heavy: bool) -> None:
    source = (
        "import sys\n"
        "from velora.config.settings import LLMSettings\n"
        "from velora.llm.factory import build, preload\n"
        f"{use}\n"
        "print(sorted({'anthropic', 'boto3', 'openai', 'pydantic_ai', 'genai_prices'}"
        " & sys.modules.keys()))\n"
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
