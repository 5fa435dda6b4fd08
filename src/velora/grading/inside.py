"""Applies patches with the image's own git, all in one script through the standing channel.

The fresh sandbox is what the tests' files are restored from: they are copied aside before the
model's patch goes in, and put back before the first test patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from velora.errors import GraderFailed
from velora.grading.ladder import (
    ALREADY,
    FUZZ,
    GIT_APPLY,
    GNU_PATCH,
    NO_REPOSITORY,
    THREE_WAY,
    Patch,
    Rung,
)
from velora.patch.git import NEUTRAL
from velora.sandbox.protocol import ExecTimeout, Sandbox

TIMEOUT = 300.0
"""Seconds for all patches."""

_NO_DIRECTORY = 91
_NO_COPY = 92
_BEGUN = 93
_WHY = {
    _NO_DIRECTORY: "there is no such working directory",
    _NO_COPY: "a file could not be copied aside",
    _BEGUN: "its shell was killed in the middle, so a patch may be half in",
}
_WAYS = {"apply": GIT_APPLY, "already": ALREADY, "3way": THREE_WAY, "fuzz": FUZZ}

_FUNCTIONS = f"""
# keep DIR PATH...: copy each path aside, and remember which of its parents are links.
keep() {{
  d=$T/$1; shift; i=0
  mkdir -p "$d" || exit {_NO_COPY}
  for p; do
    i=$((i + 1)); parents "$p" remember
    if [ -e "$p" ] || [ -L "$p" ]; then cp -a -- "$p" "$d/$i" || exit {_NO_COPY}; fi
  done
}}
# put_back DIR PATH...: undo what happened to the paths since `keep`.
put_back() {{
  d=$T/$1; shift; i=0
  for p; do
    i=$((i + 1)); parents "$p" clear
    rm -rf -- "$p"
    if [ -e "$d/$i" ] || [ -L "$d/$i" ]; then
      case $p in */*) mkdir -p -- "${{p%/*}}" ;; esac
      cp -a -- "$d/$i" "$p" || exit {_NO_COPY}
    fi
  done
}}
# parents PATH WORK: call WORK with each directory above PATH, the topmost first.
parents() {{
  a=; r=$1; k=0
  while :; do
    case $r in */*) ;; *) return 0 ;; esac
    a=$a${{r%%/*}}; r=${{r#*/}}; k=$((k + 1))
    $2 "$a"
    a=$a/
  done
}}
remember() {{ if [ -L "$1" ]; then : >"$d/$i.$k.link"; fi; }}
clear() {{
  if [ -L "$1" ]; then
    [ -e "$d/$i.$k.link" ] || rm -f -- "$1"
  elif [ -e "$1" ] && [ ! -d "$1" ]; then rm -f -- "$1"; fi
}}
say() {{
  printf '@ %s %s\\n' "$1" "$2"
  [ ! -s "$T/out" ] || tail -n 20 "$T/out" | sed 's/^/| /'
}}
plain() {{ GIT_DIR={NO_REPOSITORY} git apply "$@"; }}
three_way() {{
  export GIT_CONFIG_GLOBAL="$T/.gitconfig"
  printf '[safe]\\n\\tdirectory = *\\n' >"$T/.gitconfig"
  top=$(git rev-parse --show-toplevel) && prefix=$(git rev-parse --show-prefix) || return
  cp -- "$(git rev-parse --git-path index)" "$T/index" || return
  export GIT_INDEX_FILE="$T/index"
  git update-index -q --refresh >/dev/null 2>&1
  cd -- "$top" && git apply --3way ${{prefix:+"--directory=$prefix"}} "$1"
}}
fuzz() {{
  if ! patch --version 2>/dev/null | grep 'GNU patch' >/dev/null; then
    echo 'the image has no GNU patch'
    return 1
  fi
  {GNU_PATCH} --dry-run -i "$1" && {GNU_PATCH} -i "$1"
}}
# climb NUMBER KIND PATH...: up the ladder; if no rung holds, the script ends here.
climb() {{
  n=$1; kind=$2; f=$T/$1.patch; shift 2
  if plain --verbose "$f" >"$T/out" 2>&1; then : >"$T/out"; say "$n" apply.ok; return; fi
  say "$n" apply.no
  if [ "$kind" = test ] && plain --check --reverse "$f" >"$T/out" 2>&1; then
    say "$n" already.ok; return
  fi
  keep "$n" "$@"
  if (three_way "$f") >"$T/out" 2>&1; then say "$n" 3way.ok; return; fi
  say "$n" 3way.no
  put_back "$n" "$@"
  if (fuzz "$f") >"$T/out" 2>&1; then say "$n" fuzz.ok; return; fi
  say "$n" fuzz.no
  put_back "$n" "$@"
  exit 0
}}
"""


async def apply(
    sandbox: Sandbox, patches: Sequence[Patch], restore: Iterable[bytes], *, workdir: str, tmp: str
) -> tuple[Rung, ...] | None:
    """Apply `patches` in order; stops at a patch that no rung applies. Before the first test
    patch, or at the end where there is none, the paths in `restore` are put back to what they
    were at the start.

    Args:
        tmp: an absolute path in the sandbox that nothing uses; it stays behind.

    Returns:
        The rungs tried, or None where the image has no git.

    Raises:
        GraderFailed: no such working directory, or the script broke.
        SandboxLost: the sandbox is gone.
    """
    for number, patch in enumerate(patches):
        await sandbox.write_file(f"{tmp}/{number}.patch", patch.data)
    source = _head(workdir, tmp)
    restored = _words(restore)
    source += f"keep tests {restored}\n" if restored else ""
    for number, patch in enumerate(patches):
        if patch.test and restored:
            source += f"put_back tests {restored}\n"
            restored = ""
        source += f"climb {number} {'test' if patch.test else 'model'} {_words(patch.paths)}\n"
    source += f"put_back tests {restored}\n" if restored else ""
    try:
        result = await sandbox.script(source, timeout=TIMEOUT)
    except ExecTimeout as error:
        raise GraderFailed(f"applying the patches {error}") from error
    output = result.stdout.decode("utf-8", "replace")
    if result.exit_code != 0:
        why = _WHY.get(result.exit_code, f"exit status {result.exit_code}")
        detail = result.stderr.decode("utf-8", "replace").strip()
        raise GraderFailed(f"applying the patches in {workdir} failed: {why}: {detail}")
    if output.startswith("no-git"):
        return None
    return tuple(_rungs(output, patches))


def _head(workdir: str, tmp: str) -> str:
    return (
        f'{NEUTRAL}umask 022\nT={quote(tmp)}\nexport HOME="$T" XDG_CONFIG_HOME="$T"\n'
        f"cd -- {quote(workdir)} 2>/dev/null || exit {_NO_DIRECTORY}\n"
        "command -v git >/dev/null || { echo no-git; exit 0; }\n"
        f'mkdir "$T/begun" 2>/dev/null || exit {_BEGUN}\n{_FUNCTIONS}'
    )


def _rungs(output: str, patches: Sequence[Patch]) -> Iterable[Rung]:
    head: list[str] = []
    said: list[str] = []
    for line in [*output.split("\n"), "@ end"]:
        if not line.startswith("@ "):
            said.append(line.removeprefix("| "))
            continue
        if head:
            way, _, held = head[1].partition(".")
            label = patches[int(head[0])].label
            yield Rung(label, _WAYS[way], held == "ok", "\n".join(said))
        head, said = line.split()[1:], []


def _words(paths: Iterable[bytes]) -> str:
    return " ".join(quote(path.decode("utf-8", "surrogateescape")) for path in paths)
