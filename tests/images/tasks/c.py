"""cJSON 1.7.19, from Debian, whose tests meet the cJSON.c of 1.7.18."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit, hunks_but

_TESTS = ("tests/misc_tests.c", "tests/parse_number.c", "tests/cjson_add.c", "tests/print_object.c")


def _after(repo: Path) -> None:
    copy(upstream.debian("cjson", "1.7.19-2", "sid"), repo)


def _before(repo: Path) -> None:
    _after(repo)
    old = upstream.debian("cjson", "1.7.18-3.1+deb13u1", "trixie")
    for name in ("cJSON.c", *_TESTS):
        shutil.copy(old / name, repo / name)
    edit(repo / "cJSON.c", ("CJSON_VERSION_PATCH != 18", "CJSON_VERSION_PATCH != 19"))


TASK = Task(
    name="cjson",
    language="c",
    install=(apt("gcc", "libc6-dev", "make", "cmake"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("tests/"),
    command="make -C build -j2 >/dev/null && cd build && ctest --output-on-failure",
    parser="ctest",
    half=lambda gold: hunks_but(gold, "number_c_string"),
    problem="cJSON 1.7.18: numbers of more than 63 characters are cut; cJSON_Duplicate runs out of "
    "stack on circular items; cJSON_SetValuestring copies overlapping strings.",
    build=("RUN cmake -S . -B build >/dev/null 2>&1 && make -C build -j2 >/dev/null 2>&1",),
    small=True,
    report=True,
)
