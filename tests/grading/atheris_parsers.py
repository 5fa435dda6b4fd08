"""Coverage-guided fuzzing of all parsers, by hand: not a test, and not run in CI.

    python -m pip install atheris -e .     # CPython 3.11 to 3.13 on x86-64 Linux
    PYTHONPATH=. python tests/grading/atheris_parsers.py DIR -max_total_time=3600

DIR keeps the inputs that reach new code; without any it begins with the corpus' logs. Further
arguments are libFuzzer's. The first two bytes of an input choose the parser, the rest is the log.
An input that makes a parser raise, give a result that no log can have (see `mutations.check`) or
take longer than ten seconds ends the run: it is left as `crash-*` or `timeout-*`, the log itself
as `crash.log`, and the parser is named above the traceback.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["velora.grading"]):
    from velora.grading.parsers import registry

from tests.grading.mutations import PARSERS, check, logs_of, mutate
from velora.grading.parsers.framework import Framework
from velora.grading.protocol import Parsed

LONGEST = 40_000
DEFAULTS = (f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=2048")
NAMES = (*PARSERS, registry.AUTO)


def one(data: bytes) -> None:
    """Read one input with the parser that it chooses."""
    name = NAMES[int.from_bytes(data[:2], "big") % len(NAMES)]
    text = data[2:].decode("utf-8", "replace")
    try:
        framework, parsed = _read(name, text)
        check(framework, text, parsed)
    except Exception:
        Path("crash.log").write_text(text, encoding="utf-8")
        print(f"parser: {name}", file=sys.stderr)
        raise


def _read(name: str, text: str) -> tuple[Framework, Parsed]:
    if name != registry.AUTO:
        return PARSERS[name], PARSERS[name].parse(text)
    reading = registry.parse(name, text)
    chosen = reading.label.removeprefix(f"{registry.AUTO}:")
    return PARSERS.get(chosen, next(iter(PARSERS.values()))), reading.parsed


def other(data: bytes, longest: int, seed: int) -> bytes:
    """Mutate an input: mostly by lines, sometimes by bytes, sometimes for another parser."""
    chance = random.Random(seed)
    if chance.random() < 0.3:
        mutated: bytes = atheris.Mutate(data, longest)
        return mutated
    head = data[:2] if chance.random() < 0.95 else chance.randbytes(2)
    steps = [
        (chance.randrange(1 << 16), chance.randrange(1 << 16), chance.randrange(1 << 16))
        for _ in range(chance.randrange(1, 6))
    ]
    text = mutate(data[2:].decode("utf-8", "replace"), steps)
    return (head + text.encode("utf-8", "replace"))[:longest]


def seed(directory: Path) -> None:
    """Put the corpus' logs there, each with the parser that reads it, and with `auto`."""
    directory.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(NAMES):
        for at, text in enumerate(logs_of(name) if name != registry.AUTO else ()):
            for chosen in (index, len(NAMES) - 1):
                data = chosen.to_bytes(2, "big") + text.encode()[: LONGEST - 2]
                (directory / f"seed-{name.replace('/', '_')}-{at}-{chosen}").write_bytes(data)


def main() -> None:
    """Run until libFuzzer's limits."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory = Path(sys.argv[1])
    if not directory.is_dir() or not any(directory.iterdir()):
        seed(directory)
    given = {argument.partition("=")[0] for argument in sys.argv}
    more = [each for each in DEFAULTS if each.partition("=")[0] not in given]
    atheris.Setup([*sys.argv, *more], one, custom_mutator=other)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
