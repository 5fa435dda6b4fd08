"""cJSON 1.7.18, from Debian, with the setters of 1.7.15, which lack null checks; CTest."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit


def _fixed(repo: Path) -> None:
    copy(upstream.debian("cjson", "1.7.18", "trixie"), repo)


def _broken(repo: Path) -> None:
    parts = ("cJSON.c", "tests/misc_tests.c")
    copy(upstream.debian("cjson", "1.7.15", "bookworm"), repo, *parts)
    edit(repo / "cJSON.c", ("CJSON_VERSION_PATCH != 15", "CJSON_VERSION_PATCH != 18"))


def _half(repo: Path) -> None:
    edit(repo / "cJSON.c", ("if (which < 0 || newitem == NULL)", "if (which < 0)"))


TASK = Task(
    name="cjson",
    language="c",
    problem="Crashes on NULL\n\ncJSON_SetValuestring and cJSON_InsertItemInArray crash where an "
    "argument is NULL, and where an item is corrupted.",
    install=(apt("gcc", "libc6-dev", "make", "cmake"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("misc_tests",),
    tests=("tests/",),
    command="make -j2 -C build >/dev/null && cd build && ctest --output-on-failure",
    parser="ctest",
    build=(
        "RUN cmake -S . -B build -DENABLE_CJSON_UTILS=Off >/dev/null"
        " && make -C build -j2 >/dev/null 2>&1",
    ),
    small=True,
    report="ctest",
)
