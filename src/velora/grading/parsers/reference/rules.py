"""What all readers here share: the last line about a name wins, and lines that break the original
are skipped.

VeloraHarness's functions take a whole text and end with an exception at some lines, which then
costs them the whole log. A reader here goes on behind such a line, with a warning.
"""

from __future__ import annotations

from velora.grading.protocol import Parsed, Status, TestResult

STATUSES: dict[str, Status] = {status.value: status for status in Status}
WORDS: tuple[str, ...] = tuple(STATUSES)

_RAW = 500  # characters of a line kept as evidence
INVENTED_MOST = 10_000
"""Names made from one count; a larger number in a log is noise or malice."""


class Rules:
    """Results by name, last line wins; the base of the readers."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self._fault = 0
        self._faults = 0

    def put(self, name: str, status: Status, number: int, line: str) -> None:
        """Set a name's status. Empty names are left out: no list can mean one."""
        if not name or name.isspace():
            return
        known = self.results.get(name)
        times = known.times + 1 if known else 1
        self.results[name] = TestResult(status, number, line[:_RAW], times=times)

    def invent(self, name: str, status: Status, number: int, line: str) -> None:
        """Set the status of a name that is made up."""
        self.results[name] = TestResult(status, number, line[:_RAW], invented=True)

    def fault(self, number: int) -> None:
        """The original raises at this line."""
        self._fault = self._fault or number
        self._faults += 1

    def finish(self) -> Parsed:
        """The end of the log. These rules never know whether a run came to its end."""
        if self._faults:
            more = f" and {self._faults - 1} more" if self._faults > 1 else ""
            self.warnings.append(
                f"line {self._fault}{more}: VeloraHarness's parser breaks off here with an "
                "exception; skipped"
            )
        return Parsed(self.results, complete=False, warnings=tuple(self.warnings))


def invented(
    counts: tuple[tuple[Status, int], ...], *, first: int, prefix: str = ""
) -> list[tuple[str, Status]]:
    """Names made from counts, `test_1`, `test_2`, ...: so many of each status, one after
    another."""
    found: list[tuple[str, Status]] = []
    index = first
    for status, count in counts:
        for _ in range(min(count, INVENTED_MOST - len(found))):
            found.append((f"{prefix}test_{index}", status))
            index += 1
    return found


def number_in(text: str) -> int:
    """The number that `text`'s digits are, or a large one where Python refuses to count so far."""
    return int(text) if len(text) < 1000 else 10**9
