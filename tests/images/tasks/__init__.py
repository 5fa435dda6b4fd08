"""One task a language; see `tests.images.languages`."""

from __future__ import annotations

from tests.images.tasks import c, cpp, golang, java, javascript, php, python, ruby, rust
from tests.images.tasks.task import Task

TASKS: tuple[Task, ...] = (
    c.TASK,
    javascript.TASK,
    python.TASK,
    ruby.TASK,
    java.TASK,
    golang.TASK,
    rust.TASK,
    php.TASK,
    cpp.TASK,
)
