"""`velora images`: the engine's task images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.group import Group
from velora.cli.options import Json

app = typer.Typer(cls=Group, help="Task images.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `load` a subcommand while it is the only one."""


@app.command("load")
def load(
    archive: Annotated[
        Path, typer.Argument(help="What `docker save` wrote; gzip and zstd too.", metavar="TAR")
    ],
    tag: Annotated[str, typer.Argument(help="A further name for the image.", metavar="[TAG]")] = "",
    json: Json = False,
) -> int:
    """Load an image archive into the engine and say under which names it is there."""
    import asyncio
    from dataclasses import asdict

    import orjson

    from velora.images.engine import Engine
    from velora.images.loading import load as load_archive

    async def work() -> None:
        async with await Engine.connect() as engine:
            for image in await load_archive(engine, archive, tag=tag):
                if json:
                    print(orjson.dumps(asdict(image)).decode())
                else:
                    print(f"{image.reference}  {image.digest}")
                    for note in image.notes:
                        print(f"  {note}")

    asyncio.run(work())
    return 0
