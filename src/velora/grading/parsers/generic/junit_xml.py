"""Reads JUnit XML, from a report file or printed in a log, by whatever framework wrote it.

Expat reads a document line by line. It begins with a line that opens with `<?xml` or
`<testsuite`, and ends with its root element; several may follow one another, even on one line.
Entity declarations are refused, so nothing is fetched and nothing grows. Bytes and references
that XML forbids (control characters that a test printed, a bare `&`) are replaced first. What
tests print stands escaped inside `system-out` and decides nothing.

A document that ends too early, or is broken, gives its whole test cases; the one in which it
breaks off is an ERROR. Names are `classname.name`, or the name alone where it repeats the class
name; `node:test`, which has no class names, gives its suites, `outer > inner`. `TestResult.raw`
keeps what the file says: see `Origin`.

Most lines of a long report are printed text. Where the one before them ended in text, lines
without a tag can neither end nor break the document, and Expat is given their line ends alone.
"""

from __future__ import annotations

import codecs
import re
from xml.parsers import expat

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.generic.junit_case import Case, Origin, Suite
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

__all__ = ["FRAMEWORK", "JUnitReader", "Origin", "read_report"]

_START = re.compile(r"[\ufeff\s]*(?=<\?xml\s|<testsuites?(?:[\s/>]|$))")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)(?:#(x[0-9a-fA-F]{1,6}|[0-9]{1,7});)?")
_ENCODING = re.compile(rb"<\?xml[^>]{0,100}\sencoding=[\"']([A-Za-z][\w.-]{0,40})")
_CDATA_END = "]]>"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class _StopError(Exception):
    """The document is not to be read on; `warning` says why, "" if it is no report."""

    def __init__(self, warning: str = "") -> None:
        super().__init__(warning)
        self.warning = warning


class _Document:
    """A document that is open."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.suites: list[Suite] = []
        self.case: Case | None = None
        self.case_depth = 0
        self.depth = 0
        self.fed = 0  # bytes before the text that is being fed
        self.closed_at = -1
        self.tag_at = -1  # the last start tag's first byte
        self.cdata = False
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = self._entity
        parser.StartCdataSectionHandler = self._begin_cdata
        parser.EndCdataSectionHandler = self._end_cdata
        # Expat 2.6 holds long tokens back, so that the end of a document would be seen too late.
        if at_once := getattr(parser, "SetReparseDeferralEnabled", None):
            at_once(False)

    def text_until(self, fed: str) -> str:
        """What must come before anything but text can: "" unless `fed`, which it took last, ended
        in text. Text never holds `]]>` outside of a CDATA section."""
        if self.cdata:
            return _CDATA_END
        at = fed.rfind("<")
        if at < 0 or self.tag_at < 0:
            return ""
        # Only a tag that is whole was announced, and it has no `<` within.
        behind = len(fed) - at if fed.isascii() else len(fed[at:].encode("utf-8", "replace"))
        return "<" if self.fed - behind == self.tag_at else ""

    def feed(self, text: str) -> str | None:
        """Take more of the document: None while it is open, what follows it when it has ended.

        Raises:
            expat.ExpatError: it is broken.
            _StopError: it is not to be read on.
        """
        data = text.encode("utf-8", "replace")
        try:
            self.parser.Parse(data)
        except expat.ExpatError:
            if self.closed_at < 0:
                raise
        if self.closed_at >= 0:
            return data[self.closed_at - self.fed :].partition(b">")[2].decode("utf-8", "replace")
        self.fed += len(data)
        return None

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        element = tag.rpartition(":")[2]
        self.tag_at = self.parser.CurrentByteIndex
        if self.depth == 0 and element not in ("testsuites", "testsuite"):
            raise _StopError
        self.depth += 1
        if self.case is not None:
            if self.depth == self.case_depth + 1:
                self.case.child(element, attributes)
        elif element in ("testsuite", "testsuites"):
            self.suites.append(Suite.begin(attributes))
        elif element == "testcase":
            self.case = Case.begin(attributes, self.suites, self._line())
            self.case_depth = self.depth
            if self.case is None:
                self.warnings.append(f"line {self._line()}: a test case without a name")
        elif element in ("failure", "error") and self.suites:
            self.warnings.append(f"line {self._line()}: suite {self.suites[-1].name!r} failed")

    def _end(self, tag: str) -> None:
        element = tag.rpartition(":")[2]
        if self.case is not None and self.depth == self.case_depth:
            self._note(self.case)
            self.case = None
        elif self.case is None and element in ("testsuite", "testsuites"):
            self._close_suite()
        self.depth -= 1
        if self.depth == 0:
            self.closed_at = self.parser.CurrentByteIndex

    def _close_suite(self) -> None:
        suite = self.suites.pop()
        if suite.announced > suite.failing:
            self.warnings.append(
                f"line {self._line()}: suite {suite.name!r} counts {suite.announced} failures and "
                f"errors, {suite.failing} of its test cases have one"
            )
        if self.suites:
            self.suites[-1].failing += suite.failing

    def _note(self, case: Case) -> None:
        flaky = case.flaky and case.status is Status.PASSED
        raw = case.origin.encode()
        note(self.results, case.name, TestResult(case.status, case.line, raw, case.duration, flaky))
        if self.suites:
            failed = case.status in (Status.FAILED, Status.ERROR)
            self.suites[-1].failing += case.reruns + failed

    def _begin_cdata(self) -> None:
        self.cdata = True

    def _end_cdata(self) -> None:
        self.cdata = False

    def _entity(self, *_: object) -> None:
        raise _StopError(f"line {self._line()}: an entity declaration, the report is not read on")

    def _line(self) -> int:
        return self.first + self.parser.CurrentLineNumber - 1

    def cut(self) -> None:
        """It ends here, before its end: the open test case is in error."""
        if self.case is not None:
            self.case.status = Status.ERROR
            self._note(self.case)


class JUnitReader:
    """All documents of a log; `complete` if there is one and none is cut."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.document: _Document | None = None
        self.number = 0
        self.until = ""  # see `_Document.text_until`
        self.unfed = 0  # lines of text that the document was not given
        self.whole = 0
        self.cut = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        until = self.until
        if until and until not in line and _CDATA_END not in line:
            self.unfed += number > self.number
            self.number = number
            return
        if self.document is None:
            if "<" in line and (start := _START.match(line)):
                self.document = _Document(number)
                self.number = number
                self._take(number, line[start.end() :])
            return
        end = "\n" if number > self.number else " "
        self.number = number
        unfed, self.unfed, self.until = self.unfed, 0, ""
        self._take(number, "\n" * unfed + end + line)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.document is not None:
            self._abandon(self.document, "no end")
        return Parsed(self.results, self.whole > 0 and not self.cut, tuple(self.warnings))

    def _take(self, number: int, text: str) -> None:
        """Feed the open document, and those that begin behind it in the same line."""
        text = _clean(text)
        while self.document is not None:
            document = self.document
            try:
                rest = document.feed(text)
            except (_StopError, expat.ExpatError) as error:
                self._broken(document, number, text, error)
                return
            if rest is None:
                self.until = document.text_until(text)
                return
            self.whole += 1
            self._merge(document)
            if start := _START.match(rest):
                self.document = _Document(number)
                text = rest[start.end() :]

    def _broken(self, document: _Document, number: int, text: str, error: Exception) -> None:
        if isinstance(error, expat.ExpatError):
            if document.depth:
                self._abandon(document, f"not well-formed at line {number}")
        elif str(error):
            self.warnings.append(str(error))
            self.cut += 1
        self.document = None
        # The line that does not fit may be the first one of the next document.
        if number > document.first and (start := _START.match(text)):
            self.document = _Document(number)
            self._take(number, text[start.end() :])

    def _abandon(self, document: _Document, why: str) -> None:
        document.cut()
        self._merge(document)
        if document.depth:
            self.cut += 1
            self.warnings.append(f"the report that begins at line {document.first} has {why}")

    def _merge(self, document: _Document) -> None:
        for name, result in document.results.items():
            note(self.results, name, result)
        self.warnings += document.warnings
        self.document = None


def read_report(data: bytes) -> Parsed:
    """Read a report file: one document or several, one after another.

    Args:
        data: the file's bytes, in the encoding that its byte order mark or first line names;
            UTF-8 with replacements where they are no such text.
    """
    reader = JUnitReader()
    for number, line in enumerate(_decode(data).split("\n"), 1):
        reader.feed(number, line)
    return reader.finish()


def _decode(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    declared = _ENCODING.match(data[:200].lstrip())
    try:
        return data.decode(declared[1].decode() if declared else "utf-8", "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _clean(text: str) -> str:
    """`text` without what XML forbids."""
    if not text.isprintable():
        text = _FORBIDDEN.sub(_mark, text)
    return _REFERENCE.sub(_reference, text) if "&" in text else text


def _mark(match: re.Match[str]) -> str:
    return " " if match[0] == "\r" else "\ufffd"


def _reference(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None:
        return "&amp;"
    code = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    if code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE:
        return match[0]
    return match[0] if 0x10000 <= code <= 0x10FFFF else "\ufffd"


FRAMEWORK = Framework(
    name="junit-xml",
    reader=JUnitReader,
    names="`classname.name`, as `com.acme.CalcTest.testAdd`; `name` where there is no class name",
    signs=r"\s*(?:<\?xml\s[^>]*>\s*)?<testsuites?(?:[\s/>]|$)",
    begins=" <",
)
