"""A data set's file → its instances, and the choice of some of them."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from velora.config.names import safe_name
from velora.errors import UsageError, nearest
from velora.instances import families
from velora.instances.fields import instance_of
from velora.instances.model import Instance
from velora.instances.rows import iter_rows

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FILE_SUFFIX = re.compile(r"\.(jsonl?|ndjson|gz|csv|tsv|xlsx?|parquet)\Z", re.IGNORECASE)


def read(path: Path | str, family: str = "") -> list[Instance]:
    """All instances of a file, in its order.

    Args:
        path: a JSON or JSONL file, also with gzip.
        family: of all rows; "" lets each row tell.

    Raises:
        UsageError: there is no such file; it is of another format; a line is broken, a row has no
            id or no problem statement, or two rows have one id; always with the line. There is no
            such family.
    """
    if family:
        families.get(family)
    _check_exists(str(path))
    instances = [instance_of(row, family) for row in iter_rows(path)]
    if not instances:
        raise UsageError("holds no rows", where=str(path))
    _check_ids(instances)
    return instances


def select(
    instances: Sequence[Instance],
    *,
    limit: int | None = None,
    ids: Collection[str] = (),
    skip: Collection[str] = (),
    sample_seed: int | None = None,
) -> list[Instance]:
    """Some of the instances, in the order of the file.

    Args:
        instances: to choose from.
        limit: how many at most, of those that `ids` and `skip` leave: the first ones. (The
            original took a random sample there.)
        ids: only these; none for all.
        skip: not these; an id that there is not is no error, `unknown_ids` finds it.
        sample_seed: takes a random sample of `limit` instead of the first ones.

    Raises:
        UsageError: an id of `ids` is in no row, or `limit` is below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"the limit must be at least 1, not {limit}", where="--eval-n-limit")
    known = [instance.instance_id for instance in instances]
    if unknown := unknown_ids(instances, ids):
        close = nearest(unknown[0], known)
        hint = close if close.startswith("did you mean") else f"the data set has {len(known)} ids"
        listed = ", ".join(f"'{one}'" for one in unknown)
        raise UsageError(f"no instance has the id {listed}", where="--eval-ids", hint=hint)
    wanted, unwanted = frozenset(ids or known), frozenset(skip)
    chosen = [one for one in instances if one.instance_id in wanted - unwanted]
    if limit is None or limit >= len(chosen):
        return chosen
    if sample_seed is None:
        return chosen[:limit]
    picked = sorted(random.Random(sample_seed).sample(range(len(chosen)), limit))
    return [chosen[index] for index in picked]


def unknown_ids(instances: Iterable[Instance], ids: Iterable[str]) -> list[str]:
    """The ids that no instance has, in the order given."""
    known = {instance.instance_id for instance in instances}
    return [one for one in dict.fromkeys(ids) if one not in known]


def _check_ids(instances: Iterable[Instance]) -> None:
    seen: dict[str, Instance] = {}
    for instance in instances:
        name = safe_name(instance.instance_id).casefold()
        first = seen.setdefault(name, instance)
        if first is instance:
            continue
        if first.instance_id == instance.instance_id:
            message = f"instance_id '{instance.instance_id}' is also that of {first.source}"
            hint = "ids must be unique"
        else:
            message = (
                f"instance_id '{instance.instance_id}' and '{first.instance_id}' of "
                f"{first.source} differ in upper and lower case only"
            )
            hint = "they would share one directory on some file systems; rename one"
        raise UsageError(message, where=instance.source, hint=hint)


def looks_like_hub(source: str) -> bool:
    """It is the name of no file, and may be that of a data set on a hub: `owner/name`."""
    if source.startswith("hub:"):
        return True
    is_name = _HUB_NAME.fullmatch(source) and not _FILE_SUFFIX.search(source)
    return bool(is_name) and not Path(source).parent.is_dir()


def _check_exists(source: str) -> None:
    path = Path(source)
    if path.is_dir():
        raise UsageError("is a directory, not a data set's file", where=source)
    if path.exists():
        return
    if looks_like_hub(source):
        raise UsageError(
            "is no file; it looks like the name of a data set on a hub",
            where=source,
            hint=f"velora convert {source} tasks.jsonl",
        )
    close = difflib.get_close_matches(path.name, _names_near(path), n=3, cutoff=0.6)
    if close:
        hint = "did you mean " + " or ".join(f"'{path.parent / one}'" for one in close) + "?"
    elif not path.parent.is_dir():
        hint = f"there is no directory '{path.parent}'"
    else:
        hint = ""
    raise UsageError("there is no such file", where=source, hint=hint)


def _names_near(path: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return []
