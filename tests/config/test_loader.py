from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from velora.config.effects import SECTIONS_WITHOUT_EFFECT, WITHOUT_EFFECT
from velora.config.loader import SECTIONS, Loaded, load
from velora.config.settings import Settings
from velora.errors import UsageError

NOTHING: dict[str, str] = {}


def loaded(
    tmp_path: Path,
    text: str,
    *,
    llm: str = "",
    env: Mapping[str, str] = NOTHING,
    overrides: Mapping[str, Any] | None = None,
    **names: str,
) -> Loaded:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    return load(path, llm=llm, env=env, overrides=overrides, **names)


def refused(tmp_path: Path, text: str, **arguments: Any) -> str:
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, text, **arguments)
    return str(caught.value).replace(f"{tmp_path}/", "")


# Which file


def test_no_file_at_all_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None, env={}) == Loaded(Settings(), (), None)


def test_the_file_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text("[core]\nmax_iterations = 7\n")
    found = load(None, env={})
    assert found.source == Path("config.toml")
    assert found.settings.core.max_iterations == 7


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"other\.toml: there is no such file"):
        load(tmp_path / "other.toml", env={})


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    found = loaded(tmp_path, "\ufeff[core]\r\nmax_iterations = 7\r\n")
    assert found.settings.core.max_iterations == 7


def test_broken_toml_is_shown_by_line(tmp_path: Path) -> None:
    message = refused(tmp_path, "[core]\nmax_iterations = \n")
    assert message.startswith("config.toml:2: not valid TOML: Invalid value")
    (tmp_path / "config.toml").write_bytes(b"[core]\n# \xff\n")
    with pytest.raises(UsageError, match="is not UTF-8"):
        load(tmp_path / "config.toml", env={})


# Sections that inherit

TWO = """
[llm]
num_retries = 2
api_key = "${BASE_KEY}"
[llm.gpt]
model = "gpt-4o"
temperature = 1
[llm.other]
model = "other"
api_key_env = "OTHER_KEY"
[llm."gpt-4.1"]
model = "gpt-4.1"
"""
BASE = {"BASE_KEY": "base-key-1"}


@pytest.mark.parametrize("name", ["llm.gpt", "gpt"])
def test_a_section_inherits_the_base(tmp_path: Path, name: str) -> None:
    settings = loaded(tmp_path, TWO, llm=name, env=BASE).settings
    assert settings.llm_name == "gpt"
    assert (settings.llm.model, settings.llm.num_retries) == ("gpt-4o", 2)
    assert settings.llm.temperature == 1.0
    assert settings.llm.api_key is not None
    assert settings.llm.api_key.get_secret_value() == "base-key-1"


def test_only_the_selected_section_needs_its_variables(tmp_path: Path) -> None:
    settings = loaded(tmp_path, TWO, llm="other", env={"OTHER_KEY": "other-key"}).settings
    assert settings.llm.api_key is not None
    assert settings.llm.api_key.get_secret_value() == "other-key"
    assert refused(tmp_path, TWO, llm="other") == (
        "config.toml:10: [llm.other]: api_key_env: environment variable OTHER_KEY is not set\n"
        "  set OTHER_KEY"
    )
    assert refused(tmp_path, TWO, llm="gpt").startswith(
        "config.toml:4: [llm]: api_key: environment variable BASE_KEY is not set"
    )


def test_a_quoted_name_may_hold_a_dot(tmp_path: Path) -> None:
    assert loaded(tmp_path, TWO, llm="llm.gpt-4.1", env=BASE).settings.llm.model == "gpt-4.1"
    assert refused(tmp_path, '[llm.gpt-4.1]\nmodel = "x"\n') == (
        "config.toml:1: [llm.gpt-4]: unknown key '1'\n"
        '  a name with a dot needs quotes: [llm."gpt-4.1"]'
    )


def test_an_unknown_section_lists_those_that_exist(tmp_path: Path) -> None:
    assert refused(tmp_path, TWO, llm="llm.gtp", env=BASE) == (
        "config.toml: no section [llm.gtp]\n"
        "  did you mean 'gpt'? sections that exist: [llm.gpt], [llm.gpt-4.1], [llm.other]"
    )


def test_the_agents_section_names_the_others(tmp_path: Path) -> None:
    text = TWO + '[agent.terse]\nllm_config = "gpt"\ncondenser = "none"\nenable_think = false\n'
    text += '[condenser.none]\ntype = "noop"\n'
    settings = loaded(tmp_path, text, agent="agent.terse", env=BASE).settings
    assert (settings.agent_name, settings.llm_name) == ("terse", "gpt")
    assert settings.condenser_name == "none"
    assert not settings.agent.enable_think
    assert loaded(tmp_path, text, agent="terse", llm="llm", env=BASE).settings.llm_name == ""
    assert refused(tmp_path, '[agent]\nllm_config = "nope"\n').startswith(
        "config.toml:2: [agent]: no section [llm.nope]"
    )


def test_a_table_named_like_a_key_is_that_keys_value(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[llm.extra_headers]\nX-A = "b"\n[llm.completion_kwargs]\nn = 1\n')
    assert found.llms == ()
    assert found.settings.llm.extra_headers == {"X-A": "b"}
    assert found.settings.llm.completion_kwargs == {"n": 1}


# Strictness


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[llm]\nmodel = "x"\n\n[llm.gpt]\ntemprature = 1\n',
            "config.toml:5: [llm.gpt]: unknown key 'temprature'\n  did you mean 'temperature'?",
        ),
        ("[lm.gpt]\n", "config.toml:1: [lm]: unknown section\n  did you mean 'llm'?"),
        (
            "max_iterations = 3\n",
            "config.toml:1: unknown key 'max_iterations'\n  it belongs under [core]",
        ),
        (
            "[run]\ntimeouts = {a = 1}\n",
            "config.toml:2: [run]: unknown key 'timeouts'\n  did you mean",
        ),
        ("llm = 3\n", "config.toml:1: [llm]: 'llm' must be a section"),
        ("[[llm]]\n", "config.toml:1: [llm]: 'llm' must be a section"),
        ("[llm]\nmodel = 3\n", "[llm]: model must be text in quotes, not the number 3"),
        ('[llm]\ntimeout = "soon"', "[llm]: timeout must be a number, not the text 'soon'"),
        ("[llm]\ntimeout = nan", "timeout must be greater than 0"),
        ("[run]\nnum_workers = true", "num_workers must be a whole number, not true"),
        ("[run]\nnum_workers = 0", "num_workers must be greater than 0, not the number 0"),
        ("[run]\nuse_hints = 1", "use_hints must be true or false, not the number 1"),
        ('[core]\nmax_iterations = "3"', "must be a whole number, not the text '3'"),
        (
            "[llm]\n\nextra_headers = {a = 1}",
            "config.toml:3: [llm]: extra_headers.a must be text in quotes, not the number 1",
        ),
        ("[llm]\nextra_headers = []", "extra_headers must be a table, not a list"),
        ('[sandbox]\nbackend = "dcker"', "did you mean 'docker'?"),
        ('[sandbox]\nmemory = "lots"', "memory is wrong: 'lots' is no size"),
        ("[agent.condenser]\ntype = 'noop'", "condenser must be text in quotes, not a table"),
        ('[condenser]\ntype = "lm"', "did you mean 'llm'?"),
        (
            '[llm]\napi_key = "k"\napi_key_env = "K"',
            "config.toml:3: [llm]: api_key and api_key_env",
        ),
        ('[llm]\nmodel = "${"', "config.toml:2: [llm]: model: '${' is no reference"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text)


def test_sections_that_are_not_selected_are_checked_too(tmp_path: Path) -> None:
    assert ":3: [llm.b]: unknown key 'modl'" in refused(
        tmp_path, '[llm.a]\n[llm.b]\nmodl = "x"\n', llm="a"
    )
    loaded(tmp_path, '[condenser.later]\ntype = "llm"\nmax_size = 3\n')


def test_a_secret_of_the_wrong_type_is_not_repeated(tmp_path: Path) -> None:
    assert "12345" not in refused(tmp_path, "[llm]\napi_key = 12345\n")
    message = refused(tmp_path, '[llm]\nseed = "${K}"\n', env={"K": "sk-secret"})
    assert message == "config.toml:2: [llm]: seed must be a whole number"


def test_a_variable_is_read_as_what_the_key_is(tmp_path: Path) -> None:
    text = '[llm]\ntemperature = "${T:-0.5}"\nseed = "${S}"\nlog_completions = "${L}"\n'
    llm = loaded(tmp_path, text, env={"S": "7", "L": "false"}).settings.llm
    assert (llm.temperature, llm.seed, llm.log_completions) == (0.5, 7, False)


# Keys of the original


def test_keys_without_effect_are_reported_once(tmp_path: Path) -> None:
    text = """
[core]
workspace_base = "/x"
[llm]
drop_params = true
[llm.gpt]
model = "gpt-4o"
drop_params = false
[llm.other]
modify_params = true
[sandbox]
runtime_container_image = "ghcr.io/openhands/runtime:velora_universal"
[security]
confirmation_mode = false
"""
    notices = loaded(tmp_path, text, llm="gpt").notices
    assert "[llm.gpt] drop_params has no effect: only parameters that are set are sent" in notices
    assert (
        "[sandbox] runtime_container_image has no effect: the task image is used as it is"
        in notices
    )
    assert sorted(notice.split(" has ")[0] for notice in notices) == [
        "[core] workspace_base",
        "[llm.gpt] drop_params",
        "[sandbox] runtime_container_image",
        "[security]",
    ]


def test_no_key_is_both_a_setting_and_without_effect() -> None:
    assert WITHOUT_EFFECT.keys() == SECTIONS.keys()
    assert not SECTIONS.keys() & SECTIONS_WITHOUT_EFFECT.keys()
    for kind, keys in WITHOUT_EFFECT.items():
        assert not keys.keys() & SECTIONS[kind].model_fields.keys()


def test_the_budget_of_core_is_the_runs(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[core]\nmax_budget_per_task = 3\n")
    assert found.settings.run.max_budget_per_task == 3.0
    assert "config.toml:2: [core]: max_budget_per_task must be a number" in refused(
        tmp_path, '[core]\nmax_budget_per_task = "x"\n'
    )
    assert "is also set in [run]" in refused(
        tmp_path, "[core]\nmax_budget_per_task = 3\n[run]\nmax_budget_per_task = 3\n"
    )


def test_the_no_change_timeout_of_the_container(tmp_path: Path) -> None:
    text = '[sandbox]\nruntime_startup_env_vars = {NO_CHANGE_TIMEOUT_SECONDS = "%s", A = "b"}\n'
    found = loaded(tmp_path, text % 45)
    assert found.settings.sandbox.no_change_timeout == 45.0
    assert found.settings.sandbox.runtime_startup_env_vars == {"A": "b"}
    assert "NO_CHANGE_TIMEOUT_SECONDS is taken as no_change_timeout = 45" in found.notices[0]
    assert "config.toml:2: [sandbox]: NO_CHANGE_TIMEOUT_SECONDS" in refused(tmp_path, text % "x")


# The command line


def test_overrides_stand_above_the_file(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        "[core]\nmax_iterations = 7\n[run]\nnum_workers = 2\n",
        overrides={"core.max_iterations": 9, "run.num_workers": None, "llm.temperature": "0.5"},
    )
    assert found.settings.core.max_iterations == 9
    assert found.settings.run.num_workers == 2
    assert found.settings.llm.temperature == 0.5


def test_wrong_overrides(tmp_path: Path) -> None:
    assert refused(tmp_path, "", overrides={"core.max_iteration": 9}) == (
        "command line: unknown setting 'core.max_iteration'\n  did you mean 'core.max_iterations'?"
    )
    assert refused(tmp_path, "", overrides={"core.max_iterations": "x"}) == (
        "command line: [core]: max_iterations must be a whole number, not the text 'x'"
    )


# The key

OPENAI = {"OPENAI_API_KEY": "sk-openai-key"}


@pytest.mark.parametrize(
    ("llm", "used", "said"),
    [
        ('model = "gpt-4o"', True, False),
        ('model = "openai/gpt-4o"', True, False),
        ('model = "anthropic/claude"', False, False),
        ('model = "scripted:x.yaml"', False, False),
        ('model = "qwen/qwen3"\nbase_url = "http://127.0.0.1:8000/v1"', True, True),
        ('model = "gpt-4o"\nbase_url = "https://api.openai.com/v1"', True, False),
        ('model = "gpt-4o"\ncustom_llm_provider = "azure"', False, False),
        ("temperature = 1", False, False),
    ],
)
def test_the_key_of_the_environment(tmp_path: Path, llm: str, used: bool, said: bool) -> None:
    found = loaded(tmp_path, f"[llm]\n{llm}\n", env=OPENAI)
    assert (found.settings.llm.api_key is not None) is used
    assert bool(found.notices) is said
    if said:
        assert found.notices == ("no api_key is set for 127.0.0.1: OPENAI_API_KEY is used",)


@pytest.mark.parametrize(
    ("llm", "env", "key"),
    [
        ('model = "anthropic/claude"', {"ANTHROPIC_API_KEY": "a"}, "a"),
        ('model = "claude-opus-4-5"', {"ANTHROPIC_API_KEY": "a"}, "a"),
        ('model = "gemini/x"', {"GOOGLE_API_KEY": "g"}, "g"),
        ('model = "gemini/x"', {"GOOGLE_API_KEY": "g", "GEMINI_API_KEY": "h"}, "h"),
        ('model = "openrouter/a/b"', {"OPENROUTER_API_KEY": "o"}, "o"),
        ('model = "azure/d"\nbase_url = "https://x.azure.com"', {"AZURE_API_KEY": "z"}, "z"),
        ('model = "bedrock/x"', {"AWS_BEARER_TOKEN_BEDROCK": "b"}, "b"),
        ('model = "x"\ncustom_llm_provider = "groq"', {"GROQ_API_KEY": "q"}, "q"),
        ('model = "anthropic/claude"', {"OPENAI_API_KEY": "n"}, None),
    ],
)
def test_each_providers_own_variable(
    tmp_path: Path, llm: str, env: dict[str, str], key: str | None
) -> None:
    found = loaded(tmp_path, f"[llm]\n{llm}\n", env=env)
    given = found.settings.llm.api_key
    assert (given.get_secret_value() if given else None) == key
    assert found.notices == ()


def test_a_key_of_the_file_wins(tmp_path: Path) -> None:
    text = '[llm]\nmodel = "gpt-4o"\napi_key_env = "MINE"\n'
    settings = loaded(tmp_path, text, env=OPENAI | {"MINE": "sk-mine"}).settings
    assert settings.llm.api_key is not None
    assert settings.llm.api_key.get_secret_value() == "sk-mine"


def test_a_run_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\[llm\]: no model is named\n  choose one .*gpt-4\.1"):
        loaded(tmp_path, TWO, env=BASE).require_model()
    loaded(tmp_path, TWO, llm="gpt", env=BASE).require_model()
