import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from velora.config.masking import MASK, masked, names_secret
from velora.config.redact import Redactor
from velora.config.settings import LLMSettings, SandboxSettings, Settings

KEY = "sk-proj-0123456789abcdef"


def settings() -> Settings:
    return Settings(
        llm=LLMSettings(
            model="gpt-4o",
            api_key=SecretStr(KEY),
            api_key_env="OPENAI_API_KEY",
            base_url="https://user:pa55word!@proxy.example/v1?api-key=querysecret&v=2",
            extra_headers={"Authorization": "Bearer header-secret-1", "X-Title": "velora"},
            completion_kwargs={"thinking": {"budget_tokens": 20000}, "auth": {"x": ["deepsecret"]}},
        ),
        sandbox=SandboxSettings(runtime_startup_env_vars={"NPM_TOKEN": "npm-secret-42", "A": "b"}),
    )


def test_masked_hides_every_secret_and_nothing_else() -> None:
    shown = masked(settings())
    text = json.dumps(shown)
    for secret in (KEY, "pa55word", "querysecret", "header-secret", "deepsecret", "npm-secret"):
        assert secret not in text
    assert shown["llm"]["api_key"] == MASK
    assert shown["llm"]["api_key_env"] == "OPENAI_API_KEY"
    assert shown["llm"]["base_url"] == f"https://user:{MASK}@proxy.example/v1?api-key={MASK}&v=2"
    assert shown["llm"]["extra_headers"] == {"Authorization": MASK, "X-Title": "velora"}
    assert shown["llm"]["completion_kwargs"]["thinking"] == {"budget_tokens": 20000}
    assert shown["sandbox"]["runtime_startup_env_vars"] == {"NPM_TOKEN": MASK, "A": "b"}


def test_an_unset_key_is_shown_as_unset() -> None:
    assert masked(Settings())["llm"]["api_key"] is None


def test_names_that_tell_a_secret() -> None:
    for name in ("api_key", "X-Api-Key", "apiKey", "accessToken", "Cookie", "client_secret", "key"):
        assert names_secret(name), name
    for name in ("max_tokens", "budget_tokens", "prompt_cache_key", "api_key_env", "monkey", "x"):
        assert not names_secret(name), name


def test_secrets_of_settings_and_environment_are_redacted() -> None:
    env = {"GITHUB_TOKEN": "ghp_0123456789", "HOME": "/home/somebody", "X_KEY": "short"}
    redactor = Redactor.of(settings(), env)
    said = f"{KEY} ghp_0123456789 header-secret-1 pa55word! npm-secret-42 /home/somebody short"
    assert redactor.redact(said) == " ".join([MASK] * 5) + " /home/somebody short"


def test_a_secret_is_found_in_json_in_a_url_and_in_bytes() -> None:
    secret = 'pass"word\\\n/with é'
    redactor = Redactor([secret])
    for written in (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
    ):
        assert redactor.redact(f"<{written}>") == f"<{MASK}>"
        assert redactor.redact_bytes(f"<{written}>".encode()) == f"<{MASK}>".encode()


def test_the_longer_of_two_secrets_goes_whole() -> None:
    assert Redactor(["12345678", "12345678-rest"]).redact("a12345678-rest") == f"a{MASK}"


def test_text_without_secrets_is_the_same_object() -> None:
    text, data = "nothing to see " * 10, b"\xff\x00 nothing"
    for redactor in (Redactor(), Redactor([KEY])):
        assert redactor.redact(text) is text
        assert redactor.redact_bytes(data) is data


@given(
    st.lists(st.text("abc01-.+", min_size=8, max_size=12), min_size=1, max_size=4),
    st.lists(st.text('XYZ \n"\\', max_size=5), min_size=1, max_size=6),
    st.data(),
)
def test_no_secret_survives(secrets: list[str], between: list[str], data: st.DataObject) -> None:
    text = "".join(part + data.draw(st.sampled_from(secrets)) for part in between)
    redactor = Redactor(secrets)
    for hidden in (redactor.redact(text), redactor.redact_bytes(text.encode()).decode()):
        assert not any(secret in hidden for secret in secrets)
        assert "".join(hidden.split(MASK)) == "".join(between)
