"""yaml-cpp 0.8.0, from Debian, with the base64 decoder of 0.7.0, which negative bytes crash."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, hunks_but


def _after(repo: Path) -> None:
    copy(upstream.debian("yaml-cpp", "0.8.0+dfsg-7", "trixie"), repo)


def _before(repo: Path) -> None:
    _after(repo)
    old = upstream.debian("yaml-cpp", "0.7.0+dfsg-8", "bookworm")
    shutil.copy(old / "src/binary.cpp", repo / "src/binary.cpp")
    (repo / "test/binary_test.cpp").unlink()


_CONFIGURE = "cmake -S . -B build -DYAML_BUILD_SHARED_LIBS=ON -DYAML_CPP_BUILD_TOOLS=OFF"

TASK = Task(
    name="yaml-cpp",
    language="cpp",
    install=(apt("g++", "make", "cmake", "googletest"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("test/"),
    command="make -C build -j2 >/dev/null && build/test/yaml-cpp-tests",
    parser="gtest",
    half=lambda gold: hunks_but(gold, "no hunk has this").replace(
        "decoding[static_cast<unsigned char>(input[i])]", "decoding[static_cast<unsigned>(input[i])]"
    ),
    problem="YAML::DecodeBase64 crashes on bytes beyond 127.",
    build=(
        "RUN cp -r /usr/src/googletest test/gtest-1.11.0 && "
        f"{_CONFIGURE} >/dev/null && make -C build -j2 >/dev/null",
    ),
    report=True,
)
