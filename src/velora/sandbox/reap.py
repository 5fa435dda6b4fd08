"""Removes what earlier runs left behind: containers whose owner process has ended.

Containers remove themselves when Velora ends, even by SIGKILL; left over are those that were
never started (a crash between two calls, the original that a patch is compared with) and those
whose engine was restarted. A live run's containers and anybody else's are never touched.
"""

from __future__ import annotations

from velora.images.engine import Engine, EngineError
from velora.sandbox import owner
from velora.sandbox.vitals import remove


async def reap(engine: Engine, *, run: str = "", own: bool = False) -> list[str]:
    """Remove the containers of ended processes; their names.

    Args:
        run: only those labelled `velora.run=RUN`; "" is all runs.
        own: also those of this very process: for the end of a run.

    Raises:
        EngineError: the engine cannot be reached, or will not remove one.
    """
    import orjson

    labels = ["velora=1", *([f"velora.run={run}"] if run else [])]
    filters = orjson.dumps({"label": labels}).decode()
    found = await engine.call("GET", "containers/json", params={"all": "1", "filters": filters})
    mine = owner.identity()
    removed = []
    for item in found or ():
        label = (item.get("Labels") or {}).get(owner.LABEL, "")
        if not (owner.gone(label) or (own and label == mine)):
            continue
        try:
            await remove(engine, item["Id"])
        except EngineError as error:
            if not error.status:
                raise
            raise EngineError(error.status, f"container {item['Id'][:12]}: {error}") from None
        removed.append(item["Names"][0].lstrip("/") if item.get("Names") else item["Id"])
    return removed
