"""`velora`: the entry point. One module a command; nothing heavy is imported before it is needed.

Exit status: 0 done, 1 finished with failures, 2 bad usage or configuration, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import typer

from velora import __version__
from velora.cli import (
    convert,
    demo,
    doctor,
    evaluate,
    images,
    parse_log,
    replay,
    run,
    show,
    validate,
)
from velora.cli.group import Group
from velora.errors import UsageError, VeloraError

app = typer.Typer(
    name="velora",
    cls=Group,
    help="Generate trajectories of LLM agents on real software tasks, and grade them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


app.command("demo")(demo.command)
app.command("run")(run.command)
app.command("evaluate")(evaluate.command)
app.command("validate")(validate.command)
app.command("show")(show.command)
app.command("replay")(replay.command)
app.command("convert")(convert.command)
app.command("parse-log")(parse_log.command)
app.command("doctor")(doctor.command)
app.add_typer(images.app, name="images")


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    sys.exit(status(argv))


def status(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    try:
        result = app(args=argv, standalone_mode=False)
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        cast("Any", error).show()
        return 2
    except UsageError as error:
        print(f"velora: {error}", file=sys.stderr)
        return 2
    except VeloraError as error:
        print(f"velora: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("velora: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"velora: {error}", file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0
