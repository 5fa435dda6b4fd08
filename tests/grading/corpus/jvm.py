"""Makes the logs of Java's frameworks: `python -m tests.grading.corpus.jvm [FRAMEWORK...]`.

It takes the tools and libraries of Debian 12: maven-debian-helper, libsurefire-java, junit4,
junit5, gradle, ant-optional, testng, clojure. Names of frameworks as arguments choose among them.
The truth is the frameworks' XML reports, read here by themselves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
LOGS = HERE.parent / "logs"
SAMPLES = HERE.parent.parent / "fixtures/grading"
JARS = Path("/usr/share/java")

CLOJURE = ("clojure", "spec-alpha", "core-specs-alpha")
SEVERITY = ["PASSED", "SKIPPED", "FAILED", "ERROR"]
Results = dict[str, str]


def full_name(suite: str, test: str) -> str:
    """The name of a test case of a report."""
    return f"{suite}.{test}" if test and suite != test else suite


@dataclass(frozen=True, slots=True)
class Case:
    """One log to make. `extra` are results that the reports lack, with the reason in `note`."""

    framework: str
    name: str
    version: str
    project: str
    command: list[str]
    truth: str = "TEST-*.xml, by ElementTree"
    complete: bool = True
    extra: Results = field(default_factory=dict)
    hidden: Callable[[str, str], str] = lambda name, status: ""
    warnings: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    reports: str = "**/TEST-*.xml"
    rename: Callable[[str, str], str] = full_name
    reader: Callable[[Path], Results] | None = None

    def read(self, cwd: Path) -> Results:
        """The truth, without what the reports lack."""
        if self.reader is not None:
            return self.reader(cwd)
        return read_reports(cwd.glob(self.reports), self.rename)


def read_reports(paths: Iterable[Path], rename: Callable[[str, str], str]) -> Results:
    """The worst status of each test case."""
    results: Results = {}
    for path in sorted(paths):
        for case in ElementTree.parse(path).iter("testcase"):
            tags = {child.tag for child in case}
            status = "PASSED"
            for tag, meaning in (("skipped", "SKIPPED"), ("failure", "FAILED"), ("error", "ERROR")):
                status = meaning if tag in tags else status
            name = rename(case.get("classname", ""), case.get("name", ""))
            results[name] = max(status, results.get(name, status), key=SEVERITY.index)
    return results


def run(case: Case, tmp: Path) -> tuple[bytes, Path]:
    """The output of a case, and where it ran."""
    cwd = tmp / "repo"
    shutil.rmtree(cwd, ignore_errors=True)
    shutil.copytree(SAMPLES / case.project, cwd)
    for name in case.files:
        shutil.copy(SAMPLES / "jvm" / name, cwd)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp / "home"), "LANG": "C.UTF-8"}
    environment |= {k: v for k, v in os.environ.items() if k.startswith("npm_config_")}
    environment |= case.environment
    done = subprocess.run(
        case.command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=900,
    )
    log = done.stdout.replace(str(cwd).encode(), b"/repo").replace(str(tmp).encode(), b"/tmp")
    return log, cwd


def make(case: Case, tmp: Path) -> None:
    """Write a case's log and truth."""
    log, cwd = run(case, tmp)
    results = case.read(cwd) | case.extra
    hidden = {n: why for n, s in results.items() if (why := case.hidden(n, s))}
    write(case, log, results, hidden)


def write(case: Case, log: bytes, results: Results, hidden: dict[str, str]) -> None:
    """Put a log and its truth into the corpus."""
    place = LOGS / case.framework
    place.mkdir(parents=True, exist_ok=True)
    truth: dict[str, object] = {
        "version": case.version,
        "command": " ".join(case.command) + f"  # in {case.project}",
        "truth": case.truth,
        "complete": case.complete,
        "results": results,
    }
    if hidden:
        truth["hidden"] = hidden
    if case.warnings:
        truth["warnings"] = case.warnings
    stem = f"{re.split('[ ,]', case.version)[0]}-{case.name}"
    (place / f"{stem}.txt").write_bytes(log)
    text = json.dumps(truth, indent=1, sort_keys=True, ensure_ascii=False)
    (place / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    print(f"{case.framework}/{stem}: {len(results)} results, {len(log)} bytes", flush=True)


def failures_only(name: str, status: str) -> str:
    """What a report of failures alone hides."""
    return "" if status in ("FAILED", "ERROR") else "only failures are listed"


def surefire() -> list[Case]:
    """Maven Surefire, as Debian patches it."""
    maven = ["mvn", "-B", "-o", "-s", "/etc/maven/settings-debian.xml"]
    plain = ["-Dsurefire.useFile=false", "-Dsurefire.reportFormat=plain"]
    version = "2.22.3, JUnit {}, Maven 3.8.7"

    def case(name: str, project: str, junit: str, *options: str, **more: object) -> Case:
        command = [*maven, *options, "test"]
        full = version.format(junit)
        return Case("surefire", name, full, f"jvm/{project}", command, **more)  # type: ignore[arg-type]

    def nested(name: str, status: str) -> str:
        failed = failures_only(name, status)
        return "the row has no class" if failed and ".CalcTest" in name else ""

    died = {"com.acme.CrashTest": "ERROR"}
    return [
        case("junit4", "junit4", "4.13.2", hidden=failures_only),
        case("junit4-plain", "junit4", "4.13.2", *plain),
        case(
            "junit4-long-traces",
            "junit4",
            "4.13.2",
            *plain,
            "-DtrimStackTrace=false",
            "-Dtest=ParamTest,SetUpTest",
        ),
        case("junit4-quiet", "junit4", "4.13.2", "-q", hidden=failures_only),
        case("junit4-colour", "junit4", "4.13.2", *plain, "-Dstyle.color=always"),
        case("junit5", "junit5", "5.9.2", hidden=failures_only),
        case("junit5-plain", "junit5", "5.9.2", *plain, hidden=nested),
        case("parallel-modules", "", "4.13.2 and 5.9.2", "-T", "2", "-fae", hidden=failures_only),
        case("flaky", "flaky", "4.13.2", *plain, "-Dsurefire.rerunFailingTestsCount=2"),
        case(
            "crash",
            "crash",
            "4.13.2",
            *plain,
            "-Dsurefire.runOrder=alphabetical",
            truth="TEST-*.xml, by ElementTree; com.acme.CrashTest, which died, has none",
            complete=False,
            extra=died,
            warnings=["CrashTest has no results"],
        ),
        case("broken", "broken", "4.13.2", complete=False, warnings=["compilation error"]),
    ]


def gradle() -> list[Case]:
    """Gradle 4.4, as Debian patches it for newer Java."""
    build = ["gradle", "--offline", "--no-daemon"]

    def read(cwd: Path) -> Results:
        words = {"SUCCESS": "PASSED", "FAILURE": "FAILED", "SKIPPED": "SKIPPED"}
        results: Results = {}
        path = cwd / "truth.tsv"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            suite, test, word = line.split("\t")
            name = test if test.startswith(suite + ".") else f"{suite}.{test}"
            results[name] = max(words[word], results.get(name, ""), key=order)
        return results

    def case(name: str, project: str, *options: str, **more: object) -> Case:
        return Case(
            "gradle",
            name,
            "4.4.1, JUnit 4.13.2",
            f"jvm/{project}",
            [*build, *options, "test"],
            truth="an afterTest listener in build.gradle",
            files=["build.gradle"],
            reader=read,
            **more,  # type: ignore[arg-type]
        )

    loud = "-Pevents=started,passed,failed,skipped,standard_out,standard_error"
    died = "the process died before Gradle heard of it"
    lost = ("CrashTest.testA", "CrashTest.testB")
    return [
        case("junit4", "junit4"),
        case("output", "junit4", loud, "-Pfull"),
        case("rich", "junit4", "--console=rich", "-Pforks", "-Pevents=passed,failed,skipped"),
        case("failures", "junit4", "-Pevents=failed,skipped", hidden=unlisted),
        case(
            "crash",
            "crash",
            loud,
            complete=False,
            extra={"com.acme.CrashTest.testB": "ERROR"},
            hidden=lambda name, status: died if name.endswith(lost) else "",
            warnings=["a test process died"],
        ),
        case("broken", "broken", complete=True),
    ]


def ant() -> list[Case]:
    """Ant's junit task."""

    def rename(suite: str, test: str) -> str:
        return test if suite == "junit.framework.TestSuite" else full_name(suite, test)

    def case(name: str, project: str, *options: str, **more: object) -> Case:
        return Case(
            "ant-junit",
            name,
            "1.10.13, JUnit 4.13.2",
            f"jvm/{project}",
            ["ant", *options],
            files=["build.xml"],
            reports="reports/TEST-*.xml",
            rename=rename,
            **more,  # type: ignore[arg-type]
        )

    def nested(name: str, status: str) -> str:
        return "the row has no class" if "OuterTest" in name and status == "PASSED" else ""

    return [
        case("plain", "junit4", hidden=nested),
        case("emacs", "junit4", "-emacs", "-Dsummary=withOutAndErr", hidden=nested),
        case("brief", "junit4", "-Dformatter=brief", hidden=unlisted),
        case("crash", "crash", "-Dfork=perTest"),
    ]


def testng() -> list[Case]:
    """TestNG, run by itself."""
    path = ":".join(["build", *(str(JARS / f"{name}.jar") for name in ("testng", "jcommander"))])
    java = f"java -cp {path} org.testng.TestNG -d reports -testclass com.acme.CalcTest"
    compile_ = f"mkdir build && javac -encoding UTF-8 -d build -cp {path} src/com/acme/*.java"

    def read(cwd: Path) -> Results:
        words = {"PASS": "PASSED", "FAIL": "FAILED", "SKIP": "SKIPPED"}
        results: Results = {}
        root = ElementTree.parse(cwd / "reports/testng-results.xml")
        for method in root.iter("test-method"):
            values = [(value.text or "").strip() for value in method.iter("value")]
            shown = [v if v.isdigit() else f'"{v}"' for v in values]
            name = method.get("name", "") + (f"({', '.join(shown)})" if shown else "")
            status = words[method.get("status", "")]
            if method.get("is-config"):
                name, status = f"@BeforeClass {name}", "ERROR"
            results[name] = status
        return results

    def case(name: str, options: str, **more: object) -> Case:
        command = ["sh", "-c", f"{compile_} && {java}{options}"]
        version = "6.9.12"
        truth = "testng-results.xml, by ElementTree"
        return Case("testng", name, version, "jvm/testng", command, truth, reader=read, **more)  # type: ignore[arg-type]

    return [
        case("verbose", ",com.acme.SetUpTest -verbose 2"),
        case("default", " -verbose 1", hidden=lambda name, status: "only totals are printed"),
    ]


def junit_console() -> list[Case]:
    """JUnit's ConsoleLauncher, run by itself."""
    parts = "jupiter-api jupiter-params jupiter-engine platform-commons platform-console"
    parts += " platform-engine platform-launcher platform-reporting"
    names = [f"junit-{part}" for part in parts.split()]
    names += ["opentest4j", "apiguardian-api", "picocli", "univocity-parsers"]
    path = ":".join(["build", *(str(JARS / f"{name}.jar") for name in names)])
    compile_ = (
        f"mkdir build && javac -encoding UTF-8 -d build -cp {path} $(find src -name '*.java')"
    )
    java = f"java -cp {path} org.junit.platform.console.ConsoleLauncher --scan-classpath build"

    def read(cwd: Path) -> Results:
        """The unique id of each test tells its place, all but the names that are shown for it."""
        shown = {"Deep": "and very deep"}
        results: Results = {}
        for case in ElementTree.parse(cwd / "reports/TEST-junit-jupiter.xml").iter("testcase"):
            said = "".join(out.text or "" for out in case.iter("system-out"))
            unique = re.findall(r"\[([\w-]+):([^]]*)\]", said.partition("display-name: ")[0])
            last = re.search(r"^display-name: ?(.*)$", said, re.M)
            nodes = [
                value.rpartition(".")[2] if kind == "class" else value for kind, value in unique
            ]
            nodes = [re.sub(r"[\w.]+\.(\w+)(?=[,)])", r"\1", shown.get(n, n)) for n in nodes]
            tags = {child.tag for child in case}
            status = "FAILED" if tags & {"failure", "error"} else "PASSED"
            status = "SKIPPED" if "skipped" in tags else status
            results[" > ".join([*nodes[1:-1], last[1] if last else ""])] = status
        return results

    def case(name: str, options: str) -> Case:
        return Case(
            "junit-console",
            name,
            "1.9.1, JUnit 5.9.2",
            "jvm/junit5",
            ["sh", "-c", f"{compile_} && {java} --reports-dir reports {options}"],
            truth="TEST-junit-jupiter.xml, by the unique ids in it",
            extra={"SetUpTest": "FAILED"},
            hidden=lambda test, status: "its class has the mark" if "NeverRuns" in test else "",
            reader=read,
        )

    return [
        case("tree", "--disable-banner"),
        case("ascii", "--details-theme ascii --disable-ansi-colors"),
    ]


def clojure() -> list[Case]:
    """clojure.test's own report; the truth is its JUnit report of a second run."""
    path = ":".join([".", *(str(JARS / f"{n}.jar") for n in CLOJURE)])
    java = f"java -cp {path} clojure.main -e"
    spaces = "'calc.core-test 'calc.good-test"
    load = f"(require 'clojure.test 'clojure.test.junit {spaces})"
    tests = f"(clojure.test/run-tests {spaces})"
    xml = f"(clojure.test.junit/with-junit-output {tests})"
    command = f'{java} "{load}{xml}" > reports.xml; {java} "{load}{tests}"'

    def read(cwd: Path) -> Results:
        text = (cwd / "reports.xml").read_text(encoding="utf-8")
        place = cwd / "TEST-clojure.xml"
        place.write_text(text[: text.index("</testsuites>") + 13], encoding="utf-8")
        return read_reports([place], lambda suite, test: f"{suite}/{test}")

    return [
        Case(
            "clojure-test",
            "default",
            "1.11.1",
            "clojure-test",
            ["sh", "-c", command],
            truth="clojure.test.junit, by ElementTree",
            hidden=failures_only,
            reader=read,
        )
    ]


def cucumber() -> list[Case]:
    """Cucumber for Ruby 2.4 and for JavaScript."""
    words = {"failed": "FAILED", "undefined": "ERROR", "pending": "SKIPPED", "skipped": "SKIPPED"}

    def read(cwd: Path) -> Results:
        results: Results = {}
        for feature in json.loads((cwd / "truth.json").read_text(encoding="utf-8")):
            rows = 0
            for scenario in feature["elements"]:
                if scenario["type"] == "background":
                    continue
                seen = {step["result"]["status"] for step in scenario["steps"]}
                status = next((words[word] for word in words if word in seen), "PASSED")
                name = scenario["name"]
                if ";;" in scenario["id"] or scenario["keyword"] == "Scenario Outline":
                    rows += 1
                    name += f", Examples (#{rows})" if "steps.rb" in json.dumps(scenario) else ""
                results[f"{feature['uri']} > {name}"] = status
        return results

    def case(name: str, version: str, command: str, **more: object) -> Case:
        truth = "Cucumber's JSON report, the worst step of each scenario"
        full = ["sh", "-c", command]
        return Case("cucumber", name, version, "cucumber", full, truth, reader=read, **more)  # type: ignore[arg-type]

    def passing_row(name: str, status: str) -> str:
        return "rows that pass have no names" if "Examples" in name and status == "PASSED" else ""

    ruby = "rm features/step_definitions/*.js; cucumber -f json -o truth.json -f"
    install = "npm install --silent --no-audit --no-fund @cucumber/cucumber@10.9.0 >/dev/null 2>&1"
    javascript = f"{install}; npx cucumber-js -f json:truth.json"

    def shown(name: str, status: str) -> str:
        return "only problems are listed" if status == "PASSED" else ""

    return [
        case("ruby-pretty", "2.4.0", f"{ruby} pretty --no-color", hidden=passing_row),
        case("ruby-colour", "2.4.0", f"{ruby} pretty --color", hidden=passing_row),
        case("ruby-progress", "2.4.0", f"{ruby} progress", hidden=failures_only_strictly),
        case("js-progress", "10.9.0", javascript, hidden=shown),
    ]


def failures_only_strictly(name: str, status: str) -> str:
    """What a list of failed scenarios hides."""
    return "" if status == "FAILED" else "only failures are listed"


def unlisted(name: str, status: str) -> str:
    """What a report of all but passes hides."""
    return "passes are not listed" if status == "PASSED" else ""


def order(status: str) -> int:
    """How bad a status is; "" is the best."""
    return SEVERITY.index(status) if status else -1


FRAMEWORKS: dict[str, Callable[[], list[Case]]] = {
    "surefire": surefire,
    "gradle": gradle,
    "ant": ant,
    "testng": testng,
    "console": junit_console,
    "clojure": clojure,
    "cucumber": cucumber,
}


def main() -> None:
    """Make the logs of the frameworks that the arguments name, or of all."""
    chosen = sys.argv[1:] or list(FRAMEWORKS)
    with tempfile.TemporaryDirectory() as name:
        for framework in chosen:
            for case in FRAMEWORKS[framework]():
                make(case, Path(name))


if __name__ == "__main__":
    main()
