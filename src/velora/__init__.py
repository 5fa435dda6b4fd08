"""Velora: trajectories of LLM agents on real software tasks, and their grades.

    dataset row → Instance → Image → Sandbox → Agent ⇄ LLM → Patch → Grade → Report

Each room of the house is a package: `instances`, `images`, `sandbox`, `llm`, `tools`, `agent`,
`journal`, `patch`, `grading`, `engine`, `cli`. A room's `protocol` module says what it promises;
`docs/design.md` is the map.
"""

__version__ = "0.1.0"
