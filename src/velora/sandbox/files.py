"""Reading and writing one file by a shell script, with the errors that Python's `open` has.

A script tries first and looks for the reason only when it failed; it says the error number by
its exit status, 64 + errno. What the tests in it cannot tell (a full disk, a read-only file
system) is read from the C-locale words on stderr.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from velora.sandbox.protocol import ExecResult
from velora.sandbox.source import encode, printf, quote

_STATUS = 64
_PART = 256 * 1024  # bytes of data in one script
_NAMED = (errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.EISDIR, errno.EFBIG, errno.EINVAL)

# `why NEED`: exit with the reason why $f cannot be opened (NEED is -r or -w). Shells do not say
# why a write failed; `cat` does.
_WHY = b"""
why() {
  if [ -d "$f" ]; then exit 85; fi
  case "$f" in */) exit 84 ;; esac
  if [ -e "$f" ]; then
    [ "$1" "$f" ] || exit 77
    if [ "$1" = -w ]; then printf . | cat >>"$f"; fi
    exit 1
  fi
  d=$f
  while :; do
    d=${d%/*}
    if [ -d "$d/" ]; then
      [ -x "$d/" ] || exit 77
      if [ "$1" = -w ] && [ ! -w "$d/" ]; then exit 77; fi
      break
    fi
    if [ -e "$d" ]; then exit 84; fi
    [ "$d" ] || break
  done
  if [ "$1" = -r ]; then exit 66; fi
  exit 1
}
"""


def read_script(path: str, limit: int | None) -> bytes:
    """Print the file; exit with 64 + errno where that fails."""
    script = b"f=%s\n" % quote(_checked(path)) + _WHY
    script += b'if [ -p "$f" ]; then exit 86; fi\n'
    script += b'if [ -d "$f" ] || [ ! -r "$f" ]; then why -r; fi\n'
    if limit is None:
        return script + b'cat <"$f" || why -r\n'
    script += b"""
n=$(stat -L -c %%s "$f" 2>/dev/null || wc -c <"$f") || why -r
if [ "$n" -gt %d ]; then exit 91; fi
head -c %d <"$f" || why -r
""" % (limit, limit + 1)
    return script


def read_result(path: str, limit: int | None, result: ExecResult) -> bytes:
    """The file's bytes from what `read_script` came to.

    Raises:
        OSError: the subclass that fits.
    """
    check(path, result)
    if limit is not None and len(result.stdout) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return result.stdout


def write_scripts(path: str, data: bytes) -> Iterator[bytes]:
    """Scripts that write the file when run one after the other, the first one replacing it."""
    name = b"f=%s\n" % quote(_checked(path))
    first = b"""
if [ -p "$f" ]; then exit 86; fi
if [ ! -e "$f" ] && [ ! -d "${f%/*}/" ]; then mkdir -p "${f%/*}/" || why -w; fi
"""
    for start in range(0, max(1, len(data)), _PART):
        body = b"\n".join(printf(data[start : start + _PART])) or b":"
        checks, mode = (first, b">") if start == 0 else (b"", b">>")
        # Each printf's failure must end it: a full disk may take the next, shorter one.
        body = body.replace(b"\nprintf '%b' ", b" &&\nprintf '%b' ")
        yield name + _WHY + checks + b'{ %s\n} %s"$f" || why -w\n' % (body, mode)


def check(path: str, result: ExecResult) -> None:
    """Raise what a script's exit status says.

    Raises:
        OSError: the subclass that fits.
    """
    if result.exit_code == 0:
        return
    code = result.exit_code - _STATUS
    words = result.stderr.decode(errors="replace").strip()
    if code not in _NAMED or os.strerror(errno.EROFS) in words:
        code = next((n for n in errno.errorcode if os.strerror(n) in words), errno.EIO)
        raise OSError(code, words or os.strerror(code), path)
    raise OSError(code, os.strerror(code), path)


def _checked(path: str) -> bytes:
    name = encode(path)
    if not name.startswith(b"/") or b"\0" in name:
        raise ValueError(f"not an absolute path: {path!r}")
    if len(name) >= 4096 or any(len(part) > 255 for part in name.split(b"/")):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)
    return name
