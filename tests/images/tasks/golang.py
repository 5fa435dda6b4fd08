"""gorilla/schema 1.4.1, from Debian, without what 1.4.0 and 1.4.1 brought to its decoder: default
values and a limit for slices (CVE-2024-37298); `go test -json`."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, cut, edit

_LIMIT = (
    "\t\tif idx > d.maxSize {\n"
    '\t\t\treturn fmt.Errorf("%v index %d is larger than the configured maxSize %d",'
    " v.Kind(), idx, d.maxSize)\n"
    "\t\t}\n"
)
_WITHHELD = (
    "TestDefaultValuesAreSet",
    "TestRequiredFieldsCannotHaveDefaults",
    "TestInvalidDefaultElementInSliceRaiseError",
    "TestDecoder_MaxSize",
)


def _fixed(repo: Path) -> None:
    copy(upstream.debian("golang-github-gorilla-schema", "1.4.1", "trixie"), repo)


def _broken(repo: Path) -> None:
    _half(repo)
    edit(repo / "decoder.go", ("\terrors.merge(d.setDefaults(t, v))\n", ""))
    cut(
        repo / "decoder_test.go",
        *((f"func {name}(t *testing.T) {{", "}") for name in _WITHHELD),
    )
    edit(repo / "decoder_test.go", ('\t"fmt"\n', ""))


def _half(repo: Path) -> None:
    edit(repo / "decoder.go", (_LIMIT, ""))


TASK = Task(
    name="schema",
    language="go",
    problem="The decoder lets the client choose how large a slice becomes\n\nValues for the key "
    "`Values.100000000.Val` make a slice of that size: MaxSize has no effect. Nor has the option "
    "`default` in a field's tag.",
    install=(apt("golang-go"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=(
        "github.com/gorilla/schema/TestDecoder_MaxSize",
        "github.com/gorilla/schema/TestDecoder_MaxSize/error_on_decoding_above_max_size",
    ),
    tests=("_test.go",),
    command="go test -json ./...",
    parser="gotest-json",
    build=("RUN go test -run '^$' ./... >/dev/null",),
    env={"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": "/root/.cache/go-build"},
)
