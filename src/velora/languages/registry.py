"""Finding a language's profile by any of its spellings.

Rows carry odd values, so an unknown language is no error: it gets the neutral profile, whose
prompt names no language, and `notice` has the sentence that says so to the user.
"""

from __future__ import annotations

from types import MappingProxyType

from velora.errors import nearest
from velora.languages.profile import Profile
from velora.languages.profiles import ALL, NEUTRAL

_BY_SPELLING = MappingProxyType(
    {
        spelling.casefold(): profile
        for profile in ALL
        for spelling in (profile.name, profile.display, *profile.aliases)
    }
)


def get(language: str) -> Profile:
    """The profile of a language in any known spelling; the neutral one for any other text."""
    return _BY_SPELLING.get(language.strip().casefold(), NEUTRAL)


def known(language: str) -> bool:
    """Whether a language has a profile of its own."""
    return get(language) is not NEUTRAL


def canonical(language: str) -> str:
    """The canonical name: `golang` is `go`; an unknown language keeps its own, case-folded."""
    return get(language).name or language.strip().casefold()


def notice(language: str) -> str:
    """What to tell the user of a language without a profile; "" where there is one, or no
    language at all."""
    if not language.strip() or known(language):
        return ""
    names = [profile.name for profile in ALL]
    hint = nearest(language.strip().casefold(), names)
    hint = hint if hint.startswith("did you mean") else f"known: {', '.join(names)}"
    return f"language '{language.strip()}' is not known; the neutral prompt is used; {hint}"
