"""What single lines of pytest's terminal output mean (pytest 3 to 9, pytest-xdist,
pytest-rerunfailures, pytest-subtests). Which lines are looked at at all is `pytest_log`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from velora.grading.protocol import Status

STATUSES: dict[str, Status] = {
    "PASSED": Status.PASSED,
    "FAILED": Status.FAILED,
    "ERROR": Status.ERROR,
    "SKIPPED": Status.SKIPPED,
    "XFAIL": Status.XFAIL,
    "XPASS": Status.XPASS,
}
SUBTEST_FAILED = "SUBFAIL"  # SUBFAIL: the plugin; SUBFAILED: pytest 9
RERUN = "RERUN"

_SESSION = re.compile(r"=+ test session starts =+\Z")
_SUMMARY = re.compile(r"=+ short test summary info =+\Z")
_SECTION = re.compile(
    r"=+ (?:ERRORS|FAILURES|PASSES|XFAILURES|XPASSES|RERUNS|warnings summary|slowest )[^=]*=+\Z"
)
_BANG = re.compile(r"!{3,} .+ !{3,}\Z")
_COLLECTED = re.compile(r"(?:collecting \.\.\. )?collected (\d+) items?\b(.*)\Z")
_SELECTED = re.compile(r" / (\d+) selected")
_WORKERS = re.compile(r"\d+ workers? \[(\d+) items?\]|gw0 \[(\d+)\]")
_DOTS = re.compile(r"(?:\S+\.\w+ )?([.FEsxXRfpuy,-]+)(?: +\[ *\d+(?:%|/\d+)\])?\Z")
_PROGRESS = re.compile(r" +(?:\[ *\d+(?:%|/\d+)\]|[\d.]+ ?m?s)\Z")
_XDIST = re.compile(r"\[gw\d+\] (?:\[ *\d+%\] )?([A-Z]+)(.*)\Z")
_FINAL = re.compile(
    r"(?:=+ )?((?:\d+ [a-z]+(?: [a-z]+)?, )*\d+ [a-z]+(?: [a-z]+)?|no tests ran)"
    r" in [\d.]+ ?s(?:econds)?(?: \([\d:, a-z]+\))?(?: =+)?\Z"
)
_COUNTS = {
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
_SEARCHED = 64  # places looked at in one line: keeps a hostile line's cost linear


def is_session(line: str) -> bool:
    """The line that begins a session."""
    return line.startswith("=") and _SESSION.match(line) is not None


def is_summary(line: str) -> bool:
    """The heading of the short test summary."""
    return line.startswith("=") and _SUMMARY.match(line) is not None


def is_section(line: str) -> bool:
    """A heading that ends the progress lines: failures, captured output, warnings."""
    return line.startswith("=") and _SECTION.match(line) is not None


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
        return int(selected[1] if selected else found[1])
    found = _WORKERS.match(line)
    return int(found[1] or found[2]) if found else None


def dots(line: str) -> int:
    """How many tests a line of progress letters stands for; 0 if it is none."""
    found = _DOTS.match(line) if len(line) < 4096 else None
    return sum(found[1].count(letter) for letter in ".FEsxX") if found else 0


def totals(line: str) -> dict[str, int] | None:
    """The counts of a session's last line by status word (`{}` for "no tests ran"), or None."""
    if len(line) > 400 or not line.startswith(("=", "no ", *"0123456789")):
        return None
    found = _FINAL.match(line)
    if found is None:
        return None
    counts: dict[str, int] = {}
    for part in found[1].split(", "):
        number, _, word = part.partition(" ")
        if word in _COUNTS:
            counts[_COUNTS[word]] = counts.get(_COUNTS[word], 0) + int(number)
        elif word == "tests collected":
            return None
    return counts


@dataclass(frozen=True, slots=True)
class Progress:
    """A line of `-v` output. `word` is "" where a test began and has no status yet."""

    word: str
    name: str


def progress(line: str) -> Progress | None:
    """Read a line of `-v` output, with pytest-xdist or without."""
    if line.startswith("[gw"):
        return _xdist(line)
    shown = _PROGRESS.sub("", line) if line.endswith(("]", "s")) else line
    at = shown.find(" " + SUBTEST_FAILED)
    if at > 0 and "::" in shown[:at]:
        return Progress(SUBTEST_FAILED, shown[:at])
    bare = shown.rstrip(" ")
    head, _, word = bare.rpartition(" ")
    if word in STATUSES or word == RERUN:
        name = head.rstrip(" ")
        return Progress(word, name) if "::" in name else None
    if bare.endswith(")"):
        for word in ("SKIPPED", "XFAIL", "XPASS"):
            for at in _places(bare, f" {word} ("):
                if "::" in bare[:at] and _closed(bare[:at]):
                    return Progress(word, bare[:at])
    if "::" not in bare:
        return None
    if line.endswith(" "):
        return Progress("", bare)
    # With -s the test's own output follows its name on the line.
    end = line.find(" ") if "[" not in line.partition(" ")[0] else line.find("] ") + 1
    return Progress("", line[:end]) if end > 0 and "::" in line[:end] else None


def lone_status(line: str) -> str:
    """The status word of a line that holds nothing else (its test's name came before)."""
    first = line.lstrip(" ").partition(" ")[0]
    if first not in STATUSES and first != RERUN:
        return ""
    return first if _PROGRESS.sub("", line).strip(" ") == first else ""


def _xdist(line: str) -> Progress | None:
    found = _XDIST.match(line)
    if found is None:
        return None
    word, rest = found[1], found[2].rstrip(" ")
    if word.startswith("SUB"):
        name = _after_description(rest)
        return Progress(SUBTEST_FAILED, name) if word.startswith(SUBTEST_FAILED) else None
    if (word in STATUSES or word == RERUN) and rest.startswith(" "):
        return Progress(word, rest[1:])
    return None


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
    found = _WORD.match(line)
    if found is None:
        return None
    word, rest = found[1], line[found.end() :]
    if word.startswith("SUB"):
        name = _cut_message(_after_description(rest), known)
        return SummaryLine(SUBTEST_FAILED if word.startswith(SUBTEST_FAILED) else "SUB", name)
    if not rest.startswith(" "):
        return None
    if word == "SKIPPED":
        folded = _FOLDED.match(rest)
        if folded:
            return SummaryLine(word, "", int(folded[1]))
    name = rest[1:].rstrip(" ")
    if word != "PASSED":
        name = _cut_message(name, known)
        if word == "XPASS" and name not in known and "[" not in name:
            name = name.partition(" ")[0]  # before pytest 8 only a blank precedes the reason
    return SummaryLine(word, name)


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
