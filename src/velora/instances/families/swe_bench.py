"""SWE-bench: Full, Lite, Verified, Multimodal, Multilingual, all in one form.

Rows of version 5 hold their `eval_script`. Older rows have none: what runs their tests stands in
tables of the package `swebench` (extra `swebench`, a version 4, which still has them) by repository
and version. Without either the test command is unknown, and the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.instances.decode import Undecodable, decode_patches
from velora.instances.families.cells import has, image, names, text
from velora.instances.families.eval_script import split
from velora.instances.families.protocol import Family, Fields

PARSERS = {
    "parse_log_cargo": "cargo",
    "parse_log_django": "django",
    "parse_log_googletest": "gtest",
    "parse_log_gotest": "gotest",
    "parse_log_jest": "jest",
    "parse_log_karma": "karma",
    "parse_log_minitest": "minitest",
    "parse_log_phpunit": "phpunit",
    "parse_log_seaborn": "pytest",
    "parse_log_sympy": "sympy",
    "parse_log_vitest": "vitest",
    **dict.fromkeys(
        (
            "parse_log_pytest",
            "parse_log_pytest_options",
            "parse_log_pytest_v2",
            "parse_log_astroid",
            "parse_log_astropy",
            "parse_log_flask",
            "parse_log_marshmallow",
            "parse_log_matplotlib",
            "parse_log_pvlib",
            "parse_log_pydicom",
            "parse_log_pylint",
            "parse_log_pyvista",
            "parse_log_requests",
            "parse_log_scikit",
            "parse_log_sphinx",
            "parse_log_sqlfluff",
            "parse_log_xarray",
        ),
        "pytest",
    ),
}
"""SWE-bench's parsers by the strict one for the same framework; the others are left to `auto`."""

FAIL_ONLY = frozenset(
    {
        "bpmn-io/bpmn-js",
        "chartjs/Chart.js",
        "eslint/eslint",
        "markedjs/marked",
        "openlayers/openlayers",
        "processing/p5.js",
    }
)
"""Repositories whose tests' output names failing tests alone, as SWE-bench 5 lists them."""

NEEDS_SPECS = (
    "the row has no eval_script, so its test command stands in the tables of the package "
    "swebench, which is not installed: pip install 'velora[swebench]'"
)


def detect(row: Mapping[str, Any]) -> bool:
    """SWE-bench's own fields, and no test command beside them."""
    if text(row, "test_command"):  # whoever wrote it there means it to be run as it is
        return False
    return has(row, "version", "environment_setup_commit") or has(row, "eval_script", "eval_type")


def adapt(row: Mapping[str, Any]) -> Fields:
    """Image, environment and test command."""
    ident = text(row, "instance_id")
    fields: Fields = {
        "image_names": names(
            (
                image("swebench", ident),
                image("", ident, "__"),
                image("", ident, "__", "arm64"),
            )
        ),
        "repo_path": text(row, "repo_path") or "/testbed",
    }
    return fields | tests_of(row)


def tests_of(row: Mapping[str, Any]) -> Fields:
    """The test command and what goes before it, from the row's script or the package's tables."""
    if text(row, "test_command"):
        return {}
    script, log_parser = text(row, "eval_script"), text(row, "log_parser")
    if not script:
        try:
            script, log_parser = _from_specs(row)
        except Undecodable as error:
            return {"problems": (str(error),)}
    taken = split(script)
    if taken is None:
        return {"problems": ("eval_script has no test command between its two markers",)}
    fields: Fields = {"activation": taken.activation, "test_command": taken.command}
    if not text(row, "test_output_parser") and log_parser in PARSERS:
        fields["test_output_parser"] = PARSERS[log_parser]
    if not text(row, "language") and any("conda activate" in line for line in taken.activation):
        fields["language"] = "python"
    return fields


def fail_only(row: Mapping[str, Any]) -> bool:
    """A row of these repositories, unless it says otherwise itself."""
    return text(row, "repo") in FAIL_ONLY and text(row, "eval_type") in ("", "fail_only")


def _from_specs(row: Mapping[str, Any]) -> tuple[str, str]:
    """The script that SWE-bench 4 would run, and its parser's name. Needs no network."""
    try:
        from swebench.harness.constants import MAP_REPO_VERSION_TO_SPECS as SPECS
        from swebench.harness.log_parsers import MAP_REPO_TO_PARSER as LOG_PARSERS
        from swebench.harness.test_spec.create_scripts import make_eval_script_list
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "swebench":
            raise Undecodable(f"the package swebench cannot be used: {error}") from None
        raise Undecodable(NEEDS_SPECS) from None
    repo, version = text(row, "repo"), str(row.get("version", "")).strip()
    specs = SPECS.get(repo, {}).get(version)
    if specs is None:
        raise Undecodable(
            f"the row has no eval_script, and the package swebench knows no {repo} {version}"
        )
    patch = "\n".join(decode_patches(row.get("test_patch"), "test_patch"))
    plain = {**row, "version": version, "test_patch": patch}
    commit = text(row, "base_commit")
    commands = make_eval_script_list(plain, specs, "testbed", "/testbed", commit, patch)
    parser = LOG_PARSERS.get(repo)
    return "\n".join(commands), getattr(parser, "__name__", "")


FAMILY = Family("swe_bench", detect, adapt, fail_only)
