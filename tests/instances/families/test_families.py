"""Each family's row, read: what the golden rows become. The rows are hand-made (see `rows`)."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import fields as fields_of
from typing import Any

import pytest

from tests.instances.families import rows
from tests.instances.families.rows import COMMIT, GOLD_COMMIT, KEPT, NAMES, PATCH, ROWS
from velora.errors import UsageError
from velora.grading.parsers import registry
from velora.instances import families
from velora.instances.families import swe_bench
from velora.instances.families.reverse import reversed_diff
from velora.instances.fields import instance_of
from velora.instances.model import Instance
from velora.instances.rows import Row

CONDA = ("source /opt/miniconda3/bin/activate", "conda activate testbed")
NO_SPECS = importlib.util.find_spec("swebench") is None


def of(row: dict[str, Any], family: str = "") -> Instance:
    return instance_of(Row("t.jsonl:1", row), family)


EXPECTED: dict[str, dict[str, Any]] = {
    "velora": {
        "instance_id": "acme__Widget-12",
        "image": "acme_widget:0123456",
        "repo_path": "/app/repo",
        "language": "python",
        "test_command": "source /saved/ENV || source /saved/*/ENV && pytest -rA",
        "test_output_parser": "python/parse_log_pytest_v3",
        "patch": PATCH,
        "image_names": (),
        "activation": (),
        "setup": (),
        "hide": (),
    },
    "swe_bench": {
        "instance_id": "acme__Widget-12",
        "image": "swebench/sweb.eval.x86_64.acme_1776_widget-12:latest",
        "image_names": (
            "swebench/sweb.eval.x86_64.acme_1776_widget-12",
            "sweb.eval.x86_64.acme__widget-12",
            "sweb.eval.arm64.acme__widget-12",
        ),
        "repo_path": "/testbed",
        "language": "python",
        "activation": (
            *CONDA,
            "cd /testbed",
            "export LANG=en_US.UTF-8",
            "cd /testbed",
            *CONDA,
            "python -m pip install -e .",
        ),
        "test_command": "pytest -rA tests/test_core.py",
        "test_output_parser": "pytest",
        "fail_to_pass": tuple(NAMES),
        "pass_to_pass": tuple(KEPT),
        "test_patches": (rows.TEST_PATCH,),
        "problems": (),
    },
    "swe_gym": {
        "image_names": ("xingyaoww/sweb.eval.x86_64.getmoto_s_moto-7",),
        "repo_path": "/testbed",
        "language": "python",
    },
    "swe_rebench": {
        "image": "swerebench/sweb.eval.x86_64.acme_1776_widget-12",
        "image_names": ("swerebench/sweb.eval.x86_64.acme_1776_widget-12",),
        "repo_path": "/testbed",
        "activation": (*CONDA, "export TZ=UTC", "export WORD='two words'"),
        "test_command": "pytest --no-header -rA --tb=line tests/test_core.py",
        "test_output_parser": "pytest",
        "fail_to_pass": tuple(NAMES),
        "problems": (),
    },
    "swe_rebench_v2": {
        "image": "docker.io/swerebenchv2/acme-widget:12-0123456",
        "repo_path": "/widget",
        "language": "go",
        "activation": (),
        "test_command": "set -e\ngo build ./...\ngo test -v ./...",
        "test_output_parser": "",
        "fail_to_pass": ("TestOne",),
        "problems": (),
    },
    "swe_bench_live": {
        "image": "starryzhang/sweb.eval.x86_64.acme_1776_widget-12",
        "repo_path": "",
        "activation": ("cd /testbed", "make build"),
        "test_command": "pytest -rA --junitxml=out.xml > test.log 2>&1\ncat test.log",
        "test_output_parser": "pytest",
        "problems": (),
    },
    "swe_smith": {
        "image": "swesmith.x86_64.acme__widget.0123abcd",
        "image_names": ("jyangballin/swesmith.x86_64.acme_1776_widget.0123abcd",),
        "repo_path": "/testbed",
        "patch": reversed_diff(PATCH),
        "activation": CONDA,
        "test_command": "pytest --disable-warnings --color=no --tb=no --verbose tests/test_core.py",
        "test_output_parser": "pytest",
        "restore": ("tests/test_core.py",),
        "problems": (),
    },
    "r2e_gym": {
        "instance_id": f"widget:{GOLD_COMMIT}",
        "image": f"namanjain12/widget_final:{GOLD_COMMIT}",
        "base_commit": "",
        "repo_path": "/testbed",
        "problem_statement": "one() gives 2",
        "fail_to_pass": ("Core.test_one",),
        "pass_to_pass": (),
        "hide": ("rm -rf /r2e_tests /root/r2e_tests r2e_tests run_tests.sh",),
        "restore": ("run_tests.sh", "r2e_tests"),
        "test_command": "bash run_tests.sh",
        "problems": (),
    },
    "multi_swe_bench": {
        "instance_id": "Acme__widget.js-12",
        "repo": "Acme/widget.js",
        "base_commit": COMMIT,
        "image_names": ("mswebench/acme_m_widget.js:pr-12",),
        "repo_path": "/home/widget.js",
        "language": "javascript",
        "patch": PATCH,
        "problem_statement": "one() gives 2\n\nIt should give 1.\n\ndocs",
        "fail_to_pass": ("one", "skipped", "new"),
        "pass_to_pass": ("kept",),
        "hide": ("rm -f /home/fix.patch /home/test.patch",),
        "test_command": "bash /home/velora-run.sh",
        "problems": (),
    },
    "swe_polybench": {
        "image_names": ("ghcr.io/timesler/swe-polybench.eval.x86_64.acme__widget-12",),
        "repo_path": "/app/widget",
        "language": "java",
        "test_command": "mvn -B test",
        "fail_to_pass": ("WidgetTest.one",),
        "pass_to_pass": ("WidgetTest.two",),
        "problems": (),
    },
    "swe_bench_pro": {
        "image_names": (f"jefzda/sweap-images:acme.widget-Acme__Widget-{GOLD_COMMIT}",),
        "repo_path": "/app",
        "problem_statement": "one() gives 2\n\nRequirements:\none() gives 1\n\n"
        "New interfaces:\none() -> int",
        "setup": (f"git reset --hard {COMMIT}", "git clean -fd", f"git checkout {COMMIT}"),
        "hide": (),
        "test_setup": (f"git checkout {GOLD_COMMIT} -- tests/test_core.py",),
        "activation": ("export A=1", "export B='two words'"),
        "fail_to_pass": tuple(NAMES),
        "problems": (),
    },
    "nemo": {
        "instance_id": "acme__Widget-12",
        "image": "swebench/sweb.eval.x86_64.acme_1776_widget-12:latest",
        "repo_path": "/testbed",
        "test_command": "pytest -rA tests/test_core.py",
        "fail_to_pass": tuple(NAMES),
        "patch": PATCH,
        "problems": (),
    },
}


@pytest.mark.parametrize("name", ROWS)
def test_a_golden_row_is_recognised_and_read(name: str) -> None:
    one = of(ROWS[name])
    assert one.family == name
    assert {key: getattr(one, key) for key in EXPECTED[name]} == EXPECTED[name]
    assert one.row == ROWS[name]  # as read, byte for byte


@pytest.mark.parametrize("name", ROWS)
def test_the_same_row_is_read_the_same_by_name_and_from_a_journal(name: str) -> None:
    by_name = of(ROWS[name], name)
    assert by_name.row == ROWS[name] | {"family": name}
    again = of(json.loads(json.dumps(by_name.row)))
    for field in fields_of(Instance):
        if field.name != "row":
            assert getattr(again, field.name) == getattr(of(ROWS[name]), field.name), field.name


@pytest.mark.parametrize("name", ROWS)
def test_rows_without_anything_in_them_break_nothing(name: str) -> None:
    blanks: list[Any] = [None, "", float("nan"), 7, [], {}]
    for blank in blanks:
        row: dict[str, Any] = {"instance_id": "a", "problem_statement": "b"}
        row |= {key: blank for key in ROWS[name] if key not in row}
        of(row, name)


def test_the_order_of_detection_names_each_family_once() -> None:
    assert list(families.FAMILIES) == [one.name for one in families.ORDER]
    assert set(families.FAMILIES) == set(ROWS)


def test_an_explicit_family_wins_and_an_unknown_one_is_told() -> None:
    assert of(rows.SWE_BENCH | {"family": "velora"}).family == "velora"
    assert of(rows.SWE_BENCH | {"family": "velora"}, "swe_gym").family == "swe_gym"
    (problem,) = of(rows.SWE_BENCH | {"family": "swe_bemch"}).problems
    assert "did you mean 'swe_bench'" in problem
    with pytest.raises(UsageError, match="no dataset family 'swebench'"):
        of(rows.SWE_BENCH, "swebench")


def test_a_test_command_of_its_own_makes_a_row_veloras() -> None:
    row = {key: value for key, value in rows.SWE_BENCH.items() if key != "image"}
    one = of(row | {"test_command": "make test"})
    assert (one.family, one.repo_path, one.test_command) == ("velora", "", "make test")


def test_veloras_rows_may_give_the_lists_themselves() -> None:
    one = of(rows.VELORA | {"setup": ["make clean"], "hide": "words of somebody else"})
    assert (one.setup, one.hide) == (("make clean",), ())


def test_every_parser_that_a_family_names_is_there() -> None:
    for name in {"pytest", *swe_bench.PARSERS.values()}:
        assert registry.resolve(name) == name


def test_the_pattern_of_nemos_images() -> None:
    assert of(rows.NEMO).image_names[0] == "registry.example/sweb.eval.x86_64.acme_1776_widget-12"
    sif = of(rows.NEMO | {"container_formatter": "/images/{instance_id}.sif"})
    assert sif.image_names[0].startswith("swebench/")
    other = {"instance_dict": {"FAIL_TO_PASS": ["t"]}, "dataset_name": "swe-bench-ext"}
    assert of(rows.NEMO | other).repo_path == "/workspace/repo"


def test_pro_cannot_be_graded_without_its_script() -> None:
    row = {key: value for key, value in rows.SWE_BENCH_PRO.items() if key != "run_script"}
    (problem,) = of(row).problems
    assert "run_scripts/<instance_id>/run_script.sh" in problem
    command = of(rows.SWE_BENCH_PRO).test_command
    assert command.splitlines()[1:3] == ["#!/bin/bash", 'pytest -rA "$1"']
    assert command.endswith("bash /tmp/velora_run_script.sh tests/test_core.py,tests/b.py")


def test_windows_tasks_are_refused() -> None:
    row = rows.SWE_BENCH_LIVE | {"docker_image": "starryzhang/sweb.eval.win.acme_1776_widget-12"}
    assert "Windows" in of(row).problems[0]


def test_smiths_other_languages_need_a_test_command() -> None:
    row = rows.SWE_SMITH | {"FAIL_TO_PASS": ["TestOne"], "PASS_TO_PASS": []}
    assert "put it into the row's test_command" in of(row).problems[0]
    one = of(row | {"test_command": "go test -v ./..."})
    assert (one.problems, one.test_command) == ((), "go test -v ./...")


def test_the_python_part_of_multi_swe_bench_lies_in_swe_benchs_images() -> None:
    row = rows.MULTI_SWE_BENCH | {"lang": "python", "eval_script": rows.EVAL_SCRIPT}
    one = of(row)
    assert one.image_names[0] == "swebench/sweb.eval.x86_64.acme_1776_widget.js-12"
    assert (one.repo_path, one.test_command) == ("/testbed", "pytest -rA tests/test_core.py")


@pytest.mark.skipif(not NO_SPECS, reason="the package swebench is installed")
def test_without_a_script_and_the_package_the_row_says_what_is_needed() -> None:
    row = {key: value for key, value in rows.SWE_BENCH.items() if key != "eval_script"}
    one = of(row)
    assert one.family == "swe_bench"
    assert one.problems == (swe_bench.NEEDS_SPECS,)
    assert "velora[swebench]" in one.problems[0]


@pytest.mark.skipif(NO_SPECS, reason="the package swebench is not installed")
def test_with_the_package_the_command_comes_from_its_tables() -> None:
    pytest.importorskip("swebench.harness.test_spec")
    row = {key: value for key, value in rows.SWE_BENCH.items() if key != "eval_script"}
    one = of(row | {"repo": "django/django", "instance_id": "django__django-1", "version": "4.0"})
    assert one.problems == ()
    assert one.test_command.startswith("./tests/runtests.py --verbosity 2")
    assert one.test_command.endswith("test_core")
    assert one.activation[:2] == CONDA
    assert one.test_output_parser == "django"
    assert not any("git apply" in line for line in one.activation)
    (problem,) = of(row).problems
    assert "knows no acme/widget 3.2" in problem


@pytest.mark.parametrize("family", sorted(families.FAMILIES))
def test_a_row_that_is_not_of_the_family_that_is_named(family: str) -> None:
    row = {"instance_id": "a__b-1", "problem_statement": "it breaks", "repo": "a/b"}
    instance = instance_of(Row("t.jsonl:1", row), family)
    named = [each for each in instance.problems if "has no field" in each]
    assert named == [each for each in instance.problems if each.startswith(f"family {family}: ")]
    needs = {"multi_swe_bench", "nemo", "r2e_gym", "swe_bench_live", "swe_rebench"}
    assert bool(named) or family not in needs
