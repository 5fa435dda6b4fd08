"""cJSON 1.7.18, from Debian, with the parser and the setters of 1.7.15, which lack null checks and
bounds; CTest, built with AddressSanitizer, without which nobody sees the reading too far."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit


def _fixed(repo: Path) -> None:
    copy(upstream.debian("cjson", "1.7.18", "trixie"), repo)


def _broken(repo: Path) -> None:
    parts = ("cJSON.c", "tests/misc_tests.c", "tests/parse_examples.c")
    copy(upstream.debian("cjson", "1.7.15", "bookworm"), repo, *parts)
    edit(repo / "cJSON.c", ("CJSON_VERSION_PATCH != 15", "CJSON_VERSION_PATCH != 18"))


def _half(repo: Path) -> None:
    edit(repo / "cJSON.c", ("if (cannot_access_at_index(input_buffer, 1))\n", "if (false)\n"))


TASK = Task(
    name="cjson",
    language="c",
    problem="cJSON crashes\n\ncJSON_SetValuestring and cJSON_InsertItemInArray crash on NULL "
    "and on corrupted items, and cJSON_ParseWithLength reads beyond the end of an object that ends "
    "after a comma.",
    install=(apt("gcc", "libc6-dev", "make", "cmake"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("parse_examples",),
    tests=("tests/",),
    command="make -j2 -C build >/dev/null && cd build && ctest --output-on-failure",
    parser="ctest",
    build=(
        "RUN cmake -S . -B build -DCMAKE_C_FLAGS=-fsanitize=address"
        " -DENABLE_CUSTOM_COMPILER_FLAGS=Off -DENABLE_CJSON_UTILS=Off >/dev/null"
        " && make -C build -j2 >/dev/null 2>&1",
    ),
    env={"ASAN_OPTIONS": "detect_leaks=0"},
    small=True,
    report="ctest",
)
