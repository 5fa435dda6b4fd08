from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.images.names import computed, from_fields, text
from velora.instances.model import Instance


def names(ident: str, repo: str = "", prefix: str = "mswebench", **row: Any) -> list[str]:
    return [c.name for c in computed(Instance(ident, "", repo=repo, row=row), prefix)]


def test_the_seeds_instance() -> None:
    assert names("Tobymao__sqlglot-E604", "tobymao/sqlglot") == [
        "mswebench/sweb.eval.x86_64.tobymao_s_sqlglot-e604",
        "mswebench/tobymao_m_sqlglot:pr-E604",
        "swebench/sweb.eval.x86_64.tobymao_1776_sqlglot-e604",
        "sweb.eval.x86_64.tobymao__sqlglot-e604",
        "xingyaoww/sweb.eval.x86_64.tobymao_s_sqlglot-e604",
        "swerebench/sweb.eval.x86_64.tobymao_1776_sqlglot-e604",
        "starryzhang/sweb.eval.x86_64.tobymao_1776_sqlglot-e604",
    ]


@pytest.mark.parametrize("number", [12, "12", 12.0])
def test_the_rows_number_wins_over_the_id(number: object) -> None:
    assert "p/a_m_b:pr-12" in names("a__b-99", "A/B", "p/", number=number)


def test_an_id_that_fits_no_reference_gives_no_name() -> None:
    assert names("what ever/this: is", "a/b") == []


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_id_and_repo_give_references_or_nothing(ident: str, repo: str) -> None:
    for name in names(ident, repo):
        assert not set(name) & set(" \t\n\"'$;")
        assert name.isascii()


def test_fields() -> None:
    row = {"docker_image": "d:1", "image_name": float("nan"), "dockerhub_tag": "t"}
    assert [c.name for c in from_fields(row)] == ["d:1"]


def test_a_familys_names_come_before_the_harnesss_and_the_other_families_are_left_out() -> None:
    one = Instance("a__b-1", "", repo="a/b", family="swe_bench", image_names=("x/y", "y"))
    assert [(c.resolver, c.name) for c in computed(one, "p")] == [
        ("family swe_bench", "x/y"),
        ("family swe_bench", "y"),
        ("VeloraHarness, Python", "p/sweb.eval.x86_64.a_s_b-1"),
        ("Multi-SWE-bench", "p/a_m_b:pr-1"),
    ]


@pytest.mark.parametrize("blank", [None, "", "  ", float("nan"), "nan", "NaN", "None"])
def test_blank(blank: object) -> None:
    assert text(blank) == ""
