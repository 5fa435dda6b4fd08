"""Lengths of time as people write them."""

from .reading import parse
from .writing import show

__all__ = ["parse", "show"]
