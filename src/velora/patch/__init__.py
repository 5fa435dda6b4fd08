"""The snapshot before the first step, the diff after the last, and what may be in it."""
