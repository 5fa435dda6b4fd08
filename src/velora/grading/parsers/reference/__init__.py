"""Parsers that give exactly what VeloraHarness's parsers of the same names give, faults included.

The lists of tests in its datasets were made with them, so they tell which names a list means. They
are no evidence where a strict parser reads the same log: see `grading.verdict`.

Of a name that VeloraHarness has several functions for, the one of its client's reference harness
(`harness/log_parsers.py`) is meant; where that has none, its main evaluator's
(`eval_pilot2_standardized.py`), then `velora3_eval_multilang.py`'s, then `evaluate_task.py`'s.
`tests/grading/reference_rules.py` states the same rules a second time.
"""

from __future__ import annotations

from collections.abc import Callable

from velora.grading.parsers.framework import Framework, Reader
from velora.grading.parsers.reference import (
    cpp_rules,
    django_rules,
    go_rules,
    java_rules,
    javascript_rules,
    native_rules,
    php_rules,
    pytest_rules,
    ruby_rules,
    rust_rules,
    swelancer_rules,
    unittest_rules,
)

_PYTEST = ("pytest",)
_UNITTEST = ("unittest", "nose2", "django")
_JVM = ("surefire", "gradle", "ant-junit", "junit-console", "testng", "junit-xml")
_SCRIPT = ("jest", "vitest", "mocha", "ava", "jasmine", "karma", "node-test", "tape", "tap")
_GO = ("gotest", "gotest-json", "gotestsum")
_RUST = ("cargo", "nextest")
_NATIVE = (
    "gtest",
    "catch2",
    "doctest",
    "boost",
    "ctest",
    "automake",
    "meson",
    "check",
    "cmocka",
    "unity",
    "cppunit",
    "dejagnu",
    "tap",
    "junit-xml",
    "pass-fail",
)
_MAKE = (*_NATIVE, *_GO)

_TABLE: tuple[tuple[str, Callable[[], Reader], tuple[str, ...]], ...] = (
    ("python/parse_log_pytest", pytest_rules.PytestRules, _PYTEST),
    ("python/parse_log_pytest_v2", pytest_rules.Pytest2Rules, _PYTEST),
    ("python/parse_log_pytest_v3", pytest_rules.Pytest3Rules, _PYTEST),
    ("python/parse_log_tox", pytest_rules.Pytest3Rules, (*_PYTEST, *_UNITTEST)),
    ("python/parse_log_pytest_options", pytest_rules.OptionsRules, _PYTEST),
    ("python/parse_log_pytest_swesmith", pytest_rules.SwesmithRules, _PYTEST),
    ("python/parse_log_matplotlib", pytest_rules.MatplotlibRules, _PYTEST),
    ("python/parse_log_seaborn", pytest_rules.SeabornRules, _PYTEST),
    ("python/log_parser_hips_autograd", pytest_rules.AutogradRules, _PYTEST),
    ("python/log_parser_paramiko_paramiko", pytest_rules.ParamikoRules, _PYTEST),
    ("python/log_parser_python_mypy", pytest_rules.MypyRules, _PYTEST),
    ("python/parse_log_sympy", unittest_rules.SympyRules, ("sympy",)),
    ("python/parse_log_django", django_rules.DjangoRules, ("django", "unittest")),
    ("python/parse_log_unittest", unittest_rules.UnittestRules, _UNITTEST),
    ("python/log_parser_tornadoweb_tornado", unittest_rules.TornadoRules, _UNITTEST),
    ("python/log_parser_un33k_python_slugify", unittest_rules.SlugifyRules, _UNITTEST),
    ("java/parse_log_junit", java_rules.JunitRules, _JVM),
    ("java/parse_log_maven", java_rules.MavenRules, _JVM),
    ("javascript/parse_log_jest", javascript_rules.JestRules, _SCRIPT),
    ("javascript/parse_log_jest_json", javascript_rules.JestJsonRules, _SCRIPT),
    ("javascript/parse_log_mocha_json", javascript_rules.MochaJsonRules, _SCRIPT),
    ("javascript/parse_log_playwright", swelancer_rules.ExitCodeRules, _PYTEST),
    ("swelancer/parse_log_playwright", swelancer_rules.ExitCodeRules, _PYTEST),
    ("swelancer/parse_log_exitcode", swelancer_rules.ExitCodeRules, _PYTEST),
    ("go/parse_log_gotest_json", go_rules.GotestJsonRules, _GO),
    ("go/parse_log_gotest", go_rules.GotestRules, _GO),
    ("go/parse_log_go_test", go_rules.GoTestRules, _GO),
    ("rust/parse_log_cargo_test", rust_rules.CargoTestRules, _RUST),
    ("rust/parse_log_cargo", rust_rules.CargoRules, _RUST),
    ("c/parse_log_check_framework", native_rules.CheckRules, _NATIVE),
    ("cpp/parse_log_google_test", cpp_rules.CppRules, _NATIVE),
    ("cpp/parse_log_catch2", cpp_rules.CppRules, _NATIVE),
    ("c/parse_log_meson", native_rules.MesonRules, ("meson",)),
    ("cpp/parse_log_meson", native_rules.MesonRules, ("meson",)),
    ("generic/parse_log_make", native_rules.MakeRules, _MAKE),
    ("php/parse_log_phpunit", php_rules.PhpunitRules, ("phpunit", "pest")),
    ("ruby/parse_log_minitest", ruby_rules.MinitestRules, ("minitest", "test-unit")),
    ("parsers/ruby_minitest_parser.py", ruby_rules.MinitestRules, ("minitest", "test-unit")),
    ("ruby/parse_log_rspec", ruby_rules.RspecRules, ("rspec",)),
    ("ruby/parse_log_rspec_transformed_json", ruby_rules.RspecRules, ("rspec",)),
)

_DERIVED = {
    "java/parse_log_junit",
    "java/parse_log_maven",
    "javascript/parse_log_jest_json",
    "ruby/parse_log_rspec",
    "ruby/parse_log_rspec_transformed_json",
}

FRAMEWORKS: tuple[Framework, ...] = tuple(
    Framework(
        name,
        reader,
        names="as VeloraHarness names them",
        raw=True,
        strict=strict,
        derived=name in _DERIVED,
    )
    for name, reader, strict in _TABLE
)
