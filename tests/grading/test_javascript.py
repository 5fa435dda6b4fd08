"""JavaScript's runners: what their logs in `logs` do not show. The texts are written by hand after
their output, but for those that a comment names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.grading.parsers import registry
from velora.grading.parsers.javascript.settle import Group, settle
from velora.grading.parsers.javascript.titles import bare_timed, timed, timed_tight
from velora.grading.protocol import Status, TestResult

NAMES = ("jest", "vitest", "mocha", "ava", "tape", "node-test", "jasmine", "karma", "tap")


def statuses(name: str, text: str) -> dict[str, str]:
    parsed = registry.parse(name, text).parsed
    return {test: str(result.status) for test, result in parsed.results.items()}


JEST = """\
PASS src/a.test.js
  outer
    ✓ works (3 ms)

{printed}FAIL src/b.test.js
  ✕ fails (2 ms)

  ● fails

    no

Test Suites: 1 failed, 1 passed, 2 total
Tests:       1 failed, 1 passed, 2 total
Snapshots:   0 total
Time:        0.3 s
"""
TRUE_JEST = {"src/a.test.js > outer > works": "PASSED", "src/b.test.js > fails": "FAILED"}


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "✓ fails\n  ✓ fails\n",
        "Tests:       9 passed, 9 total\nTime:        1 s\n",
        "PASS src/b.test.js\n  ✓ fails\n",
        "PASS src/c.test.js\n  ✓ one (1 ms)\n  ✓ two (1 ms)\n\n",
    ],
)
def test_jest_believes_no_printed_block(printed: str) -> None:
    assert statuses("jest", JEST.format(printed=printed)) == TRUE_JEST


def test_jest_believes_no_pass_where_the_printed_block_may_be_any() -> None:
    printed = "PASS src/c.test.js\n  ✓ one (1 ms)\n\nPASS src/d.test.js\n  ✓ two (1 ms)\n\n"
    parsed = registry.parse("jest", JEST.format(printed=printed)).parsed
    assert not [name for name, each in parsed.results.items() if each.status == "PASSED"]
    assert "no pass is believed" in parsed.warnings[0]


def test_jest_repeats_failures_of_many_files() -> None:
    summary = "Summary of all failing tests\nFAIL src/b.test.js\n  ● fails\n\n    no\n\n"
    text = JEST.format(printed="").replace("Test Suites:", summary + "Test Suites:")
    parsed = registry.parse("jest", text).parsed
    assert {name: str(each.status) for name, each in parsed.results.items()} == TRUE_JEST
    assert parsed.warnings == ()


def test_jest_runs_after_one_another() -> None:
    again = JEST.format(printed="").replace("✓ works", "✕ works").replace("1 passed, 2", "2")
    again = again.replace("Tests:       1 failed", "Tests:       2 failed")
    parsed = registry.parse("jest", JEST.format(printed="") + again).parsed
    assert parsed.results["src/a.test.js > outer > works"].status == "FAILED"
    assert parsed.complete
    cut = registry.parse("jest", JEST.format(printed="") + again.partition("Test Suites")[0])
    assert not cut.parsed.complete


def test_jest_shows_a_project_and_files_of_the_root() -> None:
    text = "PASS unit  ./a.test.js (5.1 s)\n  ✓ works (1.5 s)\n"
    (name, result), *rest = registry.parse("jest", text).parsed.results.items()
    assert (name, result.duration, rest) == ("a.test.js > works", 1.5, [])


VITEST = """\
 RUN  v3.2.7 /repo

 ✓ src/a.test.js > works 1ms
{printed} ✓ src/a.test.js > loads 1ms
 × src/a.test.js > fails 2ms
   → no

⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  src/a.test.js > fails
Error: no
 FAIL  src/a.test.js > works
⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[1/1]⎯

 Test Files  1 failed (1)
      Tests  1 failed | 2 passed (3)
   Start at  10:00:00
   Duration  300ms (transform 20ms)
"""
TRUE_VITEST = {
    "src/a.test.js > works": "PASSED",
    "src/a.test.js > loads": "PASSED",
    "src/a.test.js > fails": "FAILED",
}


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "✓ src/a.test.js > fails 1ms\n",
        "   ✓ src/a.test.js > fails 1ms\n",
        "stdout | src/a.test.js > loads\n ✓ src/a.test.js > fails 1ms\n\n",
        "      Tests  9 passed (9)\n",
        " ✓ src/b.test.js > phantom 1ms\n",
    ],
)
def test_vitest_believes_no_printed_verdict(printed: str) -> None:
    assert statuses("vitest", VITEST.format(printed=printed)) == TRUE_VITEST


def test_vitest_lists_no_more_passes_than_a_file_counts() -> None:
    text = " RUN  v3.0.0 /r\n\n ❯ a.test.js (2 tests | 1 failed) 3ms\n   × b 1ms\n     → no\n"
    text += "   ✓ c 1ms\n   ✓ d 1ms\n"
    assert statuses("vitest", text) == {"a.test.js > b": "FAILED"}


MOCHA = """\


  outer
    ✔ works
{printed}    1) fails
    inner
      ✔ works

  2 passing (9ms)
  1 failing

  1) outer
       fails:
     Error: no

  ✔ phantom
"""
TRUE_MOCHA = {
    "outer > works": "PASSED",
    "outer > fails": "FAILED",
    "outer > inner > works": "PASSED",
}


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "✔ phantom\n",
        "        ✔ phantom\n",
        "    2) phantom\n",
        "  9 passing (1ms)\n",
        "\n  9 passing (1ms)\n\n",
        "    a line that looks like a suite\n",
    ],
)
def test_mocha_believes_no_printed_verdict(printed: str) -> None:
    text = MOCHA.format(printed=printed).replace("\n  ✔ phantom\n", "")
    assert statuses("mocha", text) == TRUE_MOCHA


def test_mocha_believes_nothing_behind_the_totals() -> None:
    parsed = registry.parse("mocha", MOCHA.format(printed="")).parsed
    assert {name: str(each.status) for name, each in parsed.results.items()} == TRUE_MOCHA
    assert "verdicts behind the last totals" in parsed.warnings[0]


def test_mocha_runs_after_one_another() -> None:
    text = MOCHA.format(printed="").replace("\n  ✔ phantom\n", "")
    other = "\n\n  other\n    ✔ works\n\n\n  1 passing (1ms)\n"
    parsed = registry.parse("mocha", text + other).parsed
    assert parsed.complete
    assert {*parsed.results} == {*TRUE_MOCHA, "other > works"}


def test_node_test_believes_a_suite_that_is_closed() -> None:
    text = "▶ printed\n  ✔ phantom (1.1ms)\n▶ outer\n  ✖ fails (1.2ms)\n✖ outer (2.5ms)\n"
    words = ("tests", "suites", "pass", "fail", "cancelled", "skipped", "todo", "duration_ms")
    totals = "".join(f"ℹ {word} 1\n" for word in words)
    assert statuses("node-test", text + totals) == {"outer > fails": "FAILED", "outer": "FAILED"}


def test_node_test_of_early_20_closes_a_suite_without_a_verdict() -> None:
    text = "▶ outer\n  ✔ works (1.1ms)\n▶ outer (2.5ms)\n"
    assert statuses("node-test", text) == {"outer > works": "PASSED"}


def test_ava_cuts_the_message_where_nothing_repeats_the_title() -> None:
    text = "\n  ✔ works (1.2s)\n  ✘ [fail]: a › b Error thrown in test\n"
    assert statuses("ava", text) == {"works": "PASSED", "a › b": "FAILED"}


def test_ava_drops_passes_that_the_totals_do_not_count() -> None:
    text = "\n  ✔ works\n  ✔ printed\n  ─\n\n  1 test passed\n"
    assert statuses("ava", text) == {}


@pytest.mark.parametrize(
    ("read", "shown", "expected"),
    [
        (timed, "adds (12 ms)", ("adds", 0.012)),
        (timed, "adds (1.5 s)", ("adds", 1.5)),
        (timed, "adds (12ms)", ("adds (12ms)", None)),
        (timed_tight, "adds (12ms)", ("adds", 0.012)),
        (timed_tight, "adds (12 ms)", ("adds (12 ms)", None)),
        (timed_tight, "adds (1.2.3ms)", ("adds (1.2.3ms)", None)),
        (bare_timed, "adds 3ms", ("adds", 0.003)),
        (bare_timed, "adds terms", ("adds terms", None)),
    ],
)
def test_times_do_not_belong_to_titles(read, shown, expected) -> None:  # type: ignore[no-untyped-def]
    title, seconds = read(shown)
    assert (title, seconds) == (expected[0], pytest.approx(expected[1]))


def _group(title: str, **counts: int) -> Group:
    group = Group(title, [(title, TestResult(Status.PASSED))])
    group.counts.update(counts)
    return group


def test_settle() -> None:
    groups = [_group("a", passed=1, failed=1), _group("b", passed=2)]
    assert settle(groups, {"passed": 3, "failed": 1}) == (groups, "")
    assert settle(groups, {"passed": 9}) == (groups, "")
    believed, warning = settle(groups, {"passed": 1, "failed": 1})
    assert [group.title for group in believed] == ["a"]
    assert "a test printed 'b'" in warning
    believed, warning = settle(groups, {"passed": 0})
    assert [group.tests for group in believed] == [[], []]


PIECES = st.sampled_from(
    [
        *JEST.splitlines(),
        *VITEST.splitlines(),
        *MOCHA.splitlines(),
        "▶ outer",
        "  ✔ works (1.5ms)",
        "✖ outer (1.5ms)",
        "✖ failing tests:",
        "ℹ tests 1",
        "ℹ duration_ms 1.5",
        "test at a.mjs:1:1",
        "  ─",
        "  ✘ [fail]: a › b no",
        "  1 test failed",
        "  a › b",
        "TAP version 13",
        "ok 1 - a",
        "not ok 2 - b # TODO",
        "    ok 1 - c {",
        "    1..1",
        "}",
        "1..2",
        "  ---",
        "  ...",
        "# title",
        "# pass  1",
        "Started",
        "Jasmine started",
        "Failures:",
        "1) outer works",
        "  Message:",
        "Suite error: outer",
        "3 specs, 1 failure",
        "Finished in 1 seconds",
        "Executed 1 of 2 specs (1 FAILED) in 1 sec.",
        "Chrome 1 (Linux) outer works FAILED",
        "Chrome 1 (Linux): Executed 2 of 2 (1 FAILED) (0.1 secs / 0 secs)",
        "LOG: 'text",
        "TOTAL: 1 FAILED, 5 SUCCESS",
        "✔ 5 tests completed",
        "  ✓ a",
        "    * b",
        "",
    ]
)
LOGS = st.lists(
    st.tuples(PIECES | st.text(max_size=20), st.sampled_from(["\n", "\r\n", "\r"]))
).map(lambda parts: "".join(piece + end for piece, end in parts))


@given(LOGS)
@settings(max_examples=300)
def test_no_text_is_too_odd(text: str) -> None:
    count = text.count("\n") + 1
    for name in (*NAMES, "auto"):
        for result in registry.parse(name, text).parsed.results.values():
            assert isinstance(result.status, Status)
            assert 1 <= result.line <= count


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "line",
    [
        "ok 1" + " " * 50_000 + "x",
        "ok 1 - " + "# " * 50_000,
        "  ✔ " + " (1" * 50_000 + ")",
        " ✓ a.js " + "(1 test | " * 20_000,
        " " * 100_000,
        "PASS " + "  " * 50_000 + "x",
        "a: Executed 1 of 1" + " (a" * 300 + ")",
        "Test Suites: " + "1 failed, " * 20_000,
        "▶ " + " (1ms" * 50_000 + ")",
    ],
)
def test_no_line_takes_more_than_linear_time(name: str, line: str) -> None:
    starts = {"ava": "  ─\n", "vitest": " ✓ a.js (1 test)\n", "jest": "PASS a.js\n"}
    begun = time.process_time()
    registry.parse(name, starts.get(name, "") + (line + "\n") * 3)
    assert time.process_time() - begun < 2
