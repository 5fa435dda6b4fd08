from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from velora.sandbox.clip import Clip, Decoder


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(at)]


@given(st.binary(max_size=200), st.lists(st.integers(0, 1000), max_size=8))
def test_decoding_does_not_depend_on_chunks(data: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    text = "".join(decoder.decode(piece) for piece in pieces(data, cuts))
    text += decoder.decode(b"", final=True)
    assert text == data.decode("utf-8", "replace").replace("\r\n", "\n")


@given(st.text(max_size=200))
def test_a_terminals_newlines_are_undone(text: str) -> None:
    shown = text.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    decoder = Decoder()
    back = decoder.decode(shown) + decoder.decode(b"", final=True)
    assert back == text.encode("utf-8", "replace").decode()


@given(st.lists(st.text(max_size=30), max_size=20), st.integers(2, 40))
def test_head_and_tail(texts: list[str], limit: int) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    clip = Clip(limit)
    for text in texts:
        clip.add(text)
    whole = "".join(texts)
    head, tail, dropped = clip.finish()
    if len(whole) <= limit:
        assert (head, tail, dropped, clip.cut) == (whole, "", 0, False)
        return
    half = limit // 2
    assert (head, tail) == (whole[:half], whole[half - limit :])
    assert dropped == len(whole[half : half - limit].encode())


def test_full_text_goes_to_a_new_file(tmp_path: Path) -> None:
    for number in (1, 2):
        clip = Clip(10, tmp_path / "spill")
        for i in range(1000):
            clip.add(f"ä{i}\n")
        clip.finish()
        assert clip.spill == tmp_path / "spill" / f"output-{number:04d}.txt"
        assert clip.spill.read_text() == "".join(f"ä{i}\n" for i in range(1000))


def test_short_text_makes_no_file(tmp_path: Path) -> None:
    clip = Clip(10, tmp_path / "spill")
    clip.add("0123456789")
    assert clip.finish() == ("0123456789", "", 0)
    assert not (tmp_path / "spill").exists()
