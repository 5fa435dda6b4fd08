"""JUnit XML: one document or many, whole, cut or broken, in a file and in a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.grading.parsers.generic.junit_case import Origin, seconds
from velora.grading.parsers.generic.junit_xml import FRAMEWORK, read_report
from velora.grading.protocol import Parsed, Status

HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"


def _statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(result.status) for name, result in parsed.results.items()}


def _read(body: str, suite: str = "<testsuite name='s'>") -> Parsed:
    text = f"{HEAD}{suite}\n{body}\n</testsuite>\n"
    parsed = read_report(text.encode())
    assert FRAMEWORK.parse(text) == parsed
    return parsed


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("<testcase classname='a.B' name='t'/>", "PASSED"),
        ("<testcase classname='a.B' name='t'><failure message='x'/></testcase>", "FAILED"),
        ("<testcase classname='a.B' name='t'><error>x</error></testcase>", "ERROR"),
        ("<testcase classname='a.B' name='t'><skipped/></testcase>", "SKIPPED"),
        ("<testcase classname='a.B' name='t'><skipped type='pytest.xfail'/></testcase>", "XFAIL"),
        ("<testcase classname='a.B' name='t'><error/><failure/><skipped/></testcase>", "ERROR"),
        ("<testcase classname='a.B' name='t' status='notrun' result='suppressed'/>", "SKIPPED"),
        ("<testcase classname='a.B' name='t' status='run' result='skipped'/>", "SKIPPED"),
        ("<testcase classname='a.B' name='t' status='run' result='completed'/>", "PASSED"),
        ("<testcase classname='a.B' name='t' status='FAILED'/>", "FAILED"),
        (
            "<testcase classname='a.B' name='t' status='notrun'>"
            "<skipped message='Unable to find executable'/></testcase>",
            "ERROR",
        ),
        (
            "<testcase classname='a.B' name='t' status='notrun'>"
            "<skipped message='SKIP_RETURN_CODE=77'/></testcase>",
            "SKIPPED",
        ),
        (
            "<testcase classname='a.B' name='t'><system-out><![CDATA[<failure/></testcase>]]>"
            "</system-out></testcase>",
            "PASSED",
        ),
        (
            "<testcase classname='a.B' name='t'><properties><failure/></properties></testcase>",
            "PASSED",
        ),
        (
            "<testcase classname='a.B' name='t'><failure/><rerunFailure/></testcase>",
            "FAILED",
        ),
        ("<testcase name='t' class='a.B'><warning/></testcase>", "FAILED"),
    ],
)
def test_a_verdict_is_a_direct_child(case: str, status: str) -> None:
    assert _statuses(_read(case)) == {"a.B.t": status}


def test_a_flaky_test_passes_in_the_end() -> None:
    parsed = _read("<testcase classname='a.B' name='t'><flakyFailure/></testcase>")
    assert parsed.results["a.B.t"].status is Status.PASSED
    assert parsed.results["a.B.t"].flaky


def test_the_worst_of_two_counts() -> None:
    one, two = "<testcase name='t'/>", "<testcase name='t'><failure/></testcase>"
    assert _statuses(_read(one + two)) == _statuses(_read(two + one)) == {"t": "FAILED"}


def test_names_and_where_they_come_from() -> None:
    parsed = _read(
        "<testsuite name='a|b' file='src/x.py'>\n"
        "<testcase classname='p.C' name='t[&lt;&quot;é 1%&gt;]'\n time='1,234.5' line='3'/>\n"
        "<testcase name='own' file='y.py'/><testcase classname='p.C' name=''><error/></testcase>"
        "</testsuite>"
    )
    assert list(parsed.results) == ['p.C.t[<"é 1%>]', "own", "p.C"]
    first, second, _ = parsed.results.values()
    assert (first.line, first.duration) == (4, 1234.5)
    assert first.raw == 'p.C|t[<"é 1%25>]|src/x.py|s|a%7Cb'
    assert Origin.decode(first.raw) == Origin("p.C", 't[<"é 1%>]', "src/x.py", suites=("s", "a|b"))
    assert second.raw.startswith("|own|y.py|")


def test_node_test_has_suites_but_no_classes() -> None:
    suite = "<testsuite name='outer' disabled='0' hostname='h'>"
    body = f"{suite}{suite.replace('outer', 'in')}<testcase name='t' classname='test'/>"
    text = f"<testsuites>{body}</testsuite></testsuite><testcase name='u' classname='test'/>"
    assert list(read_report(f"{text}</testsuites>".encode()).results) == ["outer > in > t", "u"]
    old_pytest = b"<testsuite name='pytest'><testcase name='t' classname='test'/></testsuite>"
    assert list(read_report(old_pytest).results) == ["test.t"]


def test_control_characters_and_loose_ampersands() -> None:
    parsed = read_report(
        b"<testsuite><testcase name='a\x1b[1m&#27;&#x0;&amp;&x;& &#233;'/></testsuite>"
    )
    assert list(parsed.results) == ["a\ufffd[1m\ufffd\ufffd&&x;& é"]
    assert parsed.complete


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "utf-32"])
def test_encodings(encoding: str) -> None:
    head = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>"
    text = f"{head}<testsuite><testcase name='é'/></testsuite>"
    assert _statuses(read_report(text.encode(encoding))) == {"é": "PASSED"}


def test_a_cut_document_gives_its_whole_cases() -> None:
    text = (
        "<testsuite name='s'>\n<testcase name='a'/><testcase name='b'><failure/></testcase>\n"
        "<testcase name='c'>\n<system-out>x</system-out></testcase></testsuite>"
    )
    parsed = read_report(text[: text.index("</system-out")].encode())
    assert _statuses(parsed) == {"a": "PASSED", "b": "FAILED", "c": "ERROR"}
    assert not parsed.complete
    for cut in range(len(text)):
        parsed = read_report(text[:cut].encode())
        assert not parsed.complete
        assert parsed.results.keys() <= {"a", "b", "c"}
        assert _statuses(parsed).get("b", "FAILED") in ("FAILED", "ERROR")


def test_a_broken_document_and_the_next() -> None:
    broken = "<testsuite><testcase name='a'/><testcase name='b'>\n<x></y>\n<testcase name='z'/>\n"
    parsed = read_report((broken + "<testsuite><testcase name='c'/></testsuite>").encode())
    assert _statuses(parsed) == {"a": "PASSED", "b": "ERROR", "c": "PASSED"}
    assert not parsed.complete
    cut = "<testsuite><testcase name='b'>\n" + HEAD + "<testsuite><testcase name='c'/></testsuite>"
    parsed = read_report(cut.encode())
    assert _statuses(parsed) == {"b": "ERROR", "c": "PASSED"}


def test_documents_one_after_another() -> None:
    one = HEAD + "<testsuite><testcase name='a'/></testsuite>"
    two = "<testsuites>\n<testsuite><testcase name='b'/></testsuite>\n</testsuites>"
    parsed = FRAMEWORK.parse(
        f"$ cat x\n{one}{HEAD}{two} text {one}\nbetween <testsuite>\n  {two.replace('b', 'c')}\n"
    )
    assert _statuses(parsed) == {"a": "PASSED", "b": "PASSED", "c": "PASSED"}
    assert parsed.complete
    assert not parsed.warnings


def test_other_documents_are_no_reports() -> None:
    parsed = FRAMEWORK.parse(HEAD + "<html><testcase name='a'/></html>\n" + HEAD + "text\n")
    assert parsed == Parsed()


def test_entities_are_refused() -> None:
    laughs = (
        "<?xml version='1.0'?><!DOCTYPE t [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>\n"
        "<testsuite><testcase name='&b;'/></testsuite>"
    )
    parsed = read_report(laughs.encode())
    assert list(parsed.results) == ["&b;"]  # the second line by itself, nothing replaced
    assert not parsed.complete
    assert "entity" in parsed.warnings[0]
    outside = "<!DOCTYPE t SYSTEM 'file:///etc/passwd'><testsuite><testcase name='a'/></testsuite>"
    assert _statuses(read_report((HEAD + outside).encode())) == {"a": "PASSED"}


def test_totals_that_no_test_case_accounts_for() -> None:
    parsed = _read("<testcase name='a'/>", "<testsuite name='s' failures='1' errors='0'>")
    assert parsed.complete
    assert "counts 1 failures" in parsed.warnings[0]
    inner = "<testsuite failures='1'><testcase name='a'><failure/></testcase></testsuite>"
    assert not _read(inner, "<testsuite name='s' failures='1'>").warnings


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<system-out>", "</system-out>"),
        ("<system-out>\u00e9 ", "</system-out>"),
        ("<system-out><![CDATA[<a>", "]]></system-out>"),
        ("<!-- <a>", "-->"),
        ("<system-out title='>", "'/>"),
        ("<?tool", "?>"),
    ],
)
def test_printed_lines_are_counted(begin: str, end: str) -> None:
    printed = "one\ntwo & three\n\n\u00e9 > 0\nhalf\roverwritten\n"
    first = f"<testcase name='a'>{begin}\n{printed}{end}</testcase>"
    parsed = FRAMEWORK.parse(f"{HEAD}<testsuite>\n{first}\n<testcase name='b'/>\n</testsuite>")
    assert parsed.complete
    assert {name: result.line for name, result in parsed.results.items()} == {"a": 3, "b": 10}


@pytest.mark.parametrize("begin", ["<system-out", "<system-out>]]>", "<system-out>&lt;<"])
def test_a_line_that_does_not_fit_among_printed_ones(begin: str) -> None:
    text = f"{HEAD}<testsuite>\n<testcase name='a'>{begin}\nprinted & more\nagain\n</testsuite>"
    parsed = FRAMEWORK.parse(text)
    assert _statuses(parsed) == {"a": "ERROR"}
    assert not parsed.complete
    line = 3 if "]]>" in begin else 4
    assert any(f"line {line}" in warning for warning in parsed.warnings)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.012", 0.012),
        ("1,234,567.5", 1234567.5),
        ("0,5", 0.5),
        ("1,234", None),
        ("", None),
        ("nan", None),
        ("-1", None),
        ("0.5 s", 0.5),
    ],
)
def test_time(text: str, value: float | None) -> None:
    assert seconds(text) == value


@given(st.binary(max_size=60), st.integers(0, 300))
def test_no_bytes_are_too_odd(junk: bytes, at: int) -> None:
    whole = (
        HEAD + "<testsuite name='s'>\n<testcase name='a' classname='b'><failure/></testcase>\n"
        "<testcase name='c'><system-out>&lt;</system-out></testcase></testsuite>\n"
    ).encode()
    parsed = read_report(whole[:at] + junk + whole[at:])
    for result in parsed.results.values():
        assert result.line >= 1
