"""What the agent can do: a tool is a specification for the model and an action on the sandbox."""
