"""yaml-cpp 0.8.0, from Debian, with the emitter and the line breaks of 0.7.0; GoogleTest."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy

_TESTS = ("test/integration/emitter_test.cpp", "test/integration/load_node_test.cpp")


def _fixed(repo: Path) -> None:
    copy(upstream.debian("yaml-cpp", "0.8.0", "trixie"), repo)


def _broken(repo: Path) -> None:
    _old(repo, "src/emitter.cpp", "src/emitterutils.cpp", "src/exp.h", *_TESTS)


def _half(repo: Path) -> None:
    _old(repo, "src/emitter.cpp")


def _old(repo: Path, *names: str) -> None:
    copy(upstream.debian("yaml-cpp", "0.7.0", "bookworm"), repo, *names)


_OPTIONS = "-DYAML_CPP_BUILD_TESTS=ON -DYAML_CPP_BUILD_TOOLS=OFF -DYAML_BUILD_SHARED_LIBS=ON"

TASK = Task(
    name="yaml-cpp",
    language="cpp",
    problem="What the emitter writes cannot be read again\n\nA tagged map or list as a key of a "
    "map needs the long form with `?`. A key with an ampersand needs quotes, and a carriage "
    "return is a line break.",
    install=(apt("g++", "make", "cmake", "googletest"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=(
        "EmitterTest.TaggedBlockListAsKey",
        "EmitterTest.TaggedBlockMapAsKey",
        "EmitterTest.VerbatimTagInBlockMap",
    ),
    tests=("test/",),
    command="make -C build >/dev/null && build/test/yaml-cpp-tests",
    parser="gtest",
    build=(
        "RUN cp -r /usr/src/googletest test/gtest-1.11.0"
        f" && cmake -S . -B build {_OPTIONS} >/dev/null && make -C build -j2 >/dev/null 2>&1",
    ),
    report="gtest",
)
