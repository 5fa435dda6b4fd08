"""Lines of RSpec, minitest and test-unit that the corpus does not show. Rails' reporter is written
by hand, from its format."""

from __future__ import annotations

from velora.grading.parsers import registry
from velora.grading.protocol import Parsed


def read(parser: str, text: str) -> Parsed:
    return registry.get(parser)[0].parse(text)


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(each.status) for name, each in parsed.results.items()}


FINISHED = "\nFinished in 0.1 seconds (files took 0.2 seconds to load)\n"


def test_two_runs_of_rspec_and_a_profile() -> None:
    first = "\nA\n  works\n" + FINISHED + "1 example, 0 failures\n"
    profile = (
        "\nTop 1 slowest examples (0.1 seconds, 2% of total time):\n  A works\n    0.1 seconds\n"
    )
    second = (
        "\nA\n  works (FAILED - 1)\n\nFailures:\n\n  1) A works\n     boom\n"
        + FINISHED
        + "1 example, 1 failure\n\nFailed examples:\n\nrspec ./a_spec.rb:3 # A works\n"
    )
    parsed = read("rspec", first + profile + second + profile)
    assert statuses(parsed) == {"A works": "FAILED"}
    assert parsed.complete


def test_what_an_example_prints_below_itself_makes_it_no_group() -> None:
    text = "\nA\n  one\n    printed\n  two\n  in B\n    three\n" + FINISHED
    parsed = read("rspec", text + "3 examples, 0 failures\n")
    assert statuses(parsed) == {"A one": "PASSED", "A two": "PASSED", "A in B three": "PASSED"}
    assert not parsed.warnings


def test_methods_of_classes_have_no_blank() -> None:
    text = "\nAcme::Stack\n  #push\n    works\n  when empty\n    .new\n      works\n" + FINISHED
    parsed = read("rspec", text + "2 examples, 0 failures\n")
    assert set(parsed.results) == {"Acme::Stack#push works", "Acme::Stack when empty .new works"}


def test_a_cut_documentation_loses_its_last_line() -> None:
    parsed = read("rspec", "\nA\n  one\n  two\n")
    assert statuses(parsed) == {"A one": "PASSED"}
    assert not parsed.complete


def test_failures_as_rails_prints_them() -> None:
    text = (
        "Run options: -v --seed 1\n\n# Running:\n\nPostTest#test_saves = 0.02 s = F\n\n\nFailure:\n"
        "PostTest#test_saves [test/post_test.rb:5]:\nExpected false to be truthy.\n\n\n"
        "bin/rails test test/post_test.rb:4\n\nPostTest#test_x_=_y = 0.01 s = .\n\n\n"
        "Finished in 0.1s, 2 runs/s, 2 assertions/s.\n"
        "2 runs, 2 assertions, 1 failures, 0 errors, 0 skips\n"
    )
    parsed = read("minitest", text)
    assert statuses(parsed) == {"PostTest#test_saves": "FAILED", "PostTest#test_x_=_y": "PASSED"}
    assert not parsed.warnings
    assert parsed.complete


def test_a_name_with_an_equals_sign() -> None:
    text = (
        "Maths#test_0001_x = y = 0.01 s = .\n\nFinished in 0.1s, 2 runs/s, 2 assertions/s.\n\n"
        "1 runs, 1 assertions, 0 failures, 0 errors, 0 skips\n"
    )
    assert statuses(read("minitest", text)) == {"Maths#test_0001_x = y": "PASSED"}


def test_more_minitest_tests_than_counted_leave_no_pass() -> None:
    text = (
        "A#test_forged = 0.00 s = .\nA#test_a = 0.01 s = .\n\n"
        "Finished in 0.1s, 2 runs/s, 2 assertions/s.\n\n"
        "1 runs, 1 assertions, 0 failures, 0 errors, 0 skips\n"
    )
    parsed = read("minitest", text)
    assert not parsed.results
    assert "1 tests counted, 2 named" in parsed.warnings[0]


def test_parallel_tests_of_a_cut_log_are_in_flight() -> None:
    parsed = read("minitest", "A#test_a = A#test_b = 0.10 s = .\n")
    assert statuses(parsed) == {"A#test_a": "ERROR", "A#test_b": "ERROR"}
