"""Languages: one declarative profile per language for the prompt, the tests and the patch."""

from velora.languages.profile import Profile
from velora.languages.registry import canonical, get, known, notice

__all__ = ["Profile", "canonical", "get", "known", "notice"]
