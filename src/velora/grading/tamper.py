"""What in a model's patch could turn a verdict green without mending anything.

Tests run in the same process as the code that a patch changes, so no runner can be fully defended
from within. What a patch touches can be told, though, and here it is told with the hunk:

`runner`
    a file that decides which tests run and how they are reported: `conftest.py`, `pytest.ini`,
    `jest.config.js`, `.rspec`, `sitecustomize.py`; and one of the next kind whose changed lines
    speak of tests. A verdict that is green with such a file must be green without it too: `grade`
    runs the tests again with these files as the image has them.
`build`
    a file that builds the project and may configure its tests: `pyproject.toml`, `package.json`,
    `pom.xml`. Fixes need to change these, so this is only told.
`test`
    a file that matches the language's patterns for tests; such are put back before the tests run.
`suspicious`
    an added line that writes what a runner would write, ends the process at once or reaches into
    the runner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from velora.grading.patchfile import Hunk, hunks, paths
from velora.grading.protocol import Flag
from velora.languages import Profile
from velora.patch.hygiene import matches

RUNNER, BUILD, TEST, SUSPICIOUS = "runner", "build", "test", "suspicious"

_SHOWN = 2000  # characters of a hunk

_SUSPICIOUS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bos\._exit\s*\(|\b_exit\s*\(|\bRuntime\.getRuntime\(\)\.halt\b|\bprocess\.reallyExit\b",
        r"\bos\.kill\s*\(\s*os\.get(?:p)?pid|\bkill\s+-9\s+\$\$|/proc/(?:self|\d+)/fd\b",
        r"\b(?:sys\.modules|importlib)\b.*\b(?:pytest|_pytest|unittest)\b|\b_pytest\.",
        r"\bdef pytest_\w+\s*\(|\bpytest_plugins\s*=|\bhookwrapper\b|\bhookimpl\b",
        r"\b(?:unittest|TestResult|TextTestRunner|TestCase)\.\w*\s*=[^=]",
        r"\bTextTestResult\b|\bmakeReport\b|\bTestReport\b.*\boutcome\b|\.outcome\s*=[^=]",
        r"test session starts|short test summary info|\bRan \S+ tests? in\b|\bpassed in \S*s\b",
        r"(?:^|[\"'`(\s])(?:---\s(?:PASS|FAIL):|\[\s+(?:OK|PASSED)\s+\]|ok \d+ - |test result: ok)",
        r"\.\.\. ok\b|[✓✔]\s|\bPASSED\b|\bBUILD SUCCESS\b|Tests run: \d|<testcase\b|<testsuites?\b",
        r"\b(?:PYTEST_ADDOPTS|PYTEST_CURRENT_TEST|GTEST_OUTPUT|SPEC_OPTS|junitxml)\b",
        r"\bRSpec\.configur|\bMinitest\.(?:after_run|autorun|reporter)|\bjest\.(?:mock|fn)\b.*expect",
        r"\b(?:global(?:This)?|window)\.(?:expect|it|test|describe)\s*=|\bexpect\.extend\b",
        r"\bcollect_ignore(?:_glob)?\b|\b__test__\s*=\s*False|\bdeselect\b|\bpassWithNoTests\b",
        r"\batexit\.register\b|\bfaulthandler\b|\bsys\.(?:exitfunc|excepthook|settrace|__stdout__)\b",
        r"\bassert[\w'\")]*\.\w+\s*=[^=]|\bprocess\.(?:exit|kill|ppid)\b|\bSystem\.exit\b",
        # A name of Python's own that is put together from pieces hides from this list.
        r"['\"]_{1,2}\w*['\"]\s*\+|\+\s*['\"]\w*__['\"]|\btype\s*\(\s*['\"]\w+['\"]\s*,",
        r"\b__(?:eq|ne)__\b|\bbuiltins\.\w+\s*=[^=]|\bmock\b.*\bANY\b|\bdef assert[A-Z_]\w*\s*\(",
        r"^\s*(?:import|from)\s+_?(?:pytest|unittest|pluggy)\b|\bsys\.meta_path\b",
        r"\bsetattr\s*\(\s*\w*(?:unittest|TestCase|pytest|builtins|Session|Function|Item)\b",
        r"\bgc\.get_(?:objects|referrers)\b|\bsys\._getframe\b|\binspect\.(?:stack|currentframe)\b",
        r"\bsys\.(?:exit|modules\[.*\])\s*=[^=]|\bsys\.modules\b.*__main__|\bctypes\.pythonapi\b",
        r"\bexcept\b.*\b(?:SystemExit|BaseException|AssertionError)\b|\b__test__\b",
        r"\.(?:(?:deepS|s)trictEqual|deepEqual|to(?:Strict)?Equal|toBe)\s*=[^=]",
        r"\bObject\.is\s*=[^=]|\.assert\w+\s*=[^=]|\b__import__\s*\(",
        r"\basymmetricMatch\b|\bjest\.asymmetricMatcher\b|\bsetState\b.*\bmatchers?\b",
        r"\b(?:defineProperty|assign)\s*\(\s*(?:require\s*\(|assert\b|expect\b|global)",
        r"\brequire\.cache\b|\bModule\._(?:load|extensions|resolveFilename)\b",
        r"\bprocess\.(?:exitCode\b|(?:on|once)\s*\(\s*['\"](?:exit|beforeExit|uncaughtException))",
        r"\b(?:Function|Error|Promise|Object)\.prototype(?:\.\w+|\[.*\])\s*=[^=]",
    )
)

_OF_TESTS = re.compile(
    rb"pytest|addopts|jest|mocha|vitest|\bava\b|\bc8\b|karma|jasmine|\"test\"\s*:|surefire|skipTests|"
    rb"failIfNoTests|testng|junit|phpunit|rspec|minitest|add_test|ctest|harness\s*=|\[\[test\]\]|"
    rb"test[_-]?(?:command|runner|suite|paths?|dir|match|regex)",
    re.IGNORECASE,
)


def inspect(patch: bytes, profile: Profile) -> tuple[Flag, ...]:
    """Everything in a patch that a reader of its verdict should look at, in the patch's order."""
    return tuple(_flags(patch, profile))


def runner_files(patch: bytes, profile: Profile) -> tuple[bytes, ...]:
    """The files of a patch that decide which tests run and how they are reported."""
    found = list(hunks(patch))
    return tuple(path for path in paths(patch) if _is_runner(path, found, profile))


def _is_runner(path: bytes, found: Sequence[Hunk], profile: Profile) -> bool:
    if matches(path, profile.runner):
        return True
    return matches(path, profile.build) and any(
        _OF_TESTS.search(line) for hunk in found if hunk.path == path for line in hunk.changed
    )


def test_files(patch: bytes, gold: bytes, profile: Profile) -> tuple[bytes, ...]:
    """The test files of a patch, but for those that the gold patch touches too.

    What a task needs there comes with its test patches, since data sets part the two by such
    patterns; so the image's versions are what its lists were made with.
    """
    kept = frozenset(paths(gold))
    return tuple(p for p in paths(patch) if matches(p, profile.tests) and p not in kept)


def _flags(patch: bytes, profile: Profile) -> Iterator[Flag]:
    found = list(hunks(patch))
    for raw in paths(patch):
        path = _text(raw)
        here = [hunk for hunk in found if hunk.path == raw]
        first = _show(here[0]) if here else ""
        if _is_runner(raw, found, profile):
            yield Flag(RUNNER, path, "decides which tests run and how they are reported", first)
        elif matches(raw, profile.build):
            yield Flag(BUILD, path, "builds the project and may configure its tests", first)
        elif matches(raw, profile.tests):
            yield Flag(TEST, path, "is a test file", first)
        for hunk in here:
            for line in hunk.added:
                text = line.decode("utf-8", "replace")[:_SHOWN]
                if match := next((m for p in _SUSPICIOUS if (m := p.search(text))), None):
                    yield Flag(SUSPICIOUS, path, f"adds {match[0].strip()!r}", _show(hunk))
                    break


def _show(hunk: Hunk) -> str:
    text = b"\n".join(hunk.lines).decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n[{len(text) - _SHOWN} more]"


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
