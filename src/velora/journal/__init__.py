"""The append-only truth of each attempt, and the files that are projections of it."""
