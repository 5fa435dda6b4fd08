"""The table of VeloraHarness's parsers a second time: each one plain function of a whole text.

Written from the table of rules for the tests alone, without regard for speed and memory, so that
the readers in `velora.grading.parsers.reference` have something to agree with; those for C and C++
are in `reference_rules_native`. Names of blanks
alone are left out, and a line at which the original raises counts for nothing, as there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Map = dict[str, str]
W = ["PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS"]
ANY = "(" + "|".join(W) + ")"


def rows(text: str) -> list[str]:
    return text.split("\n")


# Python


def pytest(text: str, name: Callable[[str], str] = str) -> Map:
    found = {}
    for row in rows(text):
        if re.match(ANY, row):
            status, *rest = (row.replace(" - ", " ") if row[:6] == "FAILED" else row).split()
            if rest and status in W:
                found[name(rest[0])] = status
    return found


def pytest_options(text: str) -> Map:
    def name(word: str) -> str:
        parts = re.search(r"(.*?)\[(.*)\]", word)
        if not parts:
            return word
        main, option = parts.groups()
        if re.fullmatch(r"/(?!/)[^*]*", option, re.DOTALL):
            option = re.sub(r".*/", "/", option, flags=re.DOTALL)
        return f"{main}[{option}]"

    return pytest(text, name)


def matplotlib(text: str) -> Map:
    return pytest(text.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3"))


def newer_pytest(text: str, third: bool) -> Map:
    found = {}
    for line in rows(text):
        row = re.sub(r"[\x01-\x1f]", "", re.sub(r"\[\d+m", "", line))
        row = row.replace(" - ", " ") if third or row.startswith("FAILED") else row
        words = row.split()
        first = re.match(ANY + (r"\s+" if third else ""), row)
        if first and len(words) > 1:
            pair = words[1], words[0]
        elif not first and re.search(ANY + r"\Z", row) and len(words) > 1:
            pair = words[0], words[1]
        else:
            continue
        if pair[1] in W:
            found[pair[0]] = pair[1]
    return found


def pytest_v2(text: str) -> Map:
    return newer_pytest(text, third=False)


def pytest_v3(text: str) -> Map:
    return newer_pytest(text, third=True)


def swesmith(text: str) -> Map:
    return dict(re.findall(r"(?m)^(\S+)[^\S\n]+" + ANY, text))


def autograd(text: str) -> Map:
    return {n: s for s, n in re.findall(rf"(?m)^\[gw\d\][^\S\n]{ANY}[^\S\n](\S+)", text)}


def paramiko(text: str) -> Map:
    return {n: s for s, n in re.findall(rf"(?m)^{ANY}[^\S\n](\S+)", text)}


def seaborn(text: str) -> Map:
    found = {}
    for row in rows(text):
        words = row.split()
        if row.startswith("FAILED"):
            found.update(dict.fromkeys(words[1:2], "FAILED"))
        elif " PASSED " in row:
            found.update({words[0]: "PASSED"} if words[1:2] == ["PASSED"] else {})
        elif row.startswith("PASSED"):
            found.update(dict.fromkeys(words[1:2], "PASSED"))
    return found


def mypy(text: str) -> Map:
    found = {}
    for row in rows(text):
        for status in ("FAILED", "PASSED"):
            if status in row:
                found[row.split()[-1]] = "PASSED" if "PASSED" in row else status
    return found


def sympy(text: str) -> Map:
    found = {
        f"{file}.py:{test}": "FAILED"
        for _, file, test, _ in re.findall(r"(_*) (.*)\.py:(.*) (_*)", text)
    }
    for row in map(str.strip, rows(text)):
        ends = re.match(r"test_.* (ok|F|E)\Z", row)
        if ends:
            found[row.split()[0]] = {"ok": "PASSED", "F": "FAILED", "E": "ERROR"}[ends[1]]
    return found


def django(text: str) -> Map:
    found: Map = {}
    before = None
    for row in map(str.strip, rows(text)):
        if "--version is equivalent to version" in row:
            found["--version is equivalent to version"] = "PASSED"
        if " ... " in row:
            before = row.split(" ... ")[0]
        if ends := re.search(r" \.\.\. (ok|OK| OK)\Z", row):
            name = row[: ends.start()]
            if row.startswith("Applying sites.0002_alter_domain_unique...test_no_migrations"):
                name = name.split("...", 1)[1].strip()
            found[name] = "PASSED"
        for end, status in (("FAIL", "FAILED"), ("ERROR", "ERROR")):
            if row.endswith(f" ... {end}"):
                found[row.split(f" ... {end}")[0]] = status
            if row.startswith(f"{end}:") and row.split()[1:]:
                found[row.split()[1]] = status
        if " ... skipped" in row:
            found[row.split(" ... skipped")[0]] = "SKIPPED"
        if row.startswith("ok") and before is not None:
            found[before] = "PASSED"
    for message in (
        r"Testing against Django installed in (?:(?s:.*?)) silenced\)\.",
        r"Internal Server Error: /.*/",
        r"System check identified no issues \(0 silenced\)",
    ):
        for name in re.findall(rf"(?m)^(.*?)\s\.\.\.\s{message}\nok$", text):
            found[name] = "PASSED"
    return found


def unittest(text: str) -> Map:
    found: Map = {}
    tests: list[list[str]] = []
    for row in map(str.strip, rows(text)):
        stop = row.startswith(("=" * 70, "-" * 70))
        if row.startswith("test_"):
            tests.append([row])
        elif tests and tests[-1] and not stop:
            tests[-1].append(row)
        else:
            tests.append([])
            heading = re.match(r"(ERROR|FAILED):", row)
            if heading and row.split()[1:]:
                method, *within = re.split(r"\(", row.split()[1])
                if heading[1] == "FAILED" and within:
                    method = within[0].split(")")[0] + "." + method
                tests.append([heading[1], method])
                tests.append([])
    for test in tests:
        if test[:1] in (["ERROR"], ["FAILED"]):
            found[test[1]] = test[0]
        if not test or not test[0].startswith("test_"):
            continue
        whole = " ".join(test)
        method = whole.split()[0]
        inner = test[0].split("(")[1].split(")")[0] if {"(", ")"} <= set(test[0]) else ""
        name = f"{inner}.{method}" if inner else method
        if " ok" in whole or whole.endswith("ok"):
            found[name] = "PASSED"
        elif "FAIL:" in whole or whole.endswith("FAIL"):
            found[name] = "FAILED"
        elif "ERROR:" in whole or whole.endswith("ERROR"):
            found[method] = "ERROR"
        elif "skipped" in whole:
            found[name] = "SKIPPED"
    return found


def tornado(text: str) -> Map:
    found = {}
    for row in rows(text):
        if row.endswith("... ok"):
            found[row.split(" ... ")[0]] = "PASSED"
        elif " ... skipped " in row:
            found[row.split(" ... ")[0]] = "SKIPPED"
        elif re.match("ERROR:|FAIL:", row):
            found[" ".join(row.split()[1:3])] = "FAILED"
    return found


def slugify(text: str) -> Map:
    word = {"ok": "PASSED", "FAIL": "FAILED", "ERROR": "ERROR"}
    matches = (
        re.match(r"([\w\-,.\s()']+)\s\.\.\.\s(ok|FAIL|ERROR)\Z", row, re.ASCII)
        for row in rows(text)
    )
    return {each[1]: word[each[2]] for each in matches if each}


# Java


def junit(text: str) -> Map:
    try:
        lines = json.loads(text)
    except ValueError:
        lines = rows(text)
    found = {}
    strings = lines if isinstance(lines, list | dict | str) else []
    for line in (each for each in strings if isinstance(each, str)):
        cells = re.sub(r'\A"(.*)"\Z', r"\1", line.strip(), flags=re.DOTALL).split(",")
        if len(cells) == 3 and cells != ["Test-class-name", "Test-name", "status"]:
            status = {"PASS": "PASSED", "FAIL": "FAILED", "ERROR": "ERROR"}
            found[f'"{cells[0]}.{cells[1]}"'] = status.get(cells[2].upper(), "SKIPPED")
    return found


def maven(text: str) -> Map:
    found, test = {}, None
    for row in map(str.strip, rows(text)):
        if named := re.match(r".*-Dtest=(\S+)", row):
            test = named[1]
        ended = re.match(r".*BUILD (SUCCESS|FAILURE)\Z", row)
        if ended and test:
            found[test] = "PASSED" if ended[1] == "SUCCESS" else "FAILED"
    return found


# JavaScript


def jest(text: str) -> Map:
    found = {}
    for row in map(str.strip, rows(text)):
        if each := re.match(r"([✓✕○])\s(.+?)(\s\(\d+\s*m?s\))?\Z", row):
            found[each[2]] = {"✓": "PASSED", "✕": "FAILED", "○": "SKIPPED"}[each[1]]
    return found


def jest_json(text: str) -> Map:
    matches = (re.match(r"\[(PASSED|FAILED)\]\s(.+)", row.strip()) for row in rows(text))
    return {each[2]: each[1] for each in matches if each}


def documents(text: str) -> Iterator[Any]:
    for row in rows(text):
        try:
            yield json.loads(row)
        except ValueError:
            continue


def mocha_json(text: str) -> Map:
    found = {}
    for event in documents(text):
        match event:
            case ["pass" | "fail" as kind, {"title": title, "file": str(file)}, *_]:
                code = hashlib.sha1(file.encode()).hexdigest()[:5]
                found[f"[{code}] {title}"] = kind.upper() + "ED"
    return found


def exitcode(text: str) -> Map:
    names = (
        re.findall(r"issues/\w+/test\.py::\w+", text)
        or re.findall(r"tests/\w+/test\.py::(test_\w+)", text)
        or re.findall(r"test_expensify_\d+", text)
        or ["test_expensify_0000"]
    )
    code = re.search(r"(?i)pytest_exit_code[:\s=]+(\d+)", text) or re.search(
        r"(?i)exit\s+code[:\s]+(\d+)", text
    )
    passed, failed, error = (
        re.search(rf"\d\s+{word}", text) for word in ("passed", "failed", "error")
    )
    if code:
        status = {0: "PASSED", 1: "FAILED"}.get(int(code[1]), "ERROR")
    elif passed or failed or error:
        status = "PASSED" if passed and not failed else "FAILED"
    else:
        status = "PASSED" if "passed" in text.lower() else "FAILED"
    return dict.fromkeys(names, status)


# Go and Rust


def gotest_json(text: str) -> Map:
    found = {}
    for event in documents(text):
        match event:
            case {"Action": "pass" | "fail" as action, "Test": test, "Package": package}:
                found[f"{package}/{test}"] = action.upper() + "ED"
    return found


GO = {"PASS": "PASSED", "FAIL": "FAILED", "SKIP": "SKIPPED"}


def gotest(text: str) -> Map:
    matches = (
        re.match(r"--- (PASS|FAIL|SKIP): (.+) \((.+)\)\Z", row.strip()) for row in rows(text)
    )
    return {each[2]: GO[each[1]] for each in matches if each}


def go_test(text: str) -> Map:
    build = r"no required module provides package|\[setup failed\]|cannot find package"
    if re.search(build, text) or "build failed" in text.lower():
        return {"BUILD_FAILED": "FAILED"}
    matches = (re.match(r"---\s+(PASS|FAIL|SKIP):\s+(\w+)", row.strip()) for row in rows(text))
    return {each[2]: GO[each[1]] for each in matches if each}


def cargo_test(text: str) -> Map:
    found = re.findall(r"(?m)^test\s+(\S+)\s+\.\.\.\s+(ok|FAILED|ignored)", text)
    return {n: "PASSED" if s == "ok" else s for n, s in found if s != "ignored"}


def cargo(text: str) -> Map:
    matches = (re.match(r"test (.+) \.\.\. (ok|FAILED|ignored)\Z", r.strip()) for r in rows(text))
    word = {"ok": "PASSED", "FAILED": "FAILED", "ignored": "SKIPPED"}
    return {each[1]: word[each[2]] for each in matches if each}


# PHP and Ruby


def phpunit(text: str) -> Map:
    found: Map = {}
    cls = section = ""
    described: Map = {}
    errors: Map = {}
    for row in map(str.strip, rows(text)):
        header = re.match(r"(.+?)\s*\(([^)]+)\)\Z", row)
        if header and "\\" in header[2]:
            cls = header[2]
            continue
        if re.match("There (was|were)", row) and (kind := re.search("(?i)failure|error", row)):
            section = "failure" if "failure" in row.lower() else kind[0].lower()
            cls = ""
            continue
        if section and (entry := re.match(r"\d+\)\s*(.+)", row)):
            into, status = (described, "FAILED") if section == "failure" else (errors, "ERROR")
            into[entry[1].split(" with data set")[0].strip()] = status
        for marks, status in (("✔✓", "PASSED"), ("✘✗", "FAILED")):
            if not set(marks) & set(row):
                continue
            title = re.sub(rf"[{marks}]\s*", "", row).strip()
            method = "test" + "".join(map(str.capitalize, title.split()))
            names = [cls] if cls else []
            if cls.endswith("\\UnnamedTests"):
                names += [cls.removesuffix("UnnamedTests") + end for end in ("Test", "Tests")]
                names += [cls.removesuffix("UnnamedTests") + "TestCase"]
            if cls and not cls.endswith("Test"):
                names.append(cls + "Test")
            found.update({f"{name}::{method}": status for name in names if title})
            found.update({} if cls else {title: status})
            break
        if "::test" in row and (named := re.search(r"[\w\\]+::\w+", row)):
            words = {"ok": "PASSED", "pass": "PASSED", "fail": "FAILED", "error": "ERROR"}
            for word, status in {**words, "skip": "SKIPPED"}.items():
                if word in row.lower():
                    found[named[0]] = status
                    break
    return found | described | errors


def minitest(text: str) -> Map:
    mark = {".": "PASSED", "F": "FAILED", "E": "ERROR", "S": "SKIPPED", "N": "SKIPPED"}
    word = {"PASS": "PASSED", "OK": "PASSED", "FAIL": "FAILED", "ERROR": "ERROR", "ERR": "ERROR"}
    word |= {"PASSED": "PASSED", "FAILED": "FAILED", "SKIP": "SKIPPED", "SKIPPED": "SKIPPED"}
    found = {}
    for row in map(str.strip, rows(text)):
        if each := re.match(r"([\w:]+#\w+)\s*=.*?=\s*([.FESN])\Z", row):
            found[each[1]] = mark[each[2]]
        elif each := re.match(r"([\w:]+#\w+)\s*\[(\w+)\]", row):
            if each[2].upper() in word:
                found[each[1]] = word[each[2].upper()]
        elif each := re.match(r"(\w+)\s*\(([\w:]+)\)\s*=.*?=\s*([.FESN])\Z", row):
            found[f"{each[2]}#{each[1]}"] = mark[each[3]]
    return found


def rspec(text: str) -> Map:
    word = {"passed": "PASSED", "failed": "FAILED", "pending": "SKIPPED"}
    matches = (re.match(r"(.+) - (passed|failed|pending)", row.strip()) for row in rows(text))
    return {each[1]: word[each[2]] for each in matches if each}


RULES: dict[str, Callable[[str], Map]] = {
    "python/parse_log_pytest": pytest,
    "python/parse_log_pytest_v2": pytest_v2,
    "python/parse_log_pytest_v3": pytest_v3,
    "python/parse_log_tox": pytest_v3,
    "python/parse_log_pytest_options": pytest_options,
    "python/parse_log_pytest_swesmith": swesmith,
    "python/parse_log_matplotlib": matplotlib,
    "python/parse_log_seaborn": seaborn,
    "python/log_parser_hips_autograd": autograd,
    "python/log_parser_paramiko_paramiko": paramiko,
    "python/log_parser_python_mypy": mypy,
    "python/parse_log_sympy": sympy,
    "python/parse_log_django": django,
    "python/parse_log_unittest": unittest,
    "python/log_parser_tornadoweb_tornado": tornado,
    "python/log_parser_un33k_python_slugify": slugify,
    "java/parse_log_junit": junit,
    "java/parse_log_maven": maven,
    "javascript/parse_log_jest": jest,
    "javascript/parse_log_jest_json": jest_json,
    "javascript/parse_log_mocha_json": mocha_json,
    "javascript/parse_log_playwright": exitcode,
    "swelancer/parse_log_playwright": exitcode,
    "swelancer/parse_log_exitcode": exitcode,
    "go/parse_log_gotest_json": gotest_json,
    "go/parse_log_gotest": gotest,
    "go/parse_log_go_test": go_test,
    "rust/parse_log_cargo_test": cargo_test,
    "rust/parse_log_cargo": cargo,
    "php/parse_log_phpunit": phpunit,
    "ruby/parse_log_minitest": minitest,
    "parsers/ruby_minitest_parser.py": minitest,
    "ruby/parse_log_rspec": rspec,
    "ruby/parse_log_rspec_transformed_json": rspec,
}
