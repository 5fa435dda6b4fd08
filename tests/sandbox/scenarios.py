"""What a persistent shell must stand, whatever driver and shell are below it.

A test module subclasses `ShellScenarios` and the others and has these fixtures: `sandbox`, a
started one; `workdir`, an empty directory in it that can be written to; `shell`, opened there with
`max_output=CAP` and a `spill_dir`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from velora.sandbox.clip import GAP
from velora.sandbox.protocol import ShellBusy, ShellOutput
from velora.sandbox.shell import LINE_LIMIT

CAP = 10_000


async def run(
    shell: Any, command: str, *, soft: float | None = 30.0, hard: float | None = 60.0
) -> ShellOutput:
    output: ShellOutput = await shell.run(command, no_change_timeout=soft, timeout=hard)
    return output


async def send(
    shell: Any, text: str, *, soft: float | None = 30.0, hard: float | None = 60.0
) -> ShellOutput:
    output: ShellOutput = await shell.send(text, no_change_timeout=soft, timeout=hard)
    return output


async def text_of(shell: Any, command: str, status: int = 0) -> str:
    """The output of a command that must end with this status, the shell unharmed."""
    output = await run(shell, command)
    assert (output.exit_code, output.note, output.running) == (status, "", False), output
    return output.text


async def usable(shell: Any) -> None:
    assert await text_of(shell, "echo usable; (exit 7)", 7) == "usable\n"


async def poll(shell: Any, found: str) -> str:
    """Poll a running command until its output has `found`."""
    text = ""
    while found not in text:
        text += (await send(shell, "", soft=0.2)).text
    return text


async def processes(sandbox: Any, words: str) -> int:
    """How many processes have exactly this command line."""
    look = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done 2>/dev/null"
    listing = (await sandbox.script(look)).stdout.decode()
    return sum(line.strip() == words for line in listing.splitlines())


async def needs_bash(shell: Any) -> None:
    if "bash" not in await text_of(shell, 'echo "${BASH_VERSION:+bash}"'):
        pytest.skip("bash only")


class ShellScenarios:
    # Output and status

    async def test_output_status_and_directory(self, shell: Any, workdir: str) -> None:
        output = await run(shell, "echo out; echo err >&2; mkdir d; cd d; (exit 3)")
        assert (output.text, output.exit_code) == ("out\nerr\n", 3)
        assert output.cwd == shell.cwd == f"{workdir}/d"
        assert (output.running, output.timed_out, output.dropped, output.note) == (False, "", 0, "")

    async def test_no_final_newline(self, shell: Any) -> None:
        assert await text_of(shell, "printf abc") == "abc"
        assert await text_of(shell, "printf '\\n\\n'") == "\n\n"
        assert await text_of(shell, ":") == ""

    async def test_status_of_the_last_command_is_kept(self, shell: Any) -> None:
        await text_of(shell, "(exit 42)", 42)
        assert await text_of(shell, "echo $?") == "42\n"
        assert await text_of(shell, "echo $?") == "0\n"

    async def test_carriage_returns(self, shell: Any) -> None:
        assert await text_of(shell, "printf 'a\\rb\\r\\nc\\n\\r'") == "a\rb\r\nc\n\r"

    async def test_nul_and_invalid_utf8(self, shell: Any) -> None:
        assert await text_of(shell, "printf 'a\\000b\\377c\\303'") == "a\0b\ufffdc\ufffd"

    async def test_ansi_codes(self, shell: Any) -> None:
        assert await text_of(shell, "printf '\\033[31mred\\033[0m'") == "\x1b[31mred\x1b[0m"

    async def test_head_and_tail_are_kept(self, shell: Any) -> None:
        output = await run(shell, "i=0; while [ $i -lt 9999 ]; do echo $i; i=$((i+1)); done")
        whole = "".join(f"{i}\n" for i in range(9999))
        half = CAP // 2
        assert output.text == whole[:half] + GAP + whole[-half:]
        assert output.dropped == len(whole) - CAP
        assert output.spill is not None
        assert output.spill.read_text() == whole

    async def test_one_very_long_line(self, shell: Any) -> None:
        output = await run(shell, "head -c 200000 /dev/zero | tr '\\000' x; echo")
        assert (output.exit_code, output.dropped) == (0, 200_001 - CAP)
        assert set(output.text.replace(GAP, "")) == {"x", "\n"}

    # Command texts

    async def test_heredocs(self, shell: Any) -> None:
        command = "cat <<'E'\n$HOME `x` \\\nE\nx=1\ncat <<-E\n\tx is $x\n\tE\n"
        assert await text_of(shell, command) == "$HOME `x` \\\nx is 1\n"

    @pytest.mark.parametrize(
        ("command", "expected"),
        [
            ("echo a \\", "a\n"),
            ("echo a # comment", "a\n"),
            ("# only a comment", ""),
            ("", ""),
            ("  \n\n echo a;", "a\n"),
            ("echo 'a\nb'", "a\nb\n"),
            ("echo a!b !! $?", "a!b !! 0\n"),
            ("echo $((1 +\n 2))", "3\n"),
            ("if true\nthen\n  echo yes\nfi", "yes\n"),
            ("printf '%s' '\t ä€😀 \"'", '\t ä€😀 "'),
        ],
    )
    async def test_odd_texts(self, shell: Any, command: str, expected: str) -> None:
        assert await text_of(shell, command) == expected
        await usable(shell)

    async def test_trailing_ampersand(self, shell: Any) -> None:
        output = await run(shell, "sleep 0.1 &")
        assert (output.exit_code, output.running) == (0, False)
        assert (await run(shell, "wait")).exit_code == 0

    @pytest.mark.parametrize(
        "command", ["echo 'a", 'echo "a', "if", "(", "echo $(", "fi", "}", "|"]
    )
    async def test_syntax_error(self, shell: Any, command: str) -> None:
        output = await run(shell, f"echo before\n{command}")
        assert output.exit_code == 2
        assert output.text.startswith("before\n")
        assert output.text != "before\n"
        assert "velora" not in output.text
        await usable(shell)

    async def test_long_command(self, shell: Any) -> None:
        long = "0123456789" * 100_000
        assert await text_of(shell, f"x='{long}'; echo ${{#x}}") == "1000000\n"

    async def test_many_lines(self, shell: Any) -> None:
        command = "".join(f"x{i}=$(({i} * 2))\n" for i in range(3000)) + "echo $x0 $x2999"
        assert await text_of(shell, command) == "0 5998\n"

    async def test_nul_is_refused(self, shell: Any) -> None:
        with pytest.raises(ValueError, match="NUL"):
            await run(shell, "echo a\0b")
        await usable(shell)

    # What persists

    async def test_variables_functions_aliases_and_exports(self, shell: Any) -> None:
        await text_of(shell, "a=1; export B=2\nf() {\n  echo f $1\n}\nalias g='echo g'")
        assert await text_of(shell, "echo $a; f 3; g 4; sh -c 'echo $a $B'") == "1\nf 3\ng 4\n2\n"

    async def test_a_thousand_commands(self, shell: Any, workdir: str) -> None:
        await text_of(shell, "mkdir 0 1 2 3 4 5 6; n=0")
        for i in range(1000):
            output = await run(shell, f"cd ../{i % 7} 2>/dev/null || cd {i % 7}; echo $n; "
                               f"n=$((n+1)); (exit {i % 256})")  # fmt: skip
            assert (output.text, output.exit_code) == (f"{i}\n", i % 256)
            assert output.cwd == f"{workdir}/{i % 7}"

    @pytest.mark.parametrize(
        "name", ["a b", "ä€", "new\nline", "a:b", "-d", "'q\"", "$x", "\\", "~"]
    )
    async def test_odd_directories(self, shell: Any, workdir: str, name: str) -> None:
        quoted = "'" + name.replace("'", "'\\''") + "'"
        output = await run(shell, f"mkdir -- {quoted}; cd -- {quoted}")
        assert (output.exit_code, output.cwd) == (0, f"{workdir}/{name}")
        assert await text_of(shell, "pwd") == f"{workdir}/{name}\n"
        assert await text_of(shell, "cd -- ..; cd - >/dev/null; cd ..") == ""
        assert shell.cwd == workdir

    async def test_directory_that_was_deleted(self, shell: Any, workdir: str) -> None:
        output = await run(shell, "mkdir gone; cd gone; rmdir ../gone; echo here")
        assert (output.text, output.exit_code) == ("here\n", 0)
        await usable(shell)
        await text_of(shell, "cd ..; cd " + workdir)
        assert shell.cwd == workdir

    async def test_changed_pwd_variable(self, shell: Any, workdir: str) -> None:
        await text_of(shell, "PWD=/nowhere; unset OLDPWD")
        assert (await run(shell, ":")).cwd == workdir

    async def test_environment(self, shell: Any) -> None:
        env = await text_of(shell, "env")
        assert {"PAGER=cat", "GIT_PAGER=cat", "TERM=dumb"} <= set(env.splitlines())
        assert "\x1e" not in env
        assert "velora" not in env.replace("VELORA", "")

    # Input and keys

    async def test_read_is_fed(self, shell: Any) -> None:
        output = await run(shell, 'read x; read y; echo "<$x,$y>"', soft=0.3)
        assert (output.running, output.timed_out, output.exit_code) == (True, "no_change", None)
        assert shell.busy
        assert (await send(shell, "one  two", soft=0.3)).running
        output = await send(shell, "'\"\\\\ä")
        assert (output.text, output.exit_code) == ("<one  two,'\"\\ä>\n", 0)
        assert not shell.busy

    async def test_several_lines_of_input(self, shell: Any) -> None:
        await run(shell, "read a; read b; echo $b $a", soft=0.3)
        assert (await send(shell, "1\n2")).text == "2 1\n"

    async def test_end_of_file_key(self, shell: Any) -> None:
        await run(shell, "cat", soft=0.3)
        assert (await send(shell, "abc", soft=0.3)).text == "abc\n"
        output = await send(shell, "C-d")
        assert (output.exit_code, output.running) == (0, False)
        await usable(shell)

    async def test_line_longer_than_a_terminal_takes(self, shell: Any) -> None:
        await run(shell, "read x; echo ${#x}", soft=0.3)
        output = await send(shell, "x" * (LINE_LIMIT + 1), soft=0.3)
        assert output.running
        assert "not sent" in output.note
        assert (await send(shell, "x" * LINE_LIMIT)).text == f"{LINE_LIMIT}\n"

    async def test_interrupt_an_endless_writer(self, shell: Any) -> None:
        output = await run(shell, "yes", soft=None, hard=0.5)
        assert (output.timed_out, output.running) == ("hard", False)
        await run(shell, "sleep 0.2; yes", soft=0.1)
        output = await send(shell, "C-c")
        assert output.exit_code == 130
        await usable(shell)

    async def test_interrupt_sleep(self, shell: Any) -> None:
        await run(shell, "sleep 100; echo not reached", soft=0.3)
        output = await send(shell, "C-c")
        assert (output.exit_code, output.running) == (130, False)
        assert "not reached" not in output.text
        await usable(shell)

    async def test_ignored_interrupt_is_still_running(self, shell: Any) -> None:
        await run(shell, "sh -c 'trap \"\" INT; sleep 1; echo done'", soft=0.3)
        output = await send(shell, "C-c", soft=0.3)
        assert (output.running, output.exit_code) == (True, None)
        output = await send(shell, "")
        assert (output.text.strip(), output.exit_code) == ("done", 0)

    async def test_suspend_and_resume(self, shell: Any) -> None:
        await run(shell, "sleep 0.8", soft=0.2)
        output = await send(shell, "C-z")
        assert output.exit_code == 148
        assert "Stopped" in output.text
        assert "sleep" in await text_of(shell, "jobs")
        assert (await run(shell, "fg")).exit_code == 0

    async def test_busy(self, shell: Any) -> None:
        await run(shell, "sleep 0.6; echo late", soft=0.1)
        with pytest.raises(ShellBusy):
            await run(shell, "echo no")
        assert (await send(shell, "")).text == "late\n"

    async def test_input_without_a_command_is_not_sent(self, shell: Any) -> None:
        output = await send(shell, "echo no")
        assert (output.text, output.running) == ("", False)
        assert "not sent" in output.note
        await usable(shell)

    async def test_end_seen_by_a_later_call(self, shell: Any) -> None:
        await run(shell, "sleep 0.3; echo late; (exit 9)", soft=0.1)
        while shell.busy:
            await asyncio.sleep(0.05)
        output = await run(shell, "echo next")
        assert output.text == "late\nnext\n"
        assert "status 9" in output.note
        await run(shell, "sleep 0.3; echo late; (exit 9)", soft=0.1)
        while shell.busy:
            await asyncio.sleep(0.05)
        output = await send(shell, "")
        assert (output.text, output.exit_code) == ("late\n", 9)

    # Time limits

    async def test_soft_timeout_counts_silence(self, shell: Any) -> None:
        command = "for i in 1 2 3 4; do echo $i; sleep 0.3; done"
        output = await run(shell, command, soft=1.0)
        assert (output.text, output.timed_out) == ("1\n2\n3\n4\n", "")
        output = await run(shell, "echo a; sleep 1; echo b", soft=0.3)
        assert (output.text, output.timed_out) == ("a\n", "no_change")
        assert (await send(shell, "")).text == "b\n"

    async def test_hard_timeout_kills_the_whole_group(self, shell: Any, sandbox: Any) -> None:
        output = await run(shell, "echo a; sleep 4321 | sleep 4321; echo b", soft=None, hard=0.4)
        assert (output.timed_out, output.running) == ("hard", False)
        assert output.text.startswith("a\n")
        assert await processes(sandbox, "sleep 4321") == 0
        await usable(shell)

    async def test_hard_timeout_of_what_ignores_signals(self, shell: Any, sandbox: Any) -> None:
        command = "sh -c 'trap \"\" INT TERM HUP; sleep 4322; sleep 4322'"
        output = await run(shell, command, soft=None, hard=0.4)
        assert (output.timed_out, output.running) == ("hard", False)
        assert await processes(sandbox, "sleep 4322") == 0
        await usable(shell)

    async def test_hard_timeout_in_a_substitution(self, shell: Any) -> None:
        output = await run(shell, "x=$(sleep 4323)", soft=None, hard=0.4)
        assert (output.timed_out, output.note) == ("hard", "The command was killed.")
        await usable(shell)

    async def test_hard_timeout_of_the_shell_itself(self, shell: Any, workdir: str) -> None:
        await text_of(shell, "mkdir here; cd here; kept=1")
        output = await run(shell, "while :; do :; done", soft=None, hard=0.4)
        assert output.timed_out == "hard"
        output = await run(shell, "trap '' INT; while :; do :; done", soft=None, hard=0.4)
        assert (output.timed_out, output.running) == ("hard", False)
        assert "anew" in output.note
        assert output.cwd == shell.cwd == f"{workdir}/here"
        assert await text_of(shell, "pwd; echo $kept") == f"{workdir}/here\n\n"

    # The shell's own end

    @pytest.mark.parametrize(
        ("command", "status", "text"),
        [
            ("exit 3", 3, ""),
            ("echo a; exit", 0, "a\n"),
            ("exec ls -d .", 0, ".\n"),
            ("exec sh -c 'exit 5'", 5, ""),
            ("set -e; echo a; false; echo b", 1, "a\n"),
            ("kill -9 $$", 137, ""),
        ],
    )
    async def test_shell_ends(
        self, shell: Any, workdir: str, command: str, status: int, text: str
    ) -> None:
        await text_of(shell, "mkdir d; cd d; kept=1; export KEPT=1")
        output = await run(shell, command)
        assert (output.exit_code, output.text, output.running) == (status, text, False)
        assert f"ended with status {status}" in output.note
        assert output.cwd == f"{workdir}/d"
        assert await text_of(shell, "echo $kept $KEPT; pwd") == f"\n{workdir}/d\n"

    async def test_shell_ends_in_a_deleted_directory(self, shell: Any, workdir: str) -> None:
        await text_of(shell, "mkdir -p d/e; cd d/e; rm -r ../../d")
        output = await run(shell, "exit 3")
        assert (output.exit_code, output.cwd) == (3, workdir)

    async def test_shell_ends_between_commands(self, shell: Any) -> None:
        await text_of(shell, "(sleep 0.2; kill -9 $$) & :")
        await asyncio.sleep(0.6)
        output = await run(shell, "echo run once")
        assert (output.text, output.exit_code) == ("run once\n", 0)
        assert "anew" in output.note

    async def test_exec_of_another_shell(self, shell: Any) -> None:
        output = await run(shell, "exec sh", soft=1)
        assert (output.exit_code, output.running) == (0, False)
        assert "replaced" in output.note
        assert await text_of(shell, "echo $PAGER; (exit 4)", 4) == "cat\n"

    # Attempts to confuse it

    async def test_marks_in_the_output(self, shell: Any) -> None:
        mark = "\x1e" + "0" * 32
        text = await text_of(shell, f"printf '%s' '{mark}E0 /\x1e{'0' * 32}.{mark}P1 0 /'; echo")
        assert text == f"{mark}E0 /\x1e{'0' * 32}.{mark}P1 0 /\n"
        for command in ('printf %s "$PS1"; echo "$PS1"', "set", "env", 'set; echo "$PS1"; set'):
            output = await run(shell, command)
            assert (output.exit_code, output.running) == (0, False)
            await usable(shell)
        old = await text_of(shell, 'printf %s "$PS1"')
        assert await text_of(shell, f"printf %s '{old}'; (exit 6)", 6) == old

    async def test_half_a_mark_at_the_end(self, shell: Any) -> None:
        assert await text_of(shell, "printf '\\036'") == "\x1e"
        await text_of(shell, 'printf "%.20s" "$PS1"')
        await text_of(shell, 'x=$PS1; printf "%s" "${x%P*}"')
        await usable(shell)

    async def test_expanded_prompt(self, shell: Any) -> None:
        await needs_bash(shell)
        busy = "for ((i = 0; i < 200000; i++)); do :; done"
        for on in ("sleep 0.5", busy, f"{busy}; sleep 0.1"):
            output = await run(shell, f'echo "${{PS1@P}}"; {on}; echo b; (exit 3)')
            assert output.exit_code == 3
            assert output.text.endswith("b\n")

    async def test_prompt_changed(self, shell: Any) -> None:
        assert await text_of(shell, "PS1='(venv) '$PS1; echo a") == "a\n"
        assert await text_of(shell, "echo b") == "b\n"
        assert await text_of(shell, "PS1='> '; echo c") == "c\n"
        await run(shell, "PS1='> '; sleep 100", soft=0.3)
        assert (await send(shell, "C-c")).exit_code == 130
        assert await text_of(shell, "unset PS1; echo d") == "d\n"
        await usable(shell)

    async def test_prompt_command(self, shell: Any) -> None:
        await needs_bash(shell)
        await text_of(shell, "PROMPT_COMMAND='PS1=\"user@host:$ \"'")
        assert [await text_of(shell, "echo a") for _ in range(3)] == ["a\n"] * 3
        await text_of(shell, "PROMPT_COMMAND='echo between; false'")
        for _ in range(3):
            assert (await text_of(shell, "echo a; (exit 2)", 2)).endswith("a\n")

    async def test_tracing(self, shell: Any) -> None:
        assert await text_of(shell, "PROMPT_COMMAND=; set -x") == ""
        lines = (await text_of(shell, "echo hi; (exit 3)", 3)).splitlines()
        assert [line.lstrip("+ ") for line in lines] == ["echo hi", "hi", "exit 3"]
        assert (await text_of(shell, "echo $?")).endswith("echo 3\n3\n")
        await text_of(shell, "set +x; set -v")
        assert await text_of(shell, "echo $?") == "echo $?\n0\n"
        await text_of(shell, "set +v")
        source = "command printf '\\036%s x'"
        assert await text_of(shell, f'echo "{source}" | cat') != ""
        await usable(shell)

    async def test_options(self, shell: Any) -> None:
        await text_of(shell, "set -u -f -C")
        await usable(shell)
        output = await run(shell, "echo $no_such_variable; echo not reached")
        assert output.exit_code not in (0, None)
        assert "not reached" not in output.text
        await usable(shell)

    async def test_errexit_that_nothing_trips(self, shell: Any) -> None:
        await text_of(shell, "set -e")
        assert await text_of(shell, "if false; then :; fi; false || echo a") == "a\n"
        assert (await run(shell, "false")).exit_code == 1

    async def test_path_unset(self, shell: Any) -> None:
        await text_of(shell, "unset PATH; IFS=x")
        await usable(shell)

    async def test_functions_named_as_builtins(self, shell: Any) -> None:
        await text_of(shell, "printf() { echo mine; }; pwd() { echo mine; }; cd() { :; }")
        assert await text_of(shell, "printf x; pwd") == "mine\nmine\n"

    @pytest.mark.parametrize(
        "settings", ["raw", "-echo", "echo", "raw echo", "-icanon echo", "sane"]
    )
    async def test_terminal_settings(self, shell: Any, settings: str) -> None:
        await text_of(shell, f"stty {settings}")
        for i in range(3):
            assert await text_of(shell, f"echo {i}; (exit {i})", i) == f"{i}\n"
        await text_of(shell, "stty sane")
        await usable(shell)

    async def test_terminal_that_does_not_end_lines(self, shell: Any) -> None:
        await text_of(shell, "stty inlcr -icrnl")
        await usable(shell)

    async def test_output_redirected_for_good(self, shell: Any) -> None:
        await text_of(shell, "exec 2>/dev/null; no-such-command", 127)
        assert await text_of(shell, "echo a; no-such-command", 127) == "a\n"
        await run(shell, "sleep 100", soft=0.3)
        assert (await send(shell, "C-c")).exit_code == 130
        assert await text_of(shell, "exec >log; echo b; (exit 4)", 4) == ""
        assert await text_of(shell, "echo c; (exit 5)", 5) == ""
        lines = await text_of(shell, "exec >/dev/tty 2>&1; tr -d '\\036' <log")
        assert lines.startswith("b\n")
        assert "c\n" in lines  # BusyBox writes its prompt to stdout, so between the two

    async def test_its_files_removed(self, shell: Any) -> None:
        await text_of(shell, f"rm -rf {shell._session._place.directory}")
        await usable(shell)

    # Processes that stay

    async def test_background_output_comes_with_the_next(self, shell: Any) -> None:
        await text_of(shell, "(sleep 0.2; echo from the background) & :")
        await asyncio.sleep(0.6)
        output = await run(shell, "echo now")
        assert "from the background\n" in output.text
        assert output.text.endswith("now\n")

    async def test_background_output_is_polled(self, shell: Any) -> None:
        await text_of(shell, "(sleep 0.2; echo from the background) & :")
        await asyncio.sleep(0.6)
        assert "from the background" in (await send(shell, "")).text

    async def test_background_writer_does_not_stand_still(self, shell: Any) -> None:
        await text_of(shell, "(head -c 2000000 /dev/zero; echo >written) & :")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if "written" in (await run(shell, "ls")).text:
                break
        else:
            pytest.fail("the background job is blocked")

    async def test_double_fork_that_holds_the_terminal(self, shell: Any, sandbox: Any) -> None:
        begun = time.monotonic()
        output = await run(shell, "sh -c '(trap \"\" HUP; exec sleep 4324) & exit 3'")
        assert output.exit_code == 3
        assert time.monotonic() - begun < 20
        assert await processes(sandbox, "sleep 4324") == 1
        await shell.close()
        assert await processes(sandbox, "sleep 4324") == 0

    async def test_close_leaves_nothing(self, shell: Any, sandbox: Any) -> None:
        await run(shell, "sleep 4325 & sleep 4325", soft=0.3)
        await shell.close()
        await shell.close()
        assert await processes(sandbox, "sleep 4325") == 0
        left = await sandbox.script("ls -d /tmp/.velora-* /var/tmp/.velora-* /dev/shm/.velora-*")
        assert shell._session._place.directory.encode() not in left.stdout

    async def test_cancelled_call_leaves_the_command(self, shell: Any) -> None:
        task = asyncio.create_task(run(shell, "sleep 0.6; echo done"))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert shell.busy
        assert (await send(shell, "")).text == "done\n"
        await usable(shell)


class PythonScenarios:
    """Needs `python3` in the sandbox."""

    async def test_python_repl(self, shell: Any) -> None:
        text = (await run(shell, "python3 -q", soft=1)).text
        text += await poll(shell, ">>>") if ">>>" not in text else ""
        output = await send(shell, "print(6 * 7)", soft=1)
        assert "42\n" in output.text
        assert output.running
        await send(shell, "def f():\n    return 'inside'\n", soft=1)
        assert "inside" in (await send(shell, "f()", soft=1)).text
        assert "KeyboardInterrupt" in (await send(shell, "C-c", soft=1)).text
        output = await send(shell, "exit(3)")
        assert (output.exit_code, output.running) == (3, False)
        await usable(shell)

    async def test_venv(self, shell: Any) -> None:
        await text_of(shell, "python3 -m venv --without-pip env")
        assert await text_of(shell, ". env/bin/activate; echo a") == "a\n"
        assert "/env/bin/python" in await text_of(shell, "command -v python")
        assert await text_of(shell, "deactivate; echo b") == "b\n"
        await usable(shell)


class SlowScenarios:
    @pytest.mark.slow
    async def test_100_megabytes(self, shell: Any) -> None:
        megabyte = "yes 0123456789abcde | head -c 1000000 > megabyte"
        hundred = "i=0; while [ $i -lt 100 ]; do cat megabyte; i=$((i + 1)); done"
        output = await run(shell, f"{megabyte}; {hundred}", hard=300)
        assert (output.exit_code, output.dropped) == (0, 100_000_000 - CAP)
        assert len(output.text) == CAP + len(GAP)
        assert output.spill is not None
        assert output.spill.stat().st_size == 100_000_000
        await usable(shell)
