from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from velora.tools.text import BOM, Refused, insert, line_count, newline, numbered, replace

BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"a", b"b\n", b"\r\n", b"\n", b"\xff", b"\0", BOM, b"  "])).map(
        b"".join
    ),
)


@pytest.mark.parametrize(
    ("data", "end"),
    [(b"", b"\n"), (b"a", b"\n"), (b"a\r\n", b"\r\n"), (b"a\r\nb\n", b"\n"), (b"\r", b"\n")],
)
def test_newline(data: bytes, end: bytes) -> None:
    assert newline(data) == end


@pytest.mark.parametrize(
    ("data", "count"),
    [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2), (BOM, 0), (BOM + b"a\x0cb", 1)],
)
def test_line_count(data: bytes, count: int) -> None:
    assert line_count(data) == count


def test_numbered_shows_what_cat_would() -> None:
    assert numbered(BOM + b"a\r\n\tb\n\xff\0\n", 1, 3, 100) == (
        "     1\ta\n     2\t\tb\n     3\t\ufffd\ufffd",
        3,
    )
    assert numbered(b"a\nb\nc\n", 2, 2, 100) == ("     2\tb", 2)


def test_numbered_is_cut_between_lines_or_inside_the_first() -> None:
    assert numbered(b"aa\nbb\ncc\n", 1, 3, 20) == ("     1\taa\n     2\tbb", 2)
    assert numbered(b"aa\nbb\ncc\n", 2, 3, 8) == ("     2\tb", 1)


def refused(data: bytes, old: str, new: str = "x") -> str:
    with pytest.raises(Refused) as caught:
        replace(data, old, new)
    return str(caught.value)


def test_replace_tells_the_lines_it_touched() -> None:
    edit = replace(b"a\nb\nc\nd\n", "b\nc\n", "B\n")
    assert (edit.data, edit.first, edit.last, edit.last_before) == (b"a\nB\nd\n", 2, 3, 4)


def test_replace_lists_the_lines_of_several_places() -> None:
    assert refused(b"x = 1\ny\nx = 1\n", "x = 1") == (
        "old_str stands in the file 2 times, beginning at lines 1, 3. "
        "Add lines around it until it fits one place only."
    )
    assert "2 times, beginning at line 1." in refused(b"aaa\n", "aa")
    assert "more than 20 times" in refused(b"a\n" * 50, "a")


def test_replace_says_what_is_amiss_when_nothing_fits() -> None:
    assert refused(b"a\n", "zzz") == (
        "old_str does not stand in the file. "
        "View the file and copy the text exactly as it is there."
    )
    assert refused(b"x\ndef f():\n\treturn  1\n\n", "def f():\n    return 1\n") == (
        "old_str does not stand in the file. It would match at line 2 if white space (blanks, "
        "tabs, line ends) did not count. The file has there:\n"
        "     2\tdef f():\n     3\t\treturn  1"
    )
    assert "leave them out" in refused(b"def f():\n", "     1\tdef f():\n     2\t")
    assert "copy the text exactly" in refused(b"a\n", "\n\n")


def test_crlf_files_take_and_keep_crlf() -> None:
    assert replace(b"a\r\nb\r\nc\r\n", "a\nb", "a\nB\n").data == b"a\r\nB\r\n\r\nc\r\n"
    assert replace(b"a\r\nb\r\n", "a\r\nb", "x\r\ny").data == b"x\r\ny\r\n"
    assert replace(b"a\r\nb\r\n", "\nb", "\nc").data == b"a\r\nc\r\n"
    assert insert(b"a\r\nb\r\n", 1, "x\ny").data == b"a\r\nx\r\ny\r\nb\r\n"


def test_mixed_line_ends_are_matched_as_given_first() -> None:
    assert replace(b"a\nb\nc\r\nd\r\n", "a\nb", "x\ny").data == b"x\ny\nc\r\nd\r\n"
    assert replace(b"a\nb\nc\r\nd\r\n", "c\nd", "x\ny").data == b"a\nb\nx\r\ny\r\n"


def test_a_difference_in_line_ends_alone_is_no_change() -> None:
    assert "nothing to change" in refused(b"a\r\nb\r\n", "a\nb", "a\r\nb")


@pytest.mark.parametrize(
    ("data", "line", "text", "wanted"),
    [
        (b"a\nb\n", 0, "x", b"x\na\nb\n"),
        (b"a\nb\n", 1, "x\n", b"a\nx\nb\n"),
        (b"a\nb\n", 2, "x", b"a\nb\nx\n"),
        (b"a\nb", 2, "x\n", b"a\nb\nx"),
        (b"a\nb", 1, "x\ny", b"a\nx\ny\nb"),
        (b"a\n", 1, "\n", b"a\n\n"),
        (b"a\n", 1, "x\n\n", b"a\nx\n\n"),
        (b"", 0, "x", b"x\n"),
        (BOM, 0, "x", BOM + b"x\n"),
        (BOM + b"a\n", 0, "x", BOM + b"x\na\n"),
        (BOM + b"a\n", 1, "x", BOM + b"a\nx\n"),
        (b"\xff\n\xfe", 1, "\u00e9", b"\xff\n\xc3\xa9\n\xfe"),
    ],
)
def test_insert(data: bytes, line: int, text: str, wanted: bytes) -> None:
    assert insert(data, line, text).data == wanted


@pytest.mark.parametrize("line", [-1, 3])
def test_insert_refuses_a_line_that_is_not_there(line: int) -> None:
    with pytest.raises(Refused) as caught:
        insert(b"a\nb\n", line, "x")
    assert str(caught.value) == (
        f"insert_line is {line}, but the file has 2 lines: "
        "0 (before the first line) to 2 are possible."
    )


@given(BYTES, st.text(min_size=1, max_size=5), st.text(max_size=5), BYTES)
def test_replace_leaves_every_other_byte_alone(
    before: bytes, old: str, new: str, after: bytes
) -> None:
    data = before + old.encode() + after
    places = [at for at in range(len(data)) if data.startswith(old.encode(), at)]
    assume(newline(data) == b"\n" and old != new)
    if len(places) > 1:
        refused(data, old, new)
        return
    edit = replace(data, old, new)
    assert edit.data == before + new.encode() + after


@given(BYTES, st.text(min_size=1, max_size=8), st.data())
def test_insert_adds_whole_lines_and_touches_nothing_else(
    data: bytes, text: str, draw: st.DataObject
) -> None:
    line = draw.draw(st.integers(0, line_count(data)))
    edit = insert(data, line, text)
    grown = len(edit.data) - len(data)
    assert any(data == edit.data[:at] + edit.data[at + grown :] for at in range(len(data) + 1))
    assert edit.data.startswith(BOM) or not data.startswith(BOM)
    lines = text.removesuffix("\n").count("\n") + 1
    if data.endswith(b"\n") or not text.endswith("\n"):
        assert line_count(edit.data) == line_count(data) + lines
        assert (edit.first, edit.last) == (line + 1, line + lines)


@given(BYTES)
def test_numbered_counts_the_same_lines(data: bytes) -> None:
    count = line_count(data)
    shown, reached = numbered(data, 1, count, 10**6)
    assert reached == count
    numbers = [int(line[:6]) for line in shown.split("\n") if line]
    assert numbers == list(range(1, count + 1))
