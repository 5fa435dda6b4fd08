import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.config.names import MAX_BYTES, safe_name

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@pytest.mark.parametrize(
    "plain", ["tobymao__sqlglot-e604fe6d8258", "PyCQA__pylint-1", "a", "v1.2_x", "605910745287040"]
)
def test_usual_ids_stay_as_they_are(plain: str) -> None:
    assert safe_name(plain) == plain


@pytest.mark.parametrize("odd", ["", ".", "..", "-rf", ".git", "a/b", "a b", "ü", "x" * 151, "\n"])
def test_odd_ids_get_a_digest(odd: str) -> None:
    name = safe_name(odd)
    assert SAFE.fullmatch(name)
    assert re.search(r"--[0-9a-f]{12}\Z", name)


def test_an_id_that_looks_like_a_made_name_gets_another() -> None:
    made = safe_name("a/b")
    assert made.startswith("a_b--")
    assert safe_name(made) != made


@given(st.text(st.characters(), max_size=300))
def test_a_name_is_safe(text: str) -> None:
    name = safe_name(text)
    assert SAFE.fullmatch(name)
    assert len(name.encode()) <= MAX_BYTES


@given(st.sets(st.text("aA/._-~ü", max_size=6), min_size=2, max_size=50))
def test_two_ids_never_meet(ids: set[str]) -> None:
    assert len({safe_name(one) for one in ids}) == len(ids)
