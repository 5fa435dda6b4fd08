"""One module per provider's API: a request out, a whole answer back (`llm.backend.Backend`)."""
