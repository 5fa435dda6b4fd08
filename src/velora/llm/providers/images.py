"""Models that turn out not to see.

Nothing in a name tells whether a model sees. It is shown images until its server refuses them;
from then on they are left out, with a remark in their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from velora.journal.messages import Message, ToolMessage
from velora.llm.failures import Failure

_ABOUT = re.compile(r"image|vision|multi-?modal", re.I)
NOTE: tuple[str, str, dict[str, Any]] = (
    "images_not_shown",
    "the model does not take images; they are left out from now on",
    {},
)


def refuses_images(failure: Failure, messages: Sequence[Message]) -> bool:
    """Whether a request failed because of the images in it."""
    return (
        failure.status in (400, 404, 415, 422)
        and bool(_ABOUT.search(failure.text))
        and any(isinstance(one, ToolMessage) and one.images for one in messages)
    )
