"""The floor of grading: a container, the patches, the test command, and away with it.

One process, over the engine's bare socket, and nothing is read, judged or kept. Prints JSON,
`[seconds, log]` of each instance.

    python -m bench.floor_grading --image IMAGE --task TASK.json --instances 5
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from bench.floor import call, executed


async def instance(image: str, patches: list[str], command: str, workdir: str) -> tuple[float, str]:
    """One instance; its seconds, and what the test command printed."""
    start = time.monotonic()
    host = {"NetworkMode": "none", "Init": True}
    body = {"Image": image, "Cmd": ["sleep", "1d"], "WorkingDir": workdir, "HostConfig": host}
    made = await call("POST", "/containers/create", body)
    container = made["Id"]
    await call("POST", f"/containers/{container}/start")
    applied = "".join(f"git apply - <<'EOF'\n{patch}EOF\n" for patch in patches)
    await executed(container, f"set -e\n{applied}")
    log = await executed(container, command)
    await call("DELETE", f"/containers/{container}?force=1")
    return time.monotonic() - start, log


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", required=True)
    parser.add_argument("--task", type=Path, required=True, help="JSON: patches, command, workdir")
    parser.add_argument("--instances", type=int, default=5)
    given = parser.parse_args()
    task = json.loads(given.task.read_text())
    print(json.dumps([await instance(given.image, **task) for _ in range(given.instances)]))


if __name__ == "__main__":
    asyncio.run(main())
