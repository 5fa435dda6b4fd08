import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from velora.config.locate import positions

TEXT = '''\
top = 1  # a = 2
[llm] # [not.this]
model = "x # ] \\" y"
long = """
fake = 1
[fake]
"""
raw = \'\'\'
also = "fake"\'\'\'

[llm."gpt-4.1"]
extra_headers = {a = 1, "b c" = [1, {d = 2}], e.f = 3}
list = [
  "x", # y = 3
  ["]", 2],
]
a . b = 2026-01-01T00:00:00Z

[[many]]
one = 1
[[many]]
two = 2
'''


def test_lines_of_keys() -> None:
    lines = positions(TEXT)
    assert lines[("top",)] == 1
    assert lines[("llm",)] == 2
    assert lines[("llm", "model")] == 3
    assert lines[("llm", "raw")] == 8
    assert lines[("llm", "gpt-4.1")] == 11
    assert lines[("llm", "gpt-4.1", "extra_headers", "b c", "d")] == 12
    assert lines[("llm", "gpt-4.1", "extra_headers", "e", "f")] == 12
    assert lines[("llm", "gpt-4.1", "a", "b")] == 17
    assert lines[("many",)] == 19
    assert lines[("many", "two")] == 22
    assert not any("fake" in path or "also" in path for path in lines)


def test_windows_line_ends() -> None:
    assert positions("a = 1\r\n[b]\r\nc = '''\r\n'''\r\nd = 2\r\n")[("b", "d")] == 5


def test_text_that_is_no_toml_gives_what_came_before() -> None:
    assert positions("a = 1\n= 3\nb = 2")[("a",)] == 1


KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TABLES = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=3)


def text_of(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {text_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",".join(text_of(part) for part in value) + "# ]\n]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def paths_of(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    if isinstance(value, dict):
        for key, part in value.items():
            found |= {(*path, key)} | paths_of(part, (*path, key))
    if isinstance(value, list):
        for part in value:
            found |= paths_of(part, path)
    return found


@given(TABLES)
def test_every_key_of_any_document_is_found(document: dict[str, dict[str, Any]]) -> None:
    text = ""
    expected: dict[tuple[str, ...], int] = {}
    for name, table in document.items():
        expected[(name,)] = text.count("\n") + 1
        text += f"[{quoted(name)}]\n"
        for key, value in table.items():
            expected[(name, key)] = text.count("\n") + 1
            text += f"{quoted(key)} = {text_of(value)}\n"
    assert tomllib.loads(text) == document
    lines = positions(text)
    assert set(lines) == paths_of(document)
    assert {path: lines[path] for path in expected} == expected
