"""What lies in a directory, two levels deep, by the shell's own globbing.

`find` is missing in some images and differs between them; a glob is POSIX, leaves hidden names out
by itself and needs one round trip.
"""

from __future__ import annotations

import shlex

from velora.sandbox.protocol import Sandbox

_SCRIPT = """\
cd {path} || exit 1
for a in *; do
  if [ -d "$a" ]; then
    printf '%s/\\0' "$a"
    [ -L "$a" ] && continue
    for b in "$a"/*; do
      if [ -d "$b" ]; then printf '%s/\\0' "$b"
      elif [ -e "$b" ] || [ -L "$b" ]; then printf '%s\\0' "$b"; fi
    done
  elif [ -e "$a" ] || [ -L "$a" ]; then printf '%s\\0' "$a"; fi
done
"""


async def names(sandbox: Sandbox, path: str) -> list[str]:
    """Paths below the directory `path`, relative to it and sorted; directories end in `/`.

    Names that begin with a dot are left out, and linked directories are not entered.

    Raises:
        OSError: the directory cannot be entered; the text is the shell's own.
        ExecTimeout: it took longer than a minute.
    """
    result = await sandbox.script(_SCRIPT.format(path=shlex.quote(path)))
    if result.exit_code != 0:
        raise OSError(result.stderr.decode(errors="replace").strip() or f"cannot list {path}")
    found = result.stdout.decode(errors="replace").split("\0")
    return sorted(name for name in found if name)
