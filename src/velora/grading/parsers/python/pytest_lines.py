"""What single lines of pytest's terminal output mean (pytest 3 to 9, pytest-xdist,
pytest-rerunfailures, pytest-subtests). Which lines are looked at at all is `pytest_log`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from velora.grading.parsers.text import decimal
from velora.grading.protocol import Status

STATUSES: dict[str, Status] = {
    "PASSED": Status.PASSED,
    "FAILED": Status.FAILED,
    "ERROR": Status.ERROR,
    "SKIPPED": Status.SKIPPED,
    "XFAIL": Status.XFAIL,
    "XPASS": Status.XPASS,
}
SUBTEST_FAILED = "SUBFAIL"  # SUBFAIL: the plug-in; SUBFAILED: pytest 9
SUBTEST = "SUB"  # any other end of a sub-test
RERUN = "RERUN"
COLLECTED = "COLLECTED"  # what --collect-only counts

SESSION = "test session starts"
SUMMARY = "short test summary info"
ERRORS = "ERRORS"
DURATIONS = "durations"
_SECTIONS = (ERRORS, "FAILURES", "PASSES", "XFAILURES", "XPASSES", "RERUNS")

_BANG = re.compile(r"!{3,} .+ !{3,}\Z")
_COLLECTED = re.compile(r"(?:collecting \.\.\. )?collected (\d+) items?\b(.*)\Z")
_SELECTED = re.compile(r" / (\d+) selected")
_WORKERS = re.compile(r"\d+ workers? \[(\d+) items?\]|gw0 \[(\d+)\]")
_DOTS = re.compile(r"(?:\S+\.\w+ )?([.FEsxXRfpuy,-]+)(?: +\[ *\d+(?:%|/\d+)\])?\Z")
_XDIST = re.compile(r"\[gw\d+\] (?:\[ *\d+(?:%|/\d+)\] )?")
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_COMMON = re.compile(r"([^\s\[]\S*) +(PASSED|FAILED|SKIPPED|ERROR) +\[ {0,2}\d{1,3}%\]\Z")
"""What nearly every line of `-v` is; the rest of this module reads it too, but more slowly."""
_SPENT = re.compile(r" ([\d.]+)(s|[mun]s)\Z")
_FINAL = re.compile(
    r"((?:(?:\d+/)?\d+ [a-z]+(?: [a-z]+)?, )*(?:\d+/)?\d+ [a-z]+(?: [a-z]+)?"
    r"|no tests ran|no tests collected)"
    r"(?: \(\d+ deselected\))? in [\d.]+ ?s(?:econds)?(?: \([\d:, a-z]+\))?\Z"
)
_COUNTS = {
    "test collected": COLLECTED,
    "tests collected": COLLECTED,
    "failed": "FAILED",
    "passed": "PASSED",
    "skipped": "SKIPPED",
    "xfailed": "XFAIL",
    "xpassed": "XPASS",
    "error": "ERROR",
    "errors": "ERROR",
}
_WORD = re.compile(r"(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS|RERUN|SUB[A-Z]+)(?=[ \[(])")
_FOLDED = re.compile(r" \[(\d+)\] ")
_SUB_WORD = re.compile(r" (SUB[A-Z]+)(?=[ \[(]|\Z)")
_TAKEN = re.compile(r"([\d.]+)s (?:call|setup|teardown) +(\S.*)\Z")
_BROKEN = re.compile(r"_+ ERROR collecting (.+) _+\Z")
_REASONED = ("SKIPPED", "XFAIL", "XPASS")
_SEARCHED = 64  # places looked at in one line: keeps a hostile line's cost linear
_LONGEST_DOTS = 4096


def title(line: str) -> str:
    """What stands between the rules of `==== title ====`, of the titles that a session has; ""
    for another line."""
    text = line.strip("=").strip(" ") if line.startswith("=") else ""
    if text in (SESSION, SUMMARY, *_SECTIONS):
        return text
    if text.startswith("slowest "):
        return DURATIONS
    return "warnings summary" if text.startswith("warnings summary") else ""


def is_bang(line: str) -> bool:
    """The line that says that the run was stopped early (`-x`, Ctrl-C, collection errors)."""
    return line.startswith("!!!") and _BANG.match(line) is not None


def collected(line: str) -> int | None:
    """How many tests the session is about to run, if the line says so."""
    if line.startswith("collect"):
        found = _COLLECTED.match(line)
        if found is None:
            return None
        selected = _SELECTED.search(found[2])
        return int((selected[1] if selected else found[1])[:9])
    found = _WORKERS.match(line)
    return int((found[1] or found[2])[:9]) if found else None


def dots(line: str) -> int:
    """How many tests a line of progress letters stands for; 0 if it is none."""
    found = _DOTS.match(line) if len(line) < _LONGEST_DOTS else None
    return sum(found[1].count(letter) for letter in ".FEsxX") if found else 0


def totals(line: str) -> dict[str, int] | None:
    """The counts of a session's last line by status word (`{}` for "no tests ran"), or None."""
    if len(line) > 400:
        return None
    text = line.strip("=").strip(" ") if line.startswith("=") else line
    found = _FINAL.match(text) if text.startswith(("no ", *"0123456789")) else None
    if found is None:
        return None
    counts: dict[str, int] = {}
    for part in found[1].split(", "):
        number, _, word = part.partition(" ")
        if word in _COUNTS:
            counts[_COUNTS[word]] = counts.get(_COUNTS[word], 0) + int(number.partition("/")[0][:9])
    return counts


def taken(line: str) -> tuple[str, float] | None:
    """The test's name and the seconds in a line of `--durations`."""
    found = _TAKEN.match(line)
    return (found[2], _seconds(found[1])) if found else None


def not_collected(line: str) -> str:
    """The file in the heading of a collection error, or ""."""
    found = _BROKEN.match(line) if line.startswith("_") and len(line) < _LONGEST_DOTS else None
    return found[1] if found else ""


class Progress(NamedTuple):
    """A line of `-v` output.

    Attributes:
        word: "" where a test began and has no status yet.
        after: what follows the name where a test began: output of its own.
        duration: seconds, of `console_output_style=times`.
        worker: the line is pytest-xdist's.
        wrapped: the reason goes on in the next lines.
        edged: a percentage, a count or a time stands at the right edge.
    """

    word: str
    name: str
    after: str = ""
    duration: float | None = None
    worker: bool = False
    wrapped: bool = False
    edged: bool = False


def progress(line: str) -> Progress | None:
    """Read a line of `-v` output that holds `::`, with pytest-xdist or without."""
    if (common := _COMMON.match(line)) is not None and "::" in common[1]:
        return Progress(common[2], common[1], edged=True)
    if line.startswith("[gw"):
        found = _XDIST.match(line)
        return _worker(line[found.end() :].rstrip(" ")) if found else None
    shown, duration = _unmeasured(line)
    edged = shown is not line
    bare = shown.rstrip(" ")
    if " SUB" in bare and (sub := _sub(bare)) is not None:
        return sub
    head, _, word = bare.rpartition(" ")
    if word in STATUSES or word == RERUN:
        name = head.rstrip(" ")
        if edged or " " not in name.partition("[")[0].partition("::")[2]:
            return Progress(word, name, "", duration, edged=edged) if "::" in name else None
    for word in _REASONED if "(" in bare else ():
        for at in _places(bare, f" {word} ("):
            if "::" in bare[:at] and _closed(bare[:at]):
                wrapped = not bare.endswith(")")
                return Progress(word, bare[:at], "", duration, wrapped=wrapped, edged=edged)
    if "::" not in bare:
        return None
    if line.endswith(" "):
        return Progress("", bare)
    # With -s the test's own output follows its name on the line.
    end = line.find(" ") if "[" not in line.partition(" ")[0] else line.find("] ") + 1
    found_name = end > 0 and "::" in line[:end]
    return Progress("", line[:end], after=line[end + 1 :]) if found_name else None


def ends_reason(line: str, *, edged: bool) -> bool:
    """The last line of a reason that began lines before, in a run whose lines are `edged`."""
    shown, _ = _unmeasured(line)
    return shown.rstrip(" ").endswith(")") and (shown is not line or not edged)


def lone_status(line: str) -> str:
    """The status word of a line that holds nothing else (its test's name came before)."""
    word = _unmeasured(line)[0].strip(" ")
    return word if word in STATUSES or word == RERUN else ""


def glued_status(line: str) -> str:
    """The status word at the end of a line that begins with a test's output."""
    shown = _unmeasured(line)[0].rstrip(" ")
    return next((word for word in STATUSES if shown.endswith(word)), "")


def _worker(text: str) -> Progress | None:
    """What follows pytest-xdist's mark: `STATUS name`."""
    word, gap, name = text.partition(" ")
    if gap and (word in STATUSES or word == RERUN):
        return Progress(word, name, worker=True)
    if text.startswith(SUBTEST):
        described = text.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        word = SUBTEST_FAILED if text.startswith(SUBTEST_FAILED) else SUBTEST
        return Progress(word, _after_description(described), worker=True)
    for found in _sub_words(text):
        word, name = found
        return Progress(word, name, worker=True)
    return None


def _sub(bare: str) -> Progress | None:
    """A sub-test's line: `name SUBFAILED[message] (i=1)` of pytest 9, or the plug-in's
    `name [message] (i=1) SUBFAIL`, where the name is what the next line of its test says."""
    for found in _SUB_WORD.finditer(bare):
        word = SUBTEST_FAILED if found[1].startswith(SUBTEST_FAILED) else SUBTEST
        if "::" in bare[: found.start()]:
            return Progress(word, bare[: found.start()])
    return None


def _unmeasured(line: str) -> tuple[str, float | None]:
    """Without the percentage, count or time at the right edge; the time in seconds."""
    if line.endswith("]"):
        at = line.rfind(" [", max(0, len(line) - 16))
        inner = line[at + 2 : -1].strip(" ")
        if at > 0 and inner.rstrip("%").replace("/", "").isdigit():
            return line[:at], None
    elif line.endswith("s"):
        spent = _SPENT.search(line, max(0, len(line) - 14))
        if spent:
            return line[: spent.start()], _seconds(spent[1]) * _UNITS[spent[2]]
    return line, None


def _seconds(text: str) -> float:
    return decimal(text) if text.count(".") < 2 and text != "." else 0.0


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A line of the short summary. `name` is "" where it names no test; `count` tests fold in."""

    word: str
    name: str
    count: int = 1


def summary(line: str, known: Container[str]) -> SummaryLine | None:
    """Read a line of the short summary.

    Args:
        line: without escapes.
        known: names seen elsewhere; decides where a name ends and its message begins.
    """
    if line.startswith(("[", "(")):
        return next((SummaryLine(w, _cut_message(n, known)) for w, n in _sub_words(line)), None)
    found = _WORD.match(line)
    if found is None:
        return None
    word, rest = found[1], line[found.end() :]
    if word.startswith(SUBTEST):
        name = _cut_message(_after_description(rest), known)
        return SummaryLine(SUBTEST_FAILED if word.startswith(SUBTEST_FAILED) else SUBTEST, name)
    if not rest.startswith(" "):
        return None
    if word == "SKIPPED":
        folded = _FOLDED.match(rest)
        if folded:
            return SummaryLine(word, "", int(folded[1][:9]))
    name = rest[1:].rstrip(" ") if len(rest) < 2 or rest[-1] != "]" else rest[1:]
    if word != "PASSED":
        name = _cut_message(name, known)
        if word == "XPASS" and name not in known and "[" not in name:
            name = name.partition(" ")[0]  # before pytest 8 only a blank precedes the reason
    if "::" not in name and " " in name:
        return None  # a message's own line
    return SummaryLine(word, name)


def _sub_words(text: str) -> Iterator[tuple[str, str]]:
    """The plug-in's `[message] (i=1) SUBFAIL name`: word and what follows."""
    at = -1
    for _ in range(_SEARCHED):
        at = text.find(" SUB", at + 1)
        if at < 0:
            return
        word, _, name = text[at + 1 : at + 4096].partition(" ")
        if "::" in name and word.isupper():
            yield (SUBTEST_FAILED if word.startswith(SUBTEST_FAILED) else SUBTEST), name


def _cut_message(text: str, known: Container[str]) -> str:
    """The name at the start of `NAME - message`; brackets in a name may hold ` - ` themselves."""
    heads = [text[:at] for at in _places(text, " - ")] + [text]
    for head in heads:
        if head in known:
            return head
    return next((head for head in heads if _closed(head)), heads[0])


def _after_description(text: str) -> str:
    """The name after a sub-test's `[message] (i=1)`; "" if none is found."""
    at = 0
    for _ in range(_SEARCHED):
        at = text.find(" ", at)
        if at < 0:
            return ""
        before, rest = text[:at], text[at + 1 :]
        described = not before or before.endswith(("]", ")", ">"))
        if described and not rest.startswith("(") and "::" in rest.partition(" ")[0]:
            return rest
        at += 1
    return ""


def _closed(name: str) -> bool:
    """Not cut inside its brackets."""
    return "[" not in name or name.endswith("]")


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    for _ in range(_SEARCHED):
        if at < 0:
            return
        yield at
        at = text.find(part, at + 1)
