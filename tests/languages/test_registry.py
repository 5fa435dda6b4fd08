import pytest

from velora import languages
from velora.languages.profiles import ALL, NEUTRAL


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Python", "python"),
        ("golang", "go"),
        ("c++", "cpp"),
        ("C++", "cpp"),
        ("JS", "javascript"),
        (" TypeScript\n", "typescript"),
        ("C#", "csharp"),
        ("Ruby", "ruby"),
        ("PHP", "php"),
        ("C", "c"),
    ],
)
def test_spellings(spelling: str, name: str) -> None:
    assert languages.canonical(spelling) == name
    assert languages.get(spelling).name == name
    assert languages.known(spelling)
    assert languages.notice(spelling) == ""


def test_an_unknown_language_is_neutral_and_said() -> None:
    assert languages.get("Pyhton") is NEUTRAL
    assert languages.canonical("Brainfuck ") == "brainfuck"
    assert "did you mean 'python'?" in languages.notice("Pyhton")
    assert "known: python" in languages.notice("Brainfuck")


def test_no_language_is_neutral_without_a_word() -> None:
    assert languages.get("") is NEUTRAL
    assert languages.canonical(" ") == ""
    assert languages.notice(" ") == ""


def test_no_spelling_belongs_to_two_languages() -> None:
    spellings = [s for p in ALL for s in {p.name, p.display.casefold(), *p.aliases}]
    assert len(spellings) == len(set(spellings))
    assert all(spelling == spelling.casefold() for spelling in spellings)


def test_profiles_are_complete() -> None:
    assert len(ALL) == 12
    for profile in ALL:
        assert profile.display
        assert profile.reproduction
        assert profile.tests
        assert profile.junk
        assert profile.test_command
    assert {p.name for p in ALL if not p.may_add_tests} == {"javascript", "typescript", "rust"}


def test_every_language_has_a_parser_but_those_with_many_runners() -> None:
    assert {p.name for p in ALL if not p.parser} == {"javascript", "typescript"}
