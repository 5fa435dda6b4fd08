"""The second statement of VeloraHarness's rules for C, C++ and "make"; see `reference_rules`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from tests.grading.reference_rules import Map, go_test, rows

PASS = {"PASS": "PASSED", "FAIL": "FAILED", "ERROR": "ERROR", "SKIP": "SKIPPED"}


def counted(*counts: tuple[str, int], first: int = 0, prefix: str = "") -> Map:
    statuses = [status for status, count in counts for _ in range(count)]
    return {f"{prefix}test_{n}": status for n, status in enumerate(statuses, first)}


def check(text: str) -> Map:
    found: Map = {}
    for row in map(str.strip, rows(text)):
        if each := re.match(r"\d+/\d+\s+Test\s+#\d+:\s+(.+?)\s+\.+\s+(Pass|Fail)ed", row):
            found[each[1]] = each[2].upper() + "ED"
        elif each := re.match(r"(.+?):([PFE]):", row):
            found[each[1]] = {"P": "PASSED", "F": "FAILED", "E": "ERROR"}[each[2]]
        elif each := re.match(r"(PASS|FAIL|ERROR):\s+(.+)", row):
            found[each[2]] = PASS[each[1]]
        elif each := re.match(r"(?i)(pass|fail).*?:\s*(.+)", row):
            found[each[2]] = PASS[each[1].upper()]
        elif each := re.match(r"(?i)test\s+(.+?)\s+(pass|fail)ed\Z", row):
            found[each[1]] = each[2].upper() + "ED"
    if found:
        return found
    if sums := re.search(r"Checks:\s*(\d+),\s*Failures:\s*(\d+),\s*Errors:\s*(\d+)", text):
        total, failed, errors = map(int, sums.groups())
    elif re.search(r"\d+%\s+tests\s+passed.*out\s+of\s+\d+", text):
        sums = re.search(r"%\s+tests\s+passed,\s*(\d+)\s+tests\s+failed\s+out\s+of\s+(\d+)", text)
        failed, total = map(int, sums.groups()) if sums else (0, 0)
        errors = 0
    else:
        of = {w: re.search(rf"#\s+{w}:\s*(\d+)", text) for w in ("TOTAL", "PASS", "FAIL", "ERROR")}
        if not of["TOTAL"] or not of["PASS"]:
            return {}
        passed, failed, errors = (
            int(each[1]) if (each := of[w]) else 0 for w in ("PASS", "FAIL", "ERROR")
        )
        total = passed + failed + errors
    passed = total - failed - errors
    return counted(("PASSED", passed), ("FAILED", failed), ("ERROR", errors), first=1)


def junit_report(text: str) -> Map:
    report = re.search(r"<\?xml.*", text, re.DOTALL)
    if not report:
        return {}
    root = "testsuites" if "<testsuites" in report[0] else "testsuite"
    whole = re.match(rf".*</{root}>", report[0], re.DOTALL)
    try:
        tree = ET.fromstring(whole[0] if whole else report[0])
    except (ET.ParseError, ValueError, LookupError):
        return {}
    if tree.tag not in ("testsuites", "testsuite"):
        return {}
    found = {}
    for suite in [tree] if tree.tag == "testsuite" else tree.iter("testsuite"):
        for case in suite.findall("testcase"):
            inner = {child.tag for child in case}
            if "system-out" in inner:
                return {}
            name = ".".join(filter(None, [case.get("classname"), case.get("name", "")]))
            if case.get("classname") and not case.get("name"):
                name += "."
            bad = "FAILED" if inner & {"failure", "error"} else ""
            found[name] = bad or ("SKIPPED" if "skipped" in inner else "PASSED")
    return found


def gtest(text: str) -> Map:
    found = {}
    for row in text.splitlines():
        for word, status in (("OK", "PASSED"), ("FAILED", "FAILED")):
            if each := re.search(rf"\[\s*{word}\s*\]\s+(.+?)\s*\(", row):
                found[each[1].strip()] = status
                break
    sums = {
        word: sum(
            int(each[1])
            for row in text.splitlines()
            if (each := re.search(rf"\[  {word}  \]\s+(\d+)\s+test", row))
        )
        for word in ("PASSED", "FAILED")
    }
    return found or counted(*sums.items())


def automake(text: str) -> Map:
    suite = next(
        (m for r in text.splitlines() if (m := re.search(r"Testsuite summary for\s+(\S+)", r))),
        None,
    )
    prefix = f"{suite[1]}." if suite else ""
    found = {}
    sums = dict.fromkeys(("TOTAL", "PASS", "FAIL", "ERROR", "XPASS"), 0)
    for row in text.splitlines():
        if (each := re.match(r"(PASS|FAIL):(.*)", row)) and each[2].strip():
            found[prefix + each[2].strip()] = PASS[each[1]]
        if each := re.match(r"#\s+(TOTAL|PASS|FAIL|ERROR|XPASS):\s*(\d+)", row):
            sums[each[1]] += int(each[2])
    failed = sums["FAIL"] + sums["ERROR"] + sums["XPASS"]
    passed = sums["PASS"] or sums["TOTAL"] - failed
    return found or counted(("PASSED", passed), ("FAILED", failed), prefix=prefix)


def tap(text: str) -> Map:
    found = {}
    for row in text.splitlines():
        if each := re.match(r"(not\s+)?ok\s+(\d+)\s*(.*)", row):
            name = re.sub(r":.*", "", each[3]).strip() if each[3] else f"test_{each[2]}"
            found[re.sub(r"\A- ", "", name).strip()] = "FAILED" if each[1] else "PASSED"
    return found


def boost(text: str) -> Map:
    total, default = 0, "BoostTests"
    bad = []
    for row in text.splitlines():
        if each := re.search(r"Running\s+(\d+)\s+test\s+case", row):
            total = int(each[1])
        if each := re.search(r'in\s+"([^"]+)"', row):
            suite, _, test = each[1].partition("/")
            bad.append((suite, test) if "/" in each[1] else (default, each[1]))
        if each := re.search(r'test suite\s+"([^"]+)"', row):
            default = each[1]
    suites = {suite for suite, _ in bad}
    found = {f"{suite}.{test}": "FAILED" for suite, test in bad}
    mine = suites.pop() if len(suites) == 1 else default
    return found | counted(("PASSED", total - len(bad)), prefix=f"{mine}.")


def ctest(text: str) -> Map:
    found = {}
    for row in text.splitlines():
        for word in ("Passed", "***Failed"):
            if each := re.search(rf"Test\s+#\d+:\s+(\S+).*{re.escape(word)}", row):
                found[each[1]] = word.strip("*").upper()
    if found:
        return found
    for row in text.splitlines():
        if each := re.search(r"(\d+)\s+tests?\s+failed\s+out\s+of\s+(\d+)", row):
            failed, total = int(each[1]), int(each[2])
            return counted(("PASSED", total - failed), ("FAILED", failed))
        if each := re.search(r"100%\s+tests\s+passed.*out\s+of\s+(\d+)", row):
            return counted(("PASSED", int(each[1])))
    return {}


def doctest(text: str) -> Map:
    found: Map = {}
    for row in text.splitlines():
        if e := re.search(r"test\s+cases:\s+\d+\s+\|\s+(\d+)\s+passed\s+\|\s+(\d+)\s+failed", row):
            found = counted(("PASSED", int(e[1])), ("FAILED", int(e[2])))
    return found


def cpp(text: str) -> Map:
    for part in (junit_report, gtest, automake, tap, boost, ctest, doctest):
        if found := part(text):
            return found
    return {}


def meson(text: str) -> Map:
    word = {"OK": "PASSED", "SKIP": "SKIPPED"}
    pattern = r"\d+/\d+\s+([\w-]+)\s+(OK|FAIL|SKIP|TIMEOUT|ERROR)"
    matches = (re.match(pattern, row.strip()) for row in rows(text))
    return {each[1]: word.get(each[2], "FAILED") for each in matches if each}


def make(text: str) -> Map:
    matches = (re.match(r"(PASS|FAIL|ERROR|SKIP):\s*(.+)", row.strip()) for row in rows(text))
    word = PASS | {"ERROR": "FAILED"}
    rest = {each[2]: word[each[1]] for each in matches if each}
    return go_test(text) | meson(text) | rest


RULES = {
    "c/parse_log_check_framework": check,
    "cpp/parse_log_google_test": cpp,
    "cpp/parse_log_catch2": cpp,
    "c/parse_log_meson": meson,
    "cpp/parse_log_meson": meson,
    "generic/parse_log_make": make,
}
