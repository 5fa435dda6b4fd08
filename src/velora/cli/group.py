"""The command group: what `velora` and `velora images` are."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class Group(TyperGroup):
    """A group whose own `--help` is False where only its command's is asked for.

    Typer has None there, and hands every value that is no bool to pydantic, whose import takes
    longer than all the rest of `velora run --help` but Rich.
    """

    def get_help_option(self, ctx: Any) -> Any:
        """The option `--help`."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option
