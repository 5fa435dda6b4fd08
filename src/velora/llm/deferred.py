"""A model that is made when it is first called, in a thread.

The libraries behind a provider's model take two seconds to import. A run checks its settings
before that, starts containers meanwhile, and a command that calls no model never pays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from velora.journal.messages import Completion, Message, ToolSpec
from velora.llm.protocol import Model, Note


class Deferred:
    """Stands for the model that `make` gives.

    Args:
        name: the model's, known before it is made.
        make: blocking; called once.
        window: as is known before it is made.
    """

    def __init__(self, name: str, make: Callable[[], Model], window: int | None = None) -> None:
        self.name = name
        self._window = window
        self._make = make
        self._model: Model | None = None
        self._making = asyncio.Lock()
        self._closed = False

    @property
    def window(self) -> int | None:
        """See `velora.llm.protocol.Model`."""
        return self._model.window if self._model else self._window

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        """As the model does it, which the first call waits for."""
        model = self._model or await self._made()
        return await model.complete(messages, tools, note=note, conversation=conversation)

    async def _made(self) -> Model:
        async with self._making:
            if self._closed:
                raise RuntimeError(f"the model {self.name} is closed")
            if self._model is None:
                self._model = await asyncio.to_thread(self._make)
            return self._model

    async def close(self) -> None:
        """Release the model's connections, if it was ever made."""
        async with self._making:
            self._closed = True
            if self._model is not None:
                await self._model.close()
