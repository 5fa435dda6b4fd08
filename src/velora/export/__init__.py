"""Projections of a run into other people's formats."""
