"""The floor of grading: a container, the patches, the test command, and away with it.

One process, over the engine's bare socket, and nothing is read, judged or kept. Prints the wall
seconds of each instance and those of the test command alone, by the container's own clock.

    python -m bench.floor_grading --image IMAGE --task TASK.json --instances 5
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from bench.floor import call, executed


async def instance(image: str, patches: list[str], command: str, workdir: str) -> list[float]:
    """One instance; `[seconds, seconds of the test command]`."""
    start = time.monotonic()
    host = {"NetworkMode": "none", "Init": True}
    body = {"Image": image, "Cmd": ["sleep", "1d"], "WorkingDir": workdir, "HostConfig": host}
    made = await call("POST", "/containers/create", body)
    container = made["Id"]
    await call("POST", f"/containers/{container}/start")
    applied = "".join(f"git apply - <<'EOF'\n{patch}EOF\n" for patch in patches)
    await executed(container, f"set -e\n{applied}")
    timed = f"s=$(date +%s%N)\n{command}\ne=$(date +%s%N)\nprintf '\\n%s\\n' $((e - s))"
    output = await executed(container, timed)
    await call("DELETE", f"/containers/{container}?force=1")
    return [time.monotonic() - start, int(output.split()[-1]) / 1e9]


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", required=True)
    parser.add_argument("--task", type=Path, required=True, help="JSON: patches, command, workdir")
    parser.add_argument("--instances", type=int, default=5)
    given = parser.parse_args()
    task = json.loads(given.task.read_text())
    seconds = [await instance(given.image, **task) for _ in range(given.instances)]
    print(json.dumps(seconds))


if __name__ == "__main__":
    asyncio.run(main())
