"""gorilla/schema 1.4.1, from Debian, with the encoder of 1.2.0."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy


def _after(repo: Path) -> None:
    copy(upstream.debian("golang-github-gorilla-schema", "1.4.1-1", "trixie"), repo)


def _before(repo: Path) -> None:
    _after(repo)
    old = upstream.debian("golang-github-gorilla-schema", "1.2.0-2", "bookworm")
    for name in ("encoder.go", "encoder_test.go"):
        shutil.copy(old / name, repo / name)


TASK = Task(
    name="schema",
    language="go",
    install=(apt("golang-go"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.endswith("_test.go"),
    command="go test -json ./...",
    parser="gotest-json",
    half=lambda gold: gold.replace("+\t_, exists := e.regenc[t]\n", "+\texists := false\n"),
    problem="Encoders registered for a type are ignored behind pointers to structs.",
    build=("RUN sed -i 's/^go 1.20/go 1.19/' go.mod && go vet ./... ; go test -count=1 ./... ; true",),
    env={"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": "/root/.cache/go-build"},
)
