"""Git commands over a private store: an own git directory, index and object database.

Nothing of the repository's own git state takes part: not its configuration, hooks, filters,
attributes, ignore files, objects or index. The working directory is only read. A command is a
short `sh` script, so the same code drives the git of a container (through the sandbox's standing
channel) and the git of this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Protocol

from velora.patch.quoting import c_quote
from velora.sandbox.protocol import ExecResult, ExecTimeout, Sandbox

TIMEOUT = 600.0
"""Seconds that one git command may take."""

# Variables that would lead git away from what a command names.
_UNSET = """\
GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_COMMON_DIR
GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS
GIT_CONFIG_SYSTEM GIT_EXTERNAL_DIFF GIT_DIFF_OPTS GIT_ATTR_SOURCE GIT_GRAFT_FILE GIT_SHALLOW_FILE
GIT_REPLACE_REF_BASE GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS
GIT_ICASE_PATHSPECS GIT_PREFIX GIT_INDEX_VERSION GIT_FSMONITOR_TEST GIT_TEST_SPLIT_INDEX
GIT_TRACE GIT_TRACE2 GIT_TRACE2_EVENT GIT_TRACE_SETUP GIT_TRACE_PERFORMANCE GIT_DEFAULT_HASH
GIT_QUARANTINE_PATH GIT_CEILING_DIRECTORIES GIT_DISCOVERY_ACROSS_FILESYSTEM"""

NEUTRAL = (
    "unset " + _UNSET.replace("\n", " ") + "\n"
    "export LC_ALL=C LANGUAGE=C GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null"
    " GIT_ATTR_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1 GIT_OPTIONAL_LOCKS=0 GIT_NO_LAZY_FETCH=1"
    " GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat\n"
)
"""Shell lines that free git from its environment; the system's and the user's configuration are
cut off (before git 2.32 by a HOME without any)."""

# protectNTFS is git's default: `git apply` would refuse a patch with a name that it forbids.
CONFIG = """[core]
	repositoryformatversion = 0
	bare = false
	fileMode = true
	symlinks = true
	ignoreCase = false
	precomposeUnicode = false
	protectHFS = false
	protectNTFS = true
	autocrlf = false
	safecrlf = false
	eol = lf
	quotePath = true
	trustctime = true
	checkStat = default
	untrackedCache = false
	fsmonitor = false
	splitIndex = false
	hooksPath = /dev/null
	excludesFile = /dev/null
	attributesFile = /dev/null
	looseCompression = 0
	fsync = none
	commitGraph = false
	multiPackIndex = false
[pack]
	compression = 0
	threads = 1
[index]
	sparse = false
[gc]
	auto = 0
"""

# A git directory's own info/attributes outranks every .gitattributes: bytes stay as they are.
ATTRIBUTES = "* -text !eol !crlf -filter -ident -working-tree-encoding !diff !whitespace !merge\n"

CREATE_STORE = f"""mkdir "$S/objects" "$S/objects/pack" "$S/refs" "$S/info" || exit
echo 'ref: refs/heads/velora' >"$S/HEAD"
: >"$S/exclude"
cat >"$S/config" <<'VELORA_END'
{CONFIG}VELORA_END
cat >"$S/info/attributes" <<'VELORA_END'
{ATTRIBUTES}VELORA_END
"""
"""Shell lines that make the empty directory $S a store."""


class GitError(Exception):
    """A git command failed; the text is the command's name and its stderr."""


class Runner(Protocol):
    """Runs `sh` source somewhere, standard input empty."""

    async def __call__(self, source: str, timeout: float) -> ExecResult:
        """Run it; ended by its time limit (seconds) it has status 124 and says so on stderr."""
        ...


@dataclass(frozen=True, slots=True)
class SandboxRunner:
    """Runs scripts in a sandbox."""

    sandbox: Sandbox

    async def __call__(self, source: str, timeout: float) -> ExecResult:
        """See `Runner`."""
        try:
            return await self.sandbox.script(source, timeout=timeout)
        except ExecTimeout as error:
            return _timed_out(error)


@dataclass(frozen=True, slots=True)
class HostRunner:
    """Runs scripts on this machine."""

    async def __call__(self, source: str, timeout: float) -> ExecResult:
        """See `Runner`."""
        process = await asyncio.create_subprocess_exec(
            "sh",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        # Braces: the shell reads to the end before it starts, so no command can eat the source.
        text = f"{{\n{source}\n}} </dev/null\n".encode()
        try:
            async with asyncio.timeout(timeout):
                out, err = await process.communicate(text)
        except TimeoutError:
            return _timed_out(ExecTimeout(timeout))
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        code = process.returncode or 0
        return ExecResult(code if code >= 0 else 128 - code, out, err)


def _timed_out(error: ExecTimeout) -> ExecResult:
    return ExecResult(124, error.stdout, error.stderr + f"\n{error}".encode())


@dataclass(frozen=True, slots=True)
class Git:
    """Git over the store at `store`, with `work_tree` as its working directory.

    Attributes:
        runner: where the commands run.
        program: git's path there.
        version: as (2, 39).
    """

    runner: Runner
    store: str
    work_tree: str
    program: str = "git"
    version: tuple[int, int] = (2, 0)

    async def sh(
        self, source: str, env: Mapping[str, str] | None = None, what: str = "script"
    ) -> ExecResult:
        """Run shell source in the working directory; `git` and $S (the store) are set.

        Raises:
            GitError: it ended with a status other than 0, or not in time.
        """
        variables = {
            "S": self.store,
            "HOME": self.store,
            "XDG_CONFIG_HOME": self.store,
            "GIT_DIR": self.store,
            "GIT_WORK_TREE": self.work_tree,
            "GIT_INDEX_FILE": f"{self.store}/index",
            **(env or {}),
        }
        exports = "".join(f"export {name}={quote(value)}\n" for name, value in variables.items())
        program = "" if self.program == "git" else f'git() {{ {quote(self.program)} "$@"; }}\n'
        script = (
            f"{NEUTRAL}umask 077\n{exports}{program}cd {quote(self.work_tree)} || exit\n{source}"
        )
        result = await self.runner(script, TIMEOUT)
        if result.exit_code:
            detail = result.stderr.decode("utf-8", "replace").strip()
            raise GitError(f"{what}: {detail or f'exit status {result.exit_code}'}")
        return result

    async def __call__(
        self,
        *args: str,
        stdin: Iterable[str] | None = None,
        index: str = "index",
        env: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """Run one git command.

        Args:
            args: the command and its arguments.
            stdin: ASCII lines; None is an empty input.
            index: which of the store's index files to use.
            env: further variables.

        Raises:
            GitError: as `sh`.
        """
        source = "git " + " ".join(quote(arg) for arg in args)
        if stdin is not None:
            source += " <<'VELORA_END'\n" + "".join(f"{line}\n" for line in stdin) + "VELORA_END"
        variables = {"GIT_INDEX_FILE": f"{self.store}/{index}", **(env or {})}
        return await self.sh(source, variables, what=f"git {args[0]}")


def quoted(paths: Iterable[bytes]) -> list[str]:
    """`paths` as lines for git commands that read names from standard input without `-z`."""
    return [c_quote(path) for path in paths]


def fields(output: bytes) -> list[bytes]:
    """The NUL-terminated fields of `-z` output."""
    return output.split(b"\0")[:-1]
