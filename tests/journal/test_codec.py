from __future__ import annotations

import dataclasses
import json
import math
import types
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.sample import unchanged, whole_attempt
from velora.errors import Outcome
from velora.journal import events
from velora.journal.codec import Undecodable, decode, encode, kind_of
from velora.journal.events import AttemptEnded, AttemptStarted, Noted, Observed, Prompted, Record
from velora.journal.scrub import MAX_DEPTH, NESTED_TOO_DEEPLY, scrub

JSON_NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BROKEN = st.text(st.characters(), max_size=20)  # halves of surrogate pairs included


def free(text: st.SearchStrategy[str], scalar: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    values = st.recursive(
        st.none() | st.booleans() | scalar | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(text, values, max_size=3)


def of_type(hint: Any, text: st.SearchStrategy[str], row: st.SearchStrategy[Any]) -> Any:
    """Values of an annotated type, their texts and free-form data from the strategies given."""
    simple = {
        str: text,
        int: st.integers(-(2**63), 2**63),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
    }
    if hint in simple:
        return simple[hint]
    if get_origin(hint) is dict:
        return row
    if get_origin(hint) is tuple:
        return st.lists(of_type(get_args(hint)[0], text, row), max_size=2).map(tuple)
    if isinstance(hint, types.UnionType):
        return st.one_of(
            [st.none() if a is types.NoneType else of_type(a, text, row) for a in get_args(hint)]
        )
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    hints = get_type_hints(hint)
    names = [f.name for f in dataclasses.fields(hint)]
    return st.builds(hint, **{name: of_type(hints[name], text, row) for name in names})


def any_event(text: st.SearchStrategy[str], row: st.SearchStrategy[Any]) -> Any:
    return st.one_of([of_type(kind, text, row) for kind in get_args(events.Event)])


@given(any_event(WHOLE, free(WHOLE, JSON_NUMBERS)), st.integers(0, 2**40))
def test_every_event_reads_back_as_it_was(event: Any, seq: int) -> None:
    record = Record(seq, 1_767_323_045.123456, scrub(event, unchanged))
    assert record.event is event  # nothing to change
    line = encode(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == record
    assert kind_of(line) == event.kind


@given(any_event(BROKEN, free(BROKEN, st.integers() | st.floats() | st.binary(max_size=5))))
def test_what_json_cannot_hold_never_makes_an_append_fail(event: Any) -> None:
    safe = scrub(event, unchanged)
    line = encode(Record(0, 1.0, safe))
    assert decode(line).event == safe
    json.loads(line.decode())


def test_what_is_replaced_and_by_what() -> None:
    deep: Any = "bottom"
    for _ in range(MAX_DEPTH + 50):
        deep = [deep]
    data: dict[Any, Any] = {
        "half": "a\ud800b",
        "pair": "\ud83d\ude00",
        "large": 2**64,
        "nan": math.nan,
        "bytes": b"\xff",
        "tuple": (1, 2),
        "kind": Outcome.STUCK,
        "other": types.SimpleNamespace(a=1),
        7: True,
    }
    event = scrub(Noted("code", "text", data), unchanged)
    assert event.data == {
        "half": "a\ufffdb",
        "pair": "\U0001f600",
        "large": str(2**64),
        "nan": None,
        "bytes": "\ufffd",
        "tuple": [1, 2],
        "kind": "stuck",
        "other": "namespace(a=1)",
        "7": True,
    }
    line = encode(Record(0, 1.0, scrub(Noted("code", "text", {"deep": deep}), unchanged)))
    assert NESTED_TOO_DEEPLY.encode() in line
    ended = scrub(AttemptEnded(Outcome.FINISHED, duration=math.nan), unchanged)
    back = decode(encode(Record(0, 1.0, ended))).event
    assert isinstance(back, AttemptEnded)
    assert math.isnan(back.duration)


def test_secrets_are_masked_in_every_text() -> None:
    def mask(text: str) -> str:
        return text.replace("hunter22", "*****")

    for event in whole_attempt():
        for field in dataclasses.fields(event):
            value = getattr(event, field.name)
            if isinstance(value, str) and not isinstance(value, Enum):
                spoil: dict[str, Any] = {field.name: f"{value}hunter22"}
                spoiled = dataclasses.replace(event, **spoil)
                assert b"hunter22" not in encode(Record(0, 1.0, scrub(spoiled, mask)))
    observed = Observed("c", "t", {"hunter22": ["hunter22", {"a": ("hunter22",)}]}, "ok")
    clean = scrub(observed, mask)
    assert clean.arguments == {"*****": ["*****", {"a": ["*****"]}]}
    assert observed.arguments == {"hunter22": ["hunter22", {"a": ("hunter22",)}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "observd"}, "unknown kind of event 'observd' did you mean 'observed'?"),
        ({"kind": 3}, "unknown kind of event 3"),
        ({"added": 1}, "in 'observed': unknown field 'added': written by a newer version?"),
        ({"content": None}, "in 'observed': field 'content': wanted a text, found null"),
        ({"error": 1}, "in 'observed': field 'error': wanted true or false, found a whole number"),
        ({"exit_code": True}, "wanted a whole number, found true or false"),
        ({"arguments": []}, "wanted an object, found a list"),
        ({"seq": "0"}, "wanted a whole number, found a text"),
    ],
)
def test_a_line_of_another_version_is_refused_with_the_reason(
    change: dict[str, Any], message: str
) -> None:
    line = orjson.loads(encode(Record(0, 1.0, Observed("c", "t", {}, "x")))) | change
    with pytest.raises(Undecodable) as caught:
        decode(orjson.dumps(line))
    assert message in str(caught.value)


def test_fields_with_defaults_may_be_missing_and_others_may_not() -> None:
    line = b'{"kind":"attempt_ended","outcome":"stuck","seq":3,"at":2}'
    assert decode(line) == Record(3, 2.0, AttemptEnded(Outcome.STUCK))
    assert kind_of(line) == "attempt_ended"
    with pytest.raises(Undecodable, match="in 'attempt_ended': missing 'outcome'"):
        decode(b'{"kind":"attempt_ended","seq":3,"at":2}')
    with pytest.raises(Undecodable, match="unknown outcome 'stuk': did you mean 'stuck'"):
        decode(b'{"kind":"attempt_ended","outcome":"stuk","seq":3,"at":2}')
    with pytest.raises(Undecodable, match="without 'seq' and 'at'"):
        decode(b'{"kind":"attempt_ended","outcome":"stuck"}')


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\x00\x00", b'{"kind":', b"\xff\n"])
def test_a_line_that_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(line)
    with pytest.raises(Undecodable):
        kind_of(line)


def test_the_sample_has_every_kind_of_event() -> None:
    assert {type(event) for event in whole_attempt()} == set(get_args(events.Event))
    assert {AttemptStarted, Prompted} <= set(get_args(events.Event))
