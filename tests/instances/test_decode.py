import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.instances.decode import (
    EXCEL_LIMIT,
    Undecodable,
    decode_id,
    decode_names,
    decode_patches,
    decode_text,
)

NAMES = st.lists(st.text(min_size=1, max_size=12), max_size=6)


@given(NAMES)
def test_every_way_to_write_a_list_reads_the_same(names: list[str]) -> None:
    expected = tuple(names)
    assert decode_names(names, "F") == expected
    assert decode_names(tuple(names), "F") == expected
    assert decode_names(json.dumps(names), "F") == expected
    assert decode_names(json.dumps(names, ensure_ascii=False), "F") == expected
    assert decode_names(json.dumps(json.dumps(names)), "F") == expected
    assert decode_names(repr(names), "F") == expected
    assert decode_names(repr(tuple(names)), "F") == expected


@given(NAMES, st.sampled_from([" ", "\n ", "  \r\n", "\\n ", "\\r\\n"]))
def test_numpy_puts_nothing_but_blanks_between_names(names: list[str], gap: str) -> None:
    text = "[" + gap.join(map(repr, names)) + "]"
    # A single name in double quotes is valid JSON as well, and means the same.
    assert decode_names(text, "F") == tuple(names)


@given(NAMES)
def test_arrays_as_numpy_represents_them(names: list[str]) -> None:
    array = "array([" + ", ".join(map(repr, names)) + "], dtype=object)"
    assert decode_names(array, "F") == tuple(names)
    scalars = "[" + ", ".join(f"np.str_({name!r})" for name in names) + "]"
    assert decode_names(scalars, "F") == tuple(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("""['a' "it's" 'b, c']""", ("a", "it's", "b, c")),
        ("['tests/a.py::t[x, y]'\n 'tests/b.py::t']", ("tests/a.py::t[x, y]", "tests/b.py::t")),
        (r"""["App\Tests\Psr7::testA"]""", (r"App\Tests\Psr7::testA",)),
        (r"""['App\Tests' 'it is']""", (r"App\Tests", "it is")),
        (r"""['App\\Tests\\new']""", (r"App\Tests\new",)),
        ("['a', 'b',]", ("a", "b")),
        ("  ['a']  ", ("a",)),
        ("[ 'a' ]", ("a",)),
    ],
)
def test_lists_seen_in_data_sets(text: str, names: tuple[str, ...]) -> None:
    assert decode_names(text, "F") == names


@pytest.mark.parametrize(
    "blank", [None, "", "  ", "nan", "NaN", "None", "null", "[]", "()", "set()", float("nan"), []]
)
def test_blank_is_no_names(blank: Any) -> None:
    assert decode_names(blank, "F") == ()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a, b", "F is no list of names: not readable at 'a, b'"),
        ("tests/a.py::test_a", "F is no list of names"),
        ("['a', 'b", r"F is cut off: it begins with '\[' and ends with '\['a', 'b'"),
        ("['a' 'b' ... 'y' 'z']", "was shortened to '...'"),
        ("['a' 'b', 'c']", "separates some names by a comma and others by blanks only"),
        ("['a', b]", r"not readable at 'b\]' "),
        ("['a' + 'b']", r"not readable at '\+ "),
        (r"['\x']", "F has backslashes, of which some are escapes"),
        (r"['App\Tests\new']", "F has backslashes, of which some are escapes"),
        ('{"a": 1}', "F is a table, not a list"),
        ("[1, 2]", "F: item 1 must be text, not a number"),
        ('["a", null]', "F: item 2 must be text, not null"),
        (["a", ["b"]], "F: item 2 must be text, not a list"),
        ({"a": 1}, "F must be a list, not a table"),
        (7, "F must be a list, not a number"),
        ("[" * 100_000, "F was cut off at 32,767 characters"),
    ],
)
def test_what_is_no_list_is_refused(value: Any, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        decode_names(value, "F")


def test_a_list_cut_by_excel() -> None:
    text = json.dumps([f"tests/test_a.py::test_{n}" for n in range(3000)])[:EXCEL_LIMIT]
    with pytest.raises(Undecodable, match="cut off at 32,767 characters, the limit of an Excel"):
        decode_names(text, "FAIL_TO_PASS")


@given(st.text())
def test_no_text_does_anything_else(text: str) -> None:
    try:
        names = decode_names(text, "F")
    except Undecodable:
        return
    assert all(isinstance(name, str) for name in names)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (12, "12"),
        (3.1, "3.1"),
        (6.0591074528704e14, "605910745287040.0"),
        (1e22, "10000000000000000000000"),
        (None, ""),
        (float("nan"), ""),
        ("NaN", ""),
    ],
)
def test_texts(value: Any, text: str) -> None:
    assert decode_text(value, "f") == text


@pytest.mark.parametrize("value", [True, [], {}, float("inf")])
def test_no_text(value: Any) -> None:
    with pytest.raises(Undecodable, match="f must be text"):
        decode_text(value, "f")


def test_ids_read_as_numbers() -> None:
    assert decode_id(json.loads("6.0591074528704E14"), "id") == "605910745287040"
    assert decode_id(1.7499e9, "id") == "1749900000"
    assert decode_id(12345678901234567890, "id") == "12345678901234567890"
    assert decode_id("6.0E14", "id") == "6.0E14"


DIFF = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


def test_patches() -> None:
    assert decode_patches(DIFF, "p") == (DIFF,)
    assert decode_patches([DIFF, "", DIFF], "p") == (DIFF, DIFF)
    assert decode_patches(json.dumps([DIFF, DIFF]), "p") == (DIFF, DIFF)
    assert decode_patches(repr([DIFF]), "p") == (DIFF,)
    assert (
        decode_patches(None, "p") == decode_patches("nan", "p") == decode_patches("[]", "p") == ()
    )


def test_damaged_patches() -> None:
    with pytest.raises(Undecodable, match="p was cut off"):
        decode_patches((DIFF * 1000)[:EXCEL_LIMIT], "p")
    with pytest.raises(Undecodable, match="p has no line breaks"):
        decode_patches(DIFF.replace("\n", "\\n"), "p")
    with pytest.raises(Undecodable, match="p must be text, not a table"):
        decode_patches({}, "p")
