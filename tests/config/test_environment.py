import pytest

from velora.config.environment import from_environment
from velora.errors import UsageError


def test_nothing_set_asks_for_nothing() -> None:
    found = from_environment({"PATH": "/bin", "HOME": "/root"})
    assert found.notices == ()
    assert found.overrides == {}
    assert (found.condenser, found.skip_ids, found.language, found.image_prefix) == ("", (), "", "")


def test_the_variables_of_the_original_command() -> None:
    found = from_environment(
        {
            "USE_INSTANCE_IMAGE": "true",
            "LANGUAGE": "python",
            "RUNTIME_CONTAINER_IMAGE": "ghcr.io/openhands/runtime:oh_v1.1.0",
            "RUN_WITH_BROWSING": "false",
        }
    )
    assert found.language == "python"
    assert found.notices == (
        "LANGUAGE=python is used for instances whose row names no language",
        "RUNTIME_CONTAINER_IMAGE has no effect: the task image is used as it is",
    )


def test_variables_with_a_meaning() -> None:
    found = from_environment(
        {
            "EVAL_CONDENSER": "short",
            "SKIP_IDS": " a, b__c-1 ,,",
            "USE_HINT_TEXT": "True",
            "EVAL_DOCKER_IMAGE_PREFIX": "docker.io/mine/",
            "USE_INSTANCE_IMAGE": "0",
        }
    )
    assert found.condenser == "short"
    assert found.skip_ids == ("a", "b__c-1")
    assert found.overrides == {"run.use_hints": True}
    assert found.image_prefix == "docker.io/mine/"
    assert "USE_INSTANCE_IMAGE=false is not offered" in found.notices[0]


@pytest.mark.parametrize("locale", ["en_US:en", "de_DE.UTF-8", "en_GB"])
def test_a_locale_in_language_is_gettexts(locale: str) -> None:
    found = from_environment({"LANGUAGE": locale})
    assert found.language == ""
    assert found.notices == ()


def test_a_switch_that_is_neither() -> None:
    with pytest.raises(UsageError, match="USE_HINT_TEXT: 'maybe' is neither true nor false"):
        from_environment({"USE_HINT_TEXT": "maybe"})
