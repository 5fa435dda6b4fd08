from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from velora.sandbox.markers import Ended, Nonces, Scanner, Started, Text

N = Nonces(b"a" * 32, b"b" * 32)
START = b"\x1e%sS0\x1e%s." % (N.mark, N.mark)


def end(status: int, cwd: bytes) -> bytes:
    return b"\x1e%sE%d %s\r\n\x1e%s." % (N.mark, status, cwd.replace(b"\n", b"\r\n"), N.mark)


def prompt(pid: int, status: int, nonce: bytes = N.prompt) -> bytes:
    return b"\x1e%sP%d %d /\x1e%s." % (nonce, pid, status, nonce)


def scan(chunks: list[bytes], *, running: bool = False) -> list[Text | Started | Ended]:
    scanner = Scanner(pid=7)
    scanner.expect(N, running=running)
    events = [event for chunk in chunks for event in scanner.feed(chunk)]
    events += scanner.flush()
    joined: list[Text | Started | Ended] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, Text) and isinstance(last, Text) and last.late == event.late:
            joined[-1] = Text(last.data + event.data, event.late)
        else:
            joined.append(event)
    return joined


odd = st.lists(
    st.sampled_from(
        [b"\x1e", b"a" * 32, b"b" * 32, b"E", b"P", b"S0", b"1 ", b"$?", b".", b"x", b"\r\n"]
    ),
    max_size=12,
).map(b"".join)


@given(odd, st.binary(min_size=1, max_size=20), st.integers(0, 255), st.data())
def test_any_chunks_and_any_output(
    out: bytes, cwd: bytes, status: int, data: st.DataObject
) -> None:
    out = out.replace(N.mark, b"c" * 32)  # what a command cannot know
    out = out.replace(b"\x1e" + N.prompt + b"P", b"\x1e" + N.prompt + b"P$")
    cwd = b"/" + cwd.replace(b"\r", b"").replace(N.mark, b"").rstrip(b"\n")
    whole = b"echo" + START + out + end(status, cwd) + b"late"
    size = data.draw(st.integers(1, len(whole)))
    events = scan([whole[i : i + size] for i in range(0, len(whole), size)])
    expected: list[Text | Started | Ended] = [Text(b"echo", late=True), Started(True)]
    if out:
        expected.append(Text(out, late=False))
    assert events == [*expected, Ended(status, cwd, by_prompt=False), Text(b"late", late=True)]


def test_prompt_ends_only_for_its_own_shell() -> None:
    assert scan([prompt(8, 1)], running=True) == [Text(prompt(8, 1), late=False)]
    assert scan([prompt(7, 130)], running=True) == [Ended(130, b"/", by_prompt=True)]


def test_unexpanded_prompt_is_text() -> None:
    literal = b"\x1e%sP$$ $? ${PWD-}\x1e%s." % (N.prompt, N.prompt)
    assert scan([literal + end(0, b"/")], running=True) == [
        Text(literal, late=False),
        Ended(0, b"/", by_prompt=False),
    ]


def test_prompts_between_commands_are_dropped() -> None:
    shown = b"[1] Done\r\n" + prompt(7, 0, b"0" * 32) + b" . /file\r\n"
    assert scan([shown[:30], shown[30:]]) == [Text(b"[1] Done\r\n . /file\r\n", late=True)]


def test_text_is_not_held_back_for_ever() -> None:
    scanner = Scanner(pid=7)
    scanner.expect(N, running=True)
    assert list(scanner.feed(b"abc\x1e")) == [Text(b"abc", late=False)]
    assert list(scanner.feed(b"def")) == [Text(b"\x1edef", late=False)]
    head = b"\x1e" + N.prompt + b"P1 2 "
    assert list(scanner.feed(head)) == []
    assert sum(len(event.data) for event in scanner.feed(b"x" * 20_000) if isinstance(event, Text))
