"""The performance claims of docs/design.md, measured side by side with their floors in one run."""
