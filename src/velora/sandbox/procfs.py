"""Shell functions that look at and kill processes through `/proc`, for `Control` to run.

They need no program at all, only the shell's own `read`, `kill` and patterns, so they work in
any image. A process's `stat` line is cut behind its last `) `, because the name before it may
hold anything; what remains is: state, parent, group, session, terminal, the terminal's
foreground group.
"""

from __future__ import annotations

from dataclasses import dataclass

_EACH = r"""
stat() { { read -r l <"/proc/$1/stat"; } 2>/dev/null || return 1; echo "${l##*) }"; }
each() {
  for f in /proc/[0-9]*/stat; do
    { read -r l <"$f"; } 2>/dev/null || continue
    p=${l%% *}
    case "${l##*) }" in [ZX]*) continue ;; esac
    "$1" "$p" ${l##*) }
  done
}
"""

_KILL_ALL = r"""
me=$1 sid=$2
want=" $me "
add() {
  case "$want" in *" $1 "*) return ;; esac
  case "$want" in *" $3 "*) ;; *) { [ "$sid" -gt 0 ] && [ "$5" = "$sid" ]; } || return ;; esac
  want="$want$1 " more=1
}
round=0
while [ "$round" -lt 8 ]; do
  more=
  each add
  [ "$more" ] || break
  kill -9 $want 2>/dev/null
  round=$((round + 1))
done
kill -9 $want 2>/dev/null
:
"""

_KILL_FOREGROUND = r"""
me=$1
set -- $(stat "$me") || exit 0
fg=$6
hit() { [ "$4" = "$fg" ] && [ "$1" != "$me" ] && kill -9 "$1" 2>/dev/null; }
kill -INT "$me" 2>/dev/null
each hit
each hit
:
"""

_KILL_TERMINAL = r"""
me=$1 sid=$2 tty=$3
hit() {
  if [ "$sid" -gt 0 ]; then [ "$5" = "$sid" ] || return
  else [ "$tty" != 0 ] && [ "$6" = "$tty" ] || return
  fi
  kill -9 "$1" 2>/dev/null
  more=1
}
round=0
while [ "$round" -lt 8 ]; do
  more=
  each hit
  [ "$more" ] || break
  round=$((round + 1))
done
kill -9 "$me" 2>/dev/null
:
"""

_LOOK = r"""
me=$1
stat "$me" || exit 1
tr '\0' '\n' <"/proc/$me/cmdline" 2>/dev/null
echo "//"
for f in /proc/$me/fd/*; do readlink "$f"; done 2>/dev/null
:
"""


@dataclass(frozen=True, slots=True)
class Ids:
    """A process as it was when it was started."""

    pid: int
    session: int = 0
    terminal: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """A process at one moment.

    Attributes:
        state: the letter in `/proc/PID/stat`; `S` sleeps.
        group: its process group.
        foreground: the process group that its terminal's keys reach.
        argv: its command line.
        files: where its descriptors lead.
    """

    state: str
    group: int
    foreground: int
    argv: tuple[str, ...]
    files: frozenset[str]


def ids(stat: str) -> Ids:
    """The ids in a whole `stat` line; those that are not visible in the sandbox are 0."""
    head, _, rest = stat.rpartition(") ")
    fields = rest.split()
    return Ids(int(head.split()[0]), int(fields[3]), int(fields[4]))


def kill_all(process: Ids) -> str:
    """A script that kills a process, its descendants and its session."""
    return f"{_EACH}set -- {process.pid} {process.session}\n{_KILL_ALL}"


def kill_foreground(process: Ids) -> str:
    """A script that interrupts a shell and kills all else in its terminal's foreground."""
    return f"{_EACH}set -- {process.pid}\n{_KILL_FOREGROUND}"


def kill_terminal(process: Ids) -> str:
    """A script that kills a shell and everything in its session, or else on its terminal."""
    return f"{_EACH}set -- {process.pid} {process.session} {process.terminal}\n{_KILL_TERMINAL}"


def look(process: Ids) -> str:
    """A script whose output `seen` understands; it fails where there is no such process."""
    return f"{_EACH}set -- {process.pid}\n{_LOOK}"


def seen(output: bytes) -> Look:
    """What `look` printed."""
    stat, _, rest = output.decode(errors="surrogateescape").partition("\n")
    argv, _, files = rest.partition("//\n")
    fields = stat.split()
    return Look(
        state=fields[0],
        group=int(fields[2]),
        foreground=int(fields[5]),
        argv=tuple(argv.split("\n")[:-1]),
        files=frozenset(files.split("\n")[:-1]),
    )
