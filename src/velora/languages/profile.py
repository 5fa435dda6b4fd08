"""What a language profile says. A profile is data: it is read by the prompt, the patch's hygiene
and the grader, and decides nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """One programming language.

    Attributes:
        name: the canonical name, as `Instance.language` has it; "" is the neutral profile.
        display: the name for people, as in "a Python repository".
        aliases: other spellings in data sets, case-folded.
        reproduction: how a reproduction script is run; follows the words "run it with"; "" where
            that is not known.
        tests: globs of test files and directories, written as `junk` is.
        runner: globs of files that decide which tests run and how they are reported, and do nothing
            else for the project; as `tests`.
        build: globs of files that build the project and may configure its tests; as `tests`.
        activation: lines of shell that enter an image's environment, as far as it has one; they go
            before `test_command` where that is used.
        single_test: how one test is run, with NAME for its name; "" if there is no one way.
        test_command: what runs the tests where the row does not say; "" if there is no one way.
        parser: the grader's parser of that command's output; "" if it has none yet.
        junk: globs of what building and testing leave behind; a directory's ends with a slash. A
            pattern without a slash inside matches at any depth. Meant for paths that were not
            there before the first step only: a repository may well keep its own `build/`.
        may_add_tests: the prompt invites the agent to add tests; else it asks for a minimal change
            of the other files.
    """

    name: str
    display: str
    aliases: tuple[str, ...] = ()
    reproduction: str = ""
    tests: tuple[str, ...] = ()
    runner: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    activation: tuple[str, ...] = ()
    single_test: str = ""
    test_command: str = ""
    parser: str = ""
    junk: tuple[str, ...] = ()
    may_add_tests: bool = True
