"""The runs of which `python` makes logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

ENVIRONMENTS: dict[str, tuple[str, list[str]]] = {
    "pytest-4.6.11": (
        "3.7",
        ["pytest==4.6.11", "pytest-xdist<2", "pytest-rerunfailures<10", "pytest-timeout<2"],
    ),
    "pytest-5.4.3": (
        "3.8",
        ["pytest==5.4.3", "pytest-xdist<2", "pytest-rerunfailures<11", "pytest-subtests==0.5.0"],
    ),
    "pytest-6.2.5": (
        "3.9",
        ["pytest==6.2.5", "pytest-xdist", "pytest-rerunfailures", "pytest-subtests"],
    ),
    "pytest-7.4.4": (
        "3.10",
        ["pytest==7.4.4", "pytest-xdist", "pytest-rerunfailures", "pytest-subtests"],
    ),
    "pytest-8.4.2": (
        "3.12",
        ["pytest==8.4.2", "pytest-xdist", "pytest-rerunfailures", "pytest-subtests"],
    ),
    "pytest-9.0.2": (
        "3.13",
        ["pytest==9.0.2", "pytest-xdist", "pytest-rerunfailures", "pytest-timeout"],
    ),
    "nose": ("3.7", ["setuptools<58", "nose==1.3.7"]),
    "nose2-0.9.2": ("3.7", ["nose2==0.9.2"]),
    "nose2-0.16.0": ("3.12", ["nose2==0.16.0"]),
    "django-2.2": ("3.8", ["django==2.2.*", "tblib"]),
    "django-4.2": ("3.10", ["django==4.2.*", "tblib"]),
    "django-5.2": ("3.12", ["django==5.2.*", "tblib"]),
    "tox-3": ("3.8", ["tox<4", "pytest==7.4.4", "pytest-subtests"]),
    "tox-4": ("3.11", ["tox==4.*", "nox", "pytest==8.4.2"]),
    "sympy-1.5.1": ("3.8", ["sympy==1.5.1"]),
    "sympy-1.14.0": ("3.12", ["sympy==1.14.0"]),
    **{f"python-{minor}": (f"3.{minor}", list[str]()) for minor in range(6, 14)},
}
"""What to install, and on which Python."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Attributes:
        hides: says why the log does not show the name of a test that ended so, or "".
        rename: from the name that the truth has to ours.
    """

    framework: str
    name: str
    version: str
    env: str
    sample: str
    commands: list[list[str]]
    truth: str
    hides: Sequence[Callable[[str, str], str]] = ()
    warnings: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    rename: Callable[[str], str] = str
    auto: str = ""

    def hidden(self, name: str, status: str) -> str:
        """Why the log does not show this test, or ""."""
        return next((why for hides in self.hides if (why := hides(name, status))), "")


PYTEST_ALL = [
    "sample_basic.py",
    "sample_unittest.py",
    "sample_collect.py",
    "sample_skipmodule.py",
]
PYTEST: dict[str, list[list[str]]] = {
    "rows": [
        ["-rA", "--tb=no", "--continue-on-collection-errors", *PYTEST_ALL, "sub/sample_flaky.py"]
    ],
    "verbose": [["-v", "--continue-on-collection-errors", "--tb=short", *PYTEST_ALL]],
    "captured": [["-rA", "--tb=short", "sample_basic.py", "sample_nested.py"]],
    "color": [["-v", "-rA", "--color=yes", "--tb=short", "sample_basic.py", "sample_unittest.py"]],
    "quiet": [["-q", "-rA", "--tb=line", "sample_basic.py", "sample_unittest.py"]],
    "nocapture": [["-v", "-s", "--tb=no", "sample_basic.py", "sample_odd.py", "sample_nested.py"]],
    "xdist": [["-v", "-n", "2", "--tb=no", "sample_basic.py", "sample_unittest.py"]],
    "worker": [["-v", "-n", "2", "--tb=no", "sample_crash.py"]],
    "rerun": [["-v", "-rA", "--tb=no", "--reruns", "3", "sub/sample_flaky.py"]],
    "rerun-xdist": [["-v", "-n", "2", "--tb=no", "--reruns", "3", "sub/sample_flaky.py"]],
    "stop": [["-v", "-x", "--tb=no", "sample_basic.py"]],
    "interrupted": [["-v", "--tb=no", "sample_collect.py", "sample_basic.py"]],
    "crash": [["-v", "-rA", "sample_crash.py"]],
    "odd": [["-v", "-rA", "--tb=no", "sample_odd.py"]],
    "odd-verbose": [["-vv", "--tb=short", "sample_odd.py"]],
    "odd-xdist": [["-v", "-rA", "-n", "2", "--tb=no", "sample_odd.py"]],
    "unfolded": [["-rA", "--no-fold-skipped", "--tb=no", "sample_basic.py", "sample_odd.py"]],
    "doctest": [["-v", "--doctest-modules", "--doctest-glob=*.txt", "sample_docs.py", "guide.txt"]],
    "subtests": [["-v", "--tb=no", "sample_subtests.py", "sample_unittest.py"]],
    "subtests-old": [
        ["-v", "--tb=no", "sample_subtests.py", "sample_unittest.py", "-k", "not is_"],
    ],
    "subtests-rows": [["-rA", "--tb=no", "sample_subtests.py", "sample_unittest.py"]],
    "subtests-xdist": [["-v", "-n", "2", "--tb=no", "sample_subtests.py", "sample_unittest.py"]],
    "timeout": [["-v", "--timeout=1", "--timeout-method=thread", "sample_hang.py"]],
    "timeout-signal": [["-v", "--tb=no", "--timeout=1", "sample_hang.py::test_hangs"]],
    "several": [
        ["-v", "--tb=no", "sample_unittest.py"],
        ["-v", "--tb=no", "sample_unittest.py::Sub", "sub/sample_flaky.py"],
    ],
    "several-cut": [
        ["-v", "sample_crash.py"],
        ["-v", "--tb=no", "sub/sample_flaky.py"],
    ],
    "durations": [["-v", "--tb=no", "--durations=0", "-vv", "sample_basic.py"]],
    "times": [["-v", "--tb=no", "-o", "console_output_style=times", "sample_unittest.py"]],
    "live": [["-v", "--tb=no", "-o", "log_cli=true", "sample_odd.py"]],
}
EVERY_PYTEST = ("rows", "verbose")
PYTEST_VERSIONS = {
    "4.6.11": (*EVERY_PYTEST, "quiet", "xdist", "rerun", "crash", "odd"),
    "5.4.3": (*EVERY_PYTEST, "subtests-old"),
    "6.2.5": (*EVERY_PYTEST, "nocapture"),
    "7.4.4": (*EVERY_PYTEST, "subtests", "odd"),
    "8.4.2": (*EVERY_PYTEST, "subtests", "subtests-rows", "subtests-xdist"),
    "9.0.2": tuple(case for case in PYTEST if case != "subtests-old"),
}
FOLDED = ("rows", "captured", "quiet", "subtests-rows")
PYTEST_WARNINGS = {
    "crash": ["no end"],
    "timeout": ["no end"],
    "several-cut": ["no end"],
    "subtests-old": ["the progress lines show"],  # passed sub-tests too
    "nocapture": ["the progress lines show"],
    "live": ["the progress lines show"],
}
"""`SKIPPED [1] file:line: why`."""


def _folded(name: str, status: str) -> str:
    return "the short summary folds skipped tests without their names" * (status == "SKIPPED")


def _forging(name: str, status: str) -> str:
    forging = name.endswith(("test_prints_lookalikes", "test_forges_on_stderr"))
    return "its output holds verdicts, so that its own may be printed" * forging


def pytest_cases() -> Iterator[Case]:
    """pytest's."""
    for version, cases in PYTEST_VERSIONS.items():
        for case in cases:
            begin = ["python", "-m", "pytest", "-p", "truth_plugin", "-c", "/dev/null"]
            begin += ["--rootdir=.", "-p", "no:cacheprovider", "-o", "python_files=sample_*.py"]
            yield Case(
                "pytest",
                f"{version}-{case}",
                f"pytest {version}, Python {ENVIRONMENTS[f'pytest-{version}'][0]}",
                f"pytest-{version}",
                "pytest",
                [begin + args for args in PYTEST[case]],
                "plug-in: the reports of each test's phases",
                hides=[*[_folded][: case in FOLDED], *[_forging][: case == "nocapture"]],
                warnings=PYTEST_WARNINGS.get(case, []),
                environ={"NO_COLOR": ""} if case == "color" else {},
            )


UNITTEST_ALL = ["pkg.sample_all", "pkg.sample_broken", "pkg.sample_module", "sample_good"]
UNITTEST: dict[str, list[list[str]]] = {
    "verbose": [["-v", *UNITTEST_ALL]],
    "dots": [UNITTEST_ALL],
    "buffered": [["-v", "-b", *UNITTEST_ALL]],
    "good": [["-v", "sample_good"]],
    "nested": [["-v", "pkg.sample_nested"]],
    "crash": [["-v", "sample_crash"]],
    "stop": [["-v", "-f", "pkg.sample_all.Ends"]],
    "several": [["-v", "sample_good"], ["-v", "pkg.sample_all.Ends", "pkg.sample_all.Subs"]],
    "several-cut": [["-v", "sample_crash"], ["-v", "sample_good"]],
    "last-cut": [["-v", "sample_good"], ["-v", "sample_crash"]],
    "durations": [["-v", "--durations", "0", "sample_good", "pkg.sample_all.Ends"]],
}
UNITTEST_EXTRA = {
    6: ("dots", "crash"),
    10: ("dots", "buffered", "good", "nested", "crash"),
    13: tuple(case for case in UNITTEST if case != "verbose"),
}
UNITTEST_WARNINGS = {
    "dots": ["no -v?"],
    "crash": ["cut off"],
    "several-cut": ["cut off"],
    "last-cut": ["cut off"],
    "buffered": ["lines after the totals look like tests"],  # stdout comes last
}


def _unnamed(name: str, status: str) -> str:
    return "without -v only failures and errors are named" * (status not in ("FAILED", "ERROR"))


def _class_skip(name: str, status: str) -> str:
    skipped = name.startswith("setUpClass (") and status == "SKIPPED"
    return "a class that skips itself is not listed before Python 3.11" * skipped


def _behind(name: str, status: str) -> str:
    passed = status == "PASSED" and name.startswith("sample_crash.")
    return "a list without totals behind another run's may be what its tests printed" * passed


def unittest_cases() -> Iterator[Case]:
    """unittest's."""
    for minor in range(6, 14):
        for case in ("verbose", *UNITTEST_EXTRA.get(minor, ())):
            yield Case(
                "unittest",
                f"3.{minor}-{case}",
                f"Python 3.{minor}",
                f"python-{minor}",
                "unittest",
                [["python", "truth_main.py", *args] for args in UNITTEST[case]],
                "plug-in: a result class",
                hides=[
                    *[_unnamed][: case == "dots"],
                    *[_class_skip][: minor < 11],
                    *[_behind][: case == "last-cut"],
                ],
                warnings=UNITTEST_WARNINGS.get(case, []),
            )


DJANGO: dict[str, list[str]] = {
    "verbose": ["-v", "2"],
    "default": [],
    "parallel": ["-v", "2", "--parallel", "2", "--exclude-tag", "forges"],
    "quiet": ["-v", "0"],
    "buffered": ["-v", "2", "--buffer", "--timing", "shop.test_items"],
}


def django_cases() -> Iterator[Case]:
    """Django's."""
    for version in ("2.2", "4.2", "5.2"):
        for case, args in DJANGO.items():
            if version == "5.2" or case in ("verbose", "parallel"):
                yield Case(
                    "django",
                    f"{version}-{case}",
                    f"Django {version}, Python {ENVIRONMENTS[f'django-{version}'][0]}",
                    f"django-{version}",
                    "django",
                    [["python", "manage.py", "test", *args]],
                    "plug-in: a result class",
                    hides=[
                        *[_unnamed][: case in ("default", "quiet")],
                        *[_class_skip][: version < "5"],
                    ],
                    warnings=["no -v?"] if case in ("default", "quiet") else [],
                    auto="unittest",
                )


NAMED = ["--junit-xml-path", "junit.xml"]


def nose_cases() -> Iterator[Case]:
    """nose's and nose2's."""
    for version in ("0.9.2", "0.16.0"):
        for case, args in (("verbose", ["-v"]), ("default", []), ("unittest", ["-v"])):
            ours = case != "unittest"
            yield Case(
                "nose2",
                f"{version}-{case}",
                f"nose2 {version}, Python {ENVIRONMENTS[f'nose2-{version}'][0]}",
                f"nose2-{version}",
                "nose2" if ours else "unittest",
                [["nose2", *args, "--plugin", "nose2.plugins.junitxml", "--junit-xml", *NAMED]],
                "junit",
                hides=[_unnamed] if case == "default" else [],
                auto="" if case == "verbose" else "unittest",
            )
    for case, args in (("verbose", ["-v"]), ("default", [])):
        yield Case(
            "nose",
            f"1.3.7-{case}",
            "nose 1.3.7, Python 3.7",
            "nose",
            "nose",
            [["nosetests", *args, "--with-xunit", "--xunit-file=junit.xml"]],
            "junit",
            hides=[_unnamed] if case == "default" else [_docstring],
            warnings=["tests ran"],
            auto="nose2",
        )


def _docstring(name: str, status: str) -> str:
    return "its docstring stands in its place" * name.endswith("test_with_docstring")


SYMPY: dict[str, list[list[str]]] = {
    "verbose": [["test_sample.py", "test_broken.py", "test_good.py"]],
    "quiet": [["quiet", "test_sample.py", "test_good.py"]],
    "color": [["color", "test_sample.py"]],
    "crash": [["test_good.py", "test_crash.py"]],
    "several": [["test_good.py"], ["test_sample.py"]],
}


def sympy_cases() -> Iterator[Case]:
    """SymPy's."""
    for version in ("1.5.1", "1.14.0"):
        for case, runs in SYMPY.items():
            if version == "1.14.0" or case == "verbose":
                yield Case(
                    "sympy",
                    f"{version}-{case}",
                    f"SymPy {version}, Python {ENVIRONMENTS[f'sympy-{version}'][0]}",
                    f"sympy-{version}",
                    "sympy",
                    [["python", "run.py", *args] for args in runs],
                    "plug-in: a reporter",
                    hides=[_unseen][: case == "quiet"],
                    warnings=["has no end"] if case == "crash" else [],
                )


def _unseen(name: str, status: str) -> str:
    shown = status in ("FAILED", "ERROR", "XPASS")
    return "without verbose output only failures and unexpected passes are named" * (not shown)


def tox_cases() -> Iterator[Case]:
    """pytest's and unittest's within tox and nox."""
    for framework, env, case, command in (
        ("pytest", "tox-3", "tox-3", ["tox"]),
        ("pytest", "tox-4", "tox-4", ["tox"]),
        ("pytest", "tox-4", "tox-4-parallel", ["tox", "-p", "2"]),
        ("pytest", "tox-4", "nox", ["nox"]),
        ("unittest", "tox-3", "tox-3", ["tox"]),
        ("unittest", "tox-4", "tox-4", ["tox"]),
    ):
        yield Case(
            framework,
            case,
            f"{command[0]}, {', '.join(ENVIRONMENTS[env][1])}, Python {ENVIRONMENTS[env][0]}",
            env,
            framework,
            [command],
            "plug-in: the reports of each test's phases"
            if framework == "pytest"
            else "plug-in: a result class",
        )


CASES: tuple[Case, ...] = (
    *pytest_cases(),
    *unittest_cases(),
    *django_cases(),
    *nose_cases(),
    *sympy_cases(),
    *tox_cases(),
)
