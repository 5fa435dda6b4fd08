"""What grading speaks of: statuses of tests, the verdict and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """A test's status in one run."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"
    XFAIL = "XFAIL"
    XPASS = "XPASS"


class _Result(NamedTuple):
    status: Status
    line: int = 0
    raw: str = ""
    duration: float | None = None
    flaky: bool = False
    invented: bool = False
    times: int = 1


class TestResult(_Result):
    """One test as a log shows it; a tuple, since a log may have millions of them and a frozen
    dataclass takes four times as long to make.

    Attributes:
        line: the number (from 1) of the line that decided.
        raw: that line, or what of it matters.
        duration: seconds, where the framework says; None elsewhere.
        flaky: it failed first and passed when the framework ran it again; `status` is the last.
        invented: the name is made up from counts: it names no test, and proves nothing.
        times: how many lines gave this name a status, where the parser keeps only the last.
    """

    __slots__ = ()
    __test__ = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser read.

    Attributes:
        results: by exact test name.
        complete: the log shows that the run came to its end (a summary line was seen).
        counted: how many tests ran by the framework's own count, of readers for frameworks that
            may name failing tests alone; 0 of others.
        warnings: contradictions, such as totals that differ from what was counted.
    """

    results: dict[str, TestResult] = field(default_factory=dict)
    complete: bool = False
    warnings: tuple[str, ...] = ()
    counted: int = 0


class Source(StrEnum):
    """Where results come from."""

    LOG = "log"  # a strict parser's reading of the log
    INNER = "inner"  # the same, of output that stands within another framework's
    REPORT = "report"  # a report file that the test framework wrote
    REFERENCE = "reference"  # VeloraHarness's rules on the log


@dataclass(frozen=True, slots=True)
class Evidence:
    """Results and where they come from.

    Attributes:
        derived: see `Framework.derived`.
    """

    source: Source
    parsed: Parsed
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """Something in a patch that a reader of its verdict should look at; see `tamper`.

    Attributes:
        hunk: where, as the patch has it.
        note: what came of looking into it; "" where nothing did.
    """

    kind: str
    path: str
    why: str
    hunk: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Falsified:
    """What the listed tests did with false assertions in them; see `falsify`.

    Attributes:
        checked: how many listed names had false assertions in their tests.
        failed: how many of them failed, as they should.
        missing: how many of them gave no result.
        passed: those that passed all the same.
        with_gold: those of `passed` that do not fail with the gold patch in the model's place
            either, and so prove nothing.
        proof: those that do: their passing is no evidence.
        files: the test files with false assertions.
        why_not: why nothing could be checked or proven; "" where it could.
    """

    checked: int = 0
    failed: int = 0
    missing: int = 0
    passed: tuple[str, ...] = ()
    with_gold: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class NameVerdict:
    """One listed test name.

    Attributes:
        status: the worst of the results that the name stands for; None where nothing proves
            anything about it.
        rule: how the name was matched (`exact`, ...), or why not (`missing`, `ambiguous`,
            `disagreement`, `reference_only`, `invented`, `not_run`); `fail_only`: nothing shows
            that it failed, and for this task that is enough.
        raw: the name in the log that decided.
        line: its line there, from 1.
        source: what decided; None where nothing did.
        matched: how many tests the name stands for.
        duration: seconds of that test, where its framework says.
        note: why the name did not pass, where status and rule do not say it.
    """

    name: str
    passed: bool
    status: Status | None
    rule: str
    raw: str = ""
    line: int = 0
    source: Source | None = None
    matched: int = 0
    duration: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Is the instance resolved? Only if there is evidence for every listed name.

    Attributes:
        reason: `resolved`, or the first thing in the way: `empty_patch`, `patch_apply_failed`,
            `tests_timed_out`, `no_tests_parsed`, `tests_failed`, `tests_missing`, `rigged`, ...
        patch_applied: None where there was no patch to apply.
        apply_log: each way tried to apply each patch, and how it went.
        quarantine: how the instance is unsound, where it is known to be; "" elsewhere.
        flags: what in the patch could turn a verdict green without mending anything.
        falsified: what came of making the tests false; None where that was not asked for.
        compat: what other graders' rules say of the same results, by their names; it decides
            nothing.
    """

    resolved: bool
    reason: str
    fail_to_pass: tuple[NameVerdict, ...] = ()
    pass_to_pass: tuple[NameVerdict, ...] = ()
    patch_exists: bool = False
    patch_applied: bool | None = None
    parser: str = ""
    exit_code: int | None = None
    timed_out: bool = False
    duration: float = 0.0
    apply_log: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    falsified: Falsified | None = None
    quarantine: str = ""
    compat: dict[str, str] = field(default_factory=dict)
