"""What the persistent shell sources: its set-up, and the file around each command.

Marks go to /dev/tty, so that they arrive although the command redirected the shell's own output
(`exec >log`), and nothing of it is traced (`set -x`), because the redirection takes stderr away
meanwhile. No variable of ours is set but PS1 and PS2, which are not exported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from velora.sandbox.markers import Nonces
from velora.sandbox.process import COLUMNS, ROWS
from velora.sandbox.source import encode, quote

ENVIRONMENT: Mapping[str, str] = {"PAGER": "cat", "GIT_PAGER": "cat", "TERM": "dumb"}
"""Exported in every persistent shell: nothing may wait in a pager, colour or move the cursor."""

_PLACES = "/tmp /var/tmp /dev/shm /run"

_PRINT = r"command printf '\036%s"  # how a line that prints a mark begins

_SET_UP = b"""
stty sane -echo cols %d rows %d 2>/dev/null
unset PS1 MAILCHECK MAIL MAILPATH TMOUT HISTFILE 2>/dev/null
set -o ignoreeof 2>/dev/null
case ${BASH_VERSION-} in ?*) set +H +o history ;; esac
PS2=
""" % (COLUMNS, ROWS)


@dataclass(frozen=True, slots=True)
class Place:
    """The private directory in the sandbox and the shell that reads from it.

    Attributes:
        directory: absolute; safe to use unquoted.
        program: the shell's command, without options.
    """

    directory: str
    program: tuple[str, ...]

    @property
    def name(self) -> str:
        """The shell's name; also of the file with the command, for it shows in messages."""
        return "bash" if self.bash else "sh"

    @property
    def bash(self) -> bool:
        """It is bash."""
        return self.program[-1].rpartition("/")[2] == "bash"

    def argv(self, *, rc: bool) -> list[str]:
        """The command line of the interactive shell, which first writes down its pid."""
        options = ["--noediting", *([] if rc else ["--norc"])] if self.bash else []
        return [
            *("/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', f"{self.directory}/pid"),
            *(*self.program, *options, "-i"),
        ]

    def typed(self, file: str) -> bytes:
        """The line that makes the shell source one of the files here."""
        return encode(f" . {self.directory}/{file}\n")

    def clean(self, text: str) -> str:
        """A text without the traces of these files: echoed and traced lines, paths in errors."""
        if not self.bash:
            text = text.replace("\x1b[6n", "")  # BusyBox asks where the cursor is
        if self.directory not in text and _PRINT not in text:
            return text
        ours = rf" \. {re.escape(self.directory)}/|{re.escape(_PRINT)}[SE].*[0-9a-f]{{32}}"
        text = re.sub(rf"^.*(?:{ours}).*\n?", "", text, flags=re.MULTILINE)
        text = text.replace(f"{self.directory}/{self.name}: ", "")
        return text.replace(self.directory + "/", "")


def find_place(token: str, program: tuple[str, ...]) -> str:
    """A script that makes the directory and prints it, and the shell to use on a second line."""
    choice = f"echo {program[0]}" if program else "command -v bash || echo /bin/sh"
    return f"""
umask 077
for t in {_PLACES} "$HOME"; do
  d=$t/.velora-{token}
  case $d in *[!a-zA-Z0-9/._-]*) continue ;; esac
  if mkdir "$d" && echo >"$d/pid" && [ -s "$d/pid" ]; then echo "$d"; {choice}; exit 0; fi
done
exit 1
"""


def set_up(nonces: Nonces, *, env: Mapping[str, str], cwd: str | None) -> bytes:
    """Make a fresh shell ours; ends with an E mark whose status is 0 where /dev/tty opens."""
    lines = [_SET_UP]
    for name, value in env.items():
        lines.append(b"export %s=%s" % (encode(name), quote(encode(value))))
    if cwd is not None:
        lines.append(b"\\cd -- %s\nunset OLDPWD" % quote(encode(cwd)))
    lines.append(b"PS1=%s" % quote(_prompt(nonces)))
    lines.append(b"(: >/dev/tty) 2>/dev/null\n%s\n" % _end(nonces))
    return b"\n".join(lines)


def around(place: Place, nonces: Nonces, *, before: Nonces, status: int, terminal: bool) -> bytes:
    """The file that runs the command between its marks.

    Args:
        place: where the command's file lies.
        nonces: of this command.
        before: of the command before it, to see whether PS1 was changed since.
        status: what `$?` is at the command's start.
        terminal: /dev/tty can be opened.
    """
    mark = nonces.mark
    target = b">/dev/tty 2>/dev/null" if terminal else b"2>/dev/null"
    start = b"command printf '\\036%%sS%s\\036%%s.' %s %s"
    restore = b""
    if status:
        # Where errexit is on, the status that is put back would end the shell.
        restore = b"{ case $- in *e*) ;; *) (exit %d) ;; esac; } 2>/dev/null; " % status
    command = encode(f"{place.directory}/{place.name}")
    prompt = quote(_prompt(nonces))
    return b"""{ case "${PS1-}" in %s) %s ;; *) %s ;; esac; PS1=%s; } %s
%s . %s
{ %s; PS1=%s; } %s
""" % (
        quote(_prompt(before)),
        start % (b"0", mark, mark),
        start % (b"1", mark, mark),
        prompt,
        target,
        restore,
        command,
        _end(nonces),
        prompt,
        target,
    )


def resume(nonces: Nonces, *, terminal: bool) -> bytes:
    """For a shell at its prompt that did not say so: the end of the command, said again."""
    target = b">/dev/tty 2>/dev/null" if terminal else b"2>/dev/null"
    return b"{ %s; PS1=%s; } %s\n" % (_end(nonces), quote(_prompt(nonces)), target)


def _prompt(nonces: Nonces) -> bytes:
    return b"\x1e%sP$$ $? ${PWD-}\x1e%s." % (nonces.prompt, nonces.prompt)


def _end(nonces: Nonces) -> bytes:
    say = b"command printf"
    return b"%s '\\036%%sE%%s ' %s \"$?\"; command pwd; %s '\\036%%s.' %s" % (
        *(say, nonces.mark),
        *(say, nonces.mark),
    )
