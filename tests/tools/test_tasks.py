from __future__ import annotations

from typing import Any

import pytest

from velora.tools.protocol import BadArguments
from velora.tools.tasks import TaskTracker

STEPS: list[dict[str, Any]] = [
    {"id": "1", "title": "Reproduce", "status": "done"},
    {"id": "2", "title": "Fix", "status": "in_progress", "notes": "in parse()"},
    {"id": "3", "title": "Test", "status": "todo", "notes": ""},
]


async def test_plan_replaces_the_whole_list_and_view_shows_it() -> None:
    tracker = TaskTracker()
    empty = await tracker({"command": "view"})
    assert empty.content == "The list is empty. `plan` with a `task_list` fills it."
    assert empty.extras == {"task_list": []}
    planned = await tracker({"command": "plan", "task_list": STEPS})
    body = "[x] 1: Reproduce\n[>] 2: Fix\n    in parse()\n[ ] 3: Test"
    assert planned.content == f"The list now has 3 steps:\n{body}"
    assert planned.extras == {"task_list": STEPS}
    viewed = await tracker({"command": "view"})
    assert viewed.content == f"The list has 3 steps:\n{body}"
    await tracker({"command": "plan", "task_list": STEPS[:1]})
    viewed = await tracker({"command": "view"})
    assert viewed.content == "The list has 1 step:\n[x] 1: Reproduce"
    assert planned.extras == {"task_list": STEPS}


async def test_a_plan_without_a_list_or_with_doubled_ids_changes_nothing() -> None:
    tracker = TaskTracker()
    await tracker({"command": "plan", "task_list": STEPS})
    with pytest.raises(BadArguments, match="`plan` needs `task_list`"):
        await tracker({"command": "plan"})
    with pytest.raises(BadArguments, match="two steps have the id '1'"):
        await tracker({"command": "plan", "task_list": [*STEPS, STEPS[0]]})
    viewed = await tracker({"command": "view"})
    assert viewed.extras == {"task_list": STEPS}
