"""`velora parse-log`: what the parsers read in a test log, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import Json


def command(
    log: Annotated[
        Path | None,
        typer.Argument(
            help="A log of a test run; - is standard input.", metavar="LOG", show_default=False
        ),
    ] = None,
    parser: Annotated[
        str,
        typer.Option("--parser", metavar="NAME", help="Which parser; auto goes by the log's look."),
    ] = "auto",
    all_names: Annotated[
        bool, typer.Option("--all", help="List every test, not only the first ones.")
    ] = False,
    parsers: Annotated[
        bool, typer.Option("--parsers", help="List the parsers and how they name tests.")
    ] = False,
    json: Json = False,
) -> int:
    """Read a test log and say which test had which status. Exits with 1 if no test was read."""
    from velora.cli import parsing

    if parsers:
        return parsing.catalogue(log, json=json)
    return parsing.parse_log(log, parser, all_names=all_names, json=json)
