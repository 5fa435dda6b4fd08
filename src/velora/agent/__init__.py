"""The agent loop, its prompts and its limits."""
