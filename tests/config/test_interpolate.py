import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.config.interpolate import BadReference, has_reference, interpolate

ENV = {"KEY": "abc", "EMPTY": "", "TRICK": "${KEY}"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${KEY}", "abc"),
        ("Bearer ${KEY}/${KEY}", "Bearer abc/abc"),
        ("${NOPE:-fallback}", "fallback"),
        ("${NOPE:-}", ""),
        ("${EMPTY:-full}", "full"),
        ("${KEY:-other}", "abc"),
        ("${NOPE:-a:-b c}", "a:-b c"),
        ("$${KEY}", "${KEY}"),
        ("$KEY costs $5", "$KEY costs $5"),
        ("${TRICK}", "${KEY}"),
    ],
)
def test_references(text: str, result: str) -> None:
    assert interpolate(text, ENV) == result


def test_tables_and_lists_are_walked() -> None:
    value = {"a": ["${KEY}", 1, True], "${KEY}": {"b": "${KEY}"}}
    assert has_reference(value)
    assert interpolate(value, ENV) == {"a": ["abc", 1, True], "${KEY}": {"b": "abc"}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("${NOPE}", "NOPE is not set"),
        ("${EMPTY}", "EMPTY is empty"),
        ("${KEY", "is no reference"),
        ("${}", "is no reference"),
        ("${a-b}", "is no reference"),
    ],
)
def test_what_cannot_be_resolved(text: str, says: str) -> None:
    with pytest.raises(BadReference, match=says):
        interpolate(text, ENV)


@given(st.text())
def test_text_without_a_reference_is_left_alone(text: str) -> None:
    if "${" not in text:
        assert not has_reference(text)
        assert interpolate(text, {}) == text
