"""The cases of pytest's output that real runs seldom show."""

from __future__ import annotations

from velora.grading.parsers.python.pytest_log import FRAMEWORK
from velora.grading.protocol import Parsed

HEAD = "============================= test session starts =============================="
SUMMARY = "=========================== short test summary info ============================"


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(result.status) for name, result in parsed.results.items()}


def log(*lines: str) -> Parsed:
    return FRAMEWORK.parse("\n".join(lines) + "\n")


def session(*lines: str, collected: int = 1, end: str = "=== 1 passed in 0.01s ===") -> list[str]:
    return [HEAD, f"collected {collected} items", "", *lines, end]


def test_several_sessions_in_one_log() -> None:
    parsed = log(
        *session("a.py .  [100%]", SUMMARY, "PASSED a.py::t"),
        "+ cd other",
        *session("b.py F  [100%]", SUMMARY, "FAILED b.py::t - x", end="=== 1 failed in 1.00s ==="),
    )
    assert statuses(parsed) == {"a.py::t": "PASSED", "b.py::t": "FAILED"}
    assert parsed.complete
    assert parsed.warnings == ()


def test_the_worst_of_several_sessions_stays() -> None:
    good = session("a.py .  [100%]", SUMMARY, "PASSED a.py::t")
    bad = session("a.py F  [100%]", SUMMARY, "FAILED a.py::t", end="=== 1 failed in 1.00s ===")
    assert statuses(log(*good, *bad)) == statuses(log(*bad, *good)) == {"a.py::t": "FAILED"}


def test_a_session_that_was_cut_before_the_next() -> None:
    parsed = log(
        HEAD,
        "collected 9 items",
        "a.py::one PASSED [ 10%]",
        "a.py::two PASSED [ 20%]",
        "a.py::three ",
        *session("b.py::t PASSED [100%]"),
    )
    assert statuses(parsed) == {
        "a.py::one": "PASSED",
        "a.py::two": "PASSED",
        "a.py::three": "ERROR",
        "b.py::t": "PASSED",
    }
    assert any("no end" in warning for warning in parsed.warnings)


def test_the_last_pass_of_a_cut_session_may_have_died_in_its_teardown() -> None:
    parsed = log(HEAD, "collected 9 items", "a.py::one PASSED [ 10%]", "a.py::two PASSED [ 20%]")
    assert statuses(parsed) == {"a.py::one": "PASSED", "a.py::two": "ERROR"}
    assert not parsed.complete


def test_a_cut_summary_shows_failures_only() -> None:
    parsed = log(
        HEAD, "collected 2 items", "a.py FE", SUMMARY, "PASSED a.py::t", "FAILED a.py::u - x"
    )
    assert statuses(parsed) == {"a.py::u": "FAILED"}


def test_a_printed_summary_is_no_evidence() -> None:
    parsed = log(
        HEAD,
        "collected 3 items",
        "a.py FFF [100%]",
        "=================================== FAILURES ===================================",
        SUMMARY,
        "PASSED a.py::one",
        "=== 1 passed in 0.01s ===",
        SUMMARY,
        "FAILED a.py::one",
        "FAILED a.py::two",
        "FAILED a.py::three",
        "=== 3 failed in 0.10s ===",
    )
    assert set(statuses(parsed).values()) == {"FAILED"}
    assert parsed.complete


def test_lines_outside_of_their_places_are_no_evidence() -> None:
    parsed = log(
        "PASSED a.py::before",
        "a.py::before PASSED [ 10%]",
        HEAD,
        "collected 1 item",
        "a.py . [100%]",
        "PASSED a.py::early",
        "==================================== PASSES ====================================",
        "a.py::late PASSED [100%]",
        SUMMARY,
        "PASSED a.py::real",
        "=== 1 passed in 0.01s ===",
        "PASSED a.py::after",
    )
    assert statuses(parsed) == {"a.py::real": "PASSED"}


def test_a_message_of_several_lines_cannot_add_passes() -> None:
    parsed = log(
        *session(
            "a.py .F [100%]",
            SUMMARY,
            "PASSED a.py::one",
            "FAILED a.py::two - AssertionError: first",
            "PASSED a.py::three",
            collected=2,
            end="=== 1 failed, 1 passed in 0.01s ===",
        )
    )
    assert statuses(parsed) == {"a.py::one": "PASSED", "a.py::two": "FAILED"}


def test_totals_that_differ_are_a_warning() -> None:
    parsed = log(*session("a.py .. [100%]", SUMMARY, "PASSED a.py::t", end="2 passed in 0.1s"))
    assert parsed.complete
    assert parsed.warnings == ("line 7: pytest counts 2 PASSED, the summary lists 1",)


def test_a_summary_without_a_session() -> None:
    parsed = log(SUMMARY, "PASSED a.py::t", "=== 1 passed in 0.01s ===")
    assert statuses(parsed) == {"a.py::t": "PASSED"}
    assert "without the session" in parsed.warnings[0]


def test_names_in_the_summary() -> None:
    parsed = log(
        *session(
            "a.py . [100%]",
            SUMMARY,
            "PASSED a.py::t[a - b] - c]",
            "SKIPPED [3] a.py:7: PASSED a.py::no",
            "SKIPPED a.py::unfolded - why - not",
            "XFAIL a.py::x - reason - more",
            "XPASS a.py::y a reason before pytest 8",
            "ERROR broken.py - ImportError: no - module",
            "ERROR broken2.py",
            "FAILED a.py::f[a - b] - assert 1 - 2",
            "FAILED a.py::g",
            "SUBFAILED[a::b - c] (i='x::y') a.py::h - Assert",
            "SUBFAIL a.py::k - Assert",
            end="=== 4 failed, 1 passed, 4 skipped, 1 xfailed, 1 xpassed, 2 errors in 0.01s ===",
        )
    )
    assert statuses(parsed) == {
        "a.py::t[a - b] - c]": "PASSED",
        "a.py::unfolded": "SKIPPED",
        "a.py::x": "XFAIL",
        "a.py::y": "XPASS",
        "broken.py": "ERROR",
        "broken2.py": "ERROR",
        "a.py::f[a - b]": "FAILED",
        "a.py::g": "FAILED",
        "a.py::h": "FAILED",
        "a.py::k": "FAILED",
    }
    assert parsed.warnings == ()


def test_names_in_progress_lines() -> None:
    parsed = log(
        *session(
            "a.py::t[x PASSED [ 10%] y] PASSED                      [ 10%]",
            "a.py::s[one (two] SKIPPED (because (of) PASSED)        [ 20%]",
            "a.py::count PASSED                                     [ 3/10]",
            "a.py::live ",
            "-------------------------------- live log call ---------------------------------",
            "INFO     root:a.py:1 hello",
            "PASSED                                                  [ 50%]",
            "a.py::shown some output",
            "FAILED",
            end="=== 1 failed, 3 passed, 1 skipped in 83.45s (0:01:23) ===",
        )
    )
    assert statuses(parsed) == {
        "a.py::t[x PASSED [ 10%] y]": "PASSED",
        "a.py::s[one (two]": "SKIPPED",
        "a.py::count": "PASSED",
        "a.py::live": "PASSED",
        "a.py::shown": "FAILED",
    }
    assert parsed.warnings == ()


def test_a_failed_subtest_out_of_sight_takes_the_parents_pass_away() -> None:
    lines = ["a.py::sub ", "a.py::sub PASSED [100%]"]
    hidden = log(*session(*lines, end="=== 1 failed, 1 passed in 0.1s ==="))
    assert statuses(hidden) == {}
    fine = log(*session(*lines, end="=== 1 passed, 2 subtests passed in 0.1s ==="))
    assert statuses(fine) == {"a.py::sub": "PASSED"}


def test_dots_alone_name_nothing() -> None:
    parsed = log("..F. [100%]", "1 failed, 3 passed in 0.1s")
    assert parsed == Parsed({}, complete=True)


def test_no_tests() -> None:
    assert log(HEAD, "collected 0 items", "", "=== no tests ran in 0.01s ===").complete
    assert FRAMEWORK.parse("") == Parsed()


def test_a_hostile_line_costs_little() -> None:
    for line in (
        "a::b " * 200_000,
        "FAILED a::b" + " - x" * 200_000,
        "=" * 1_000_000,
        "1 passed, " * 100_000,
        "SUBFAILED" + " a" * 200_000,
        "\x1b]" * 300_000,
        "\x1b[" * 300_000,
        "a::b SKIPPED (" * 100_000 + ")",
        "[gw0] " * 200_000,
    ):
        log(HEAD, line, SUMMARY, line)


def test_names_in_progress_lines_of_xdist() -> None:
    parsed = log(
        *session(
            "a.py::far[a b] ",
            "b.py::old ",
            "[gw11] [ 40%] PASSED a.py::far[a b] ",
            "[gw0] FAILED b.py::old ",
            end="=== 1 failed, 1 passed in 0.1s ===",
        )
    )
    assert statuses(parsed) == {"a.py::far[a b]": "PASSED", "b.py::old": "FAILED"}


def test_each_test_that_a_worker_began_is_in_flight_at_a_crash() -> None:
    lines = ["2 workers [9 items]", "a.py::one ", "a.py::two ", "[gw0] PASSED a.py::one "]
    parsed = log(HEAD, *lines, "a.py::three ")
    assert statuses(parsed) == {
        "a.py::one": "PASSED",
        "a.py::two": "ERROR",
        "a.py::three": "ERROR",
    }


def test_a_test_that_runs_pytest_shows_none_of_its_own() -> None:
    inner = session("x.py::t PASSED [100%]")
    lines = [HEAD, "collected 2 items", "", "a.py::runs " + HEAD, *inner[1:], "PASSED"]
    whole = log(*lines, "a.py::b FAILED", "=== 1 failed, 1 passed in 0.1s ===")
    assert statuses(whole) == {"a.py::runs": "PASSED", "a.py::b": "FAILED"}
    assert whole.complete
    cut = log(*lines[:-1])
    assert statuses(cut) == {"a.py::runs": "ERROR", "x.py::t": "PASSED"}
    assert not cut.complete


def test_output_that_looks_like_other_tests() -> None:
    lines = [
        "a.py::one some output",
        "a.py::other PASSED",
        "std::vector text",
        "PASSED",
        "a.py::two PASSED",
        "a.py::forged PASSED",
        "FAILED",
        "a.py::three textPASSED",
        "a.py::four PASSEDtext",
    ]
    parsed = log(*session(*lines, collected=4, end="=== 1 failed, 3 passed in 0.1s ==="))
    assert set(statuses(parsed)) == {"a.py::one"}
    fine = log(*session(*lines[-2:], collected=2, end="=== 2 passed in 0.1s ==="))
    assert statuses(fine) == {"a.py::three": "PASSED", "a.py::four": "PASSED"}


def test_passes_behind_failures_may_be_part_of_a_message() -> None:
    lines = ["a.py FF. [100%]", SUMMARY, "FAILED a.py::one - x", "PASSED a.py::two"]
    end = "=== 2 failed, 2 passed in 0.1s ==="
    assert statuses(log(*session(*lines, "FAILED a.py::three", end=end))) == {
        "a.py::one": "FAILED",
        "a.py::three": "FAILED",
    }
    end = "=== 1 failed, 1 passed in 0.1s ==="
    assert statuses(log(*session(*lines, end=end))) == {
        "a.py::one": "FAILED",
        "a.py::two": "PASSED",
    }


def test_a_last_line_within_a_message() -> None:
    parsed = log(
        *session(
            "a.py FF. [100%]",
            SUMMARY,
            "PASSED a.py::one",
            "FAILED a.py::two - first",
            "=== 99 passed in 0.01s ===",
            "FAILED a.py::three",
            end="=== 2 failed, 1 passed in 0.1s ===",
        )
    )
    assert statuses(parsed) == {
        "a.py::one": "PASSED",
        "a.py::two": "FAILED",
        "a.py::three": "FAILED",
    }
    assert parsed.warnings == ()


def test_stopped_early() -> None:
    bang = "!!!!!!!!!!!!!!!!!!!!!!!!!! stopping after 1 failures !!!!!!!!!!!!!!!!!!!!!!!!!!!"
    lines = ["a.py::t FAILED [ 10%]", SUMMARY, "FAILED a.py::t", bang]
    parsed = log(*session(*lines, collected=10, end="=== 1 failed in 0.1s ==="))
    assert statuses(parsed) == {"a.py::t": "FAILED"}
    assert parsed.complete


def test_collected_only() -> None:
    for end in ("=== 5 tests collected in 0.01s ===", "2/5 tests collected (3 deselected) in 0.1s"):
        found = "collected 5 items / 3 deselected / 2 selected" if "/" in end else "collected 5"
        assert log(HEAD, f"{found} items", "", "<Module a.py>", end).complete


def test_a_second_session_that_is_cut_off() -> None:
    parsed = log(*session("a.py::t PASSED [100%]"), HEAD, "collected 2 items", "", "b.py::t ")
    assert statuses(parsed) == {"a.py::t": "PASSED", "b.py::t": "ERROR"}
    assert not parsed.complete


def test_a_long_reason_goes_on_in_the_next_lines() -> None:
    parsed = log(
        *session(
            "a.py::s[x] SKIPPED (one",
            "a.py::forged PASSED",
            "two)                                                                     [ 50%]",
            "a.py::t PASSED                                                           [100%]",
            end="=== 1 passed, 1 skipped in 0.1s ===",
        )
    )
    assert statuses(parsed) == {"a.py::s[x]": "SKIPPED", "a.py::t": "PASSED"}
