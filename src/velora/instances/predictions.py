"""Predictions: patches that other programs made, in whatever form they wrote them.

Each row says by its fields what it is, so one file may be any of these:

- SWE-bench: `instance_id`, `model_patch`, `model_name_or_path`; a JSON list or JSON lines;
- the same as one JSON object keyed by id (mini-swe-agent's `preds.json`), whose values may also be
  the patches alone;
- OpenHands' `output.jsonl`, and Velora's: `instance_id`, `test_result.git_patch`; there an instance
  may have several rows, with different numbers in `attempt`;
- Multi-SWE-bench: `org`, `repo`, `number`, `fix_patch`.

A patch that is null or missing is an empty one: whoever wrote the row had none to give.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from velora.errors import UsageError
from velora.instances.decode import Undecodable, decode_id, is_blank
from velora.instances.families.cells import text
from velora.instances.families.multi_swe_bench import ident
from velora.instances.json_text import kind
from velora.instances.rows import Row, iter_rows

_KNOWN = ("instance_id", "model_patch", "test_result", "fix_patch")


@dataclass(frozen=True, slots=True)
class Prediction:
    """One patch.

    Attributes:
        instance_id: as the row has it; of Multi-SWE-bench's rows `owner__repo-number`.
        patch: b"" where the row has none.
        model: who made it, or "".
        attempt: the row's number at its instance, 1 where it has none.
        where: as `preds.jsonl:3`.
        note: what is odd about it, or "".
    """

    instance_id: str
    patch: bytes
    model: str
    attempt: int
    where: str
    note: str = ""


def read_predictions(path: Path) -> list[Prediction]:
    """All predictions of a file, in its order.

    Raises:
        UsageError: the file cannot be read, or a row is no prediction; with the line. Two rows are
            about one instance.
    """
    rows = list(iter_rows(path))
    if len(rows) == 1 and not any(key in rows[0].value for key in _KNOWN):
        rows = list(_keyed(rows[0], path))
    found = [_prediction(row) for row in rows]
    if not found:
        raise UsageError("holds no predictions", where=str(path))
    check_doubled(found)
    return found


def check_doubled(predictions: Iterable[Prediction]) -> None:
    """Each attempt at an instance has one prediction.

    Raises:
        UsageError: two rows are about one; with the lines.
    """
    seen: dict[tuple[str, int], Prediction] = {}
    doubled: list[str] = []
    for one in predictions:
        first = seen.setdefault((one.instance_id, one.attempt), one)
        if first is not one:
            doubled.append(f"{one.where}: '{one.instance_id}' is also predicted at {first.where}")
    if doubled:
        raise UsageError(several(doubled), hint="one prediction an instance")


def several(messages: list[str], shown: int = 10) -> str:
    """One message, or the first few of many, a line each."""
    if len(messages) == 1:
        return messages[0]
    more = f"\n    and {len(messages) - shown} more" if len(messages) > shown else ""
    return f"{len(messages)} errors:\n    " + "\n    ".join(messages[:shown]) + more


def _keyed(whole: Row, path: Path) -> Iterator[Row]:
    """The rows of one object by id, which JSON lets be there twice."""
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(items)
        if len(value) < len(items) and value.keys() == whole.value.keys():
            keys = [key for key, _ in items]
            doubled.extend(key for key in value if keys.count(key) > 1)
        return value

    if path.suffix != ".gz":
        json.loads(path.read_text("utf-8-sig"), object_pairs_hook=pairs)
    if doubled:
        listed = [f"'{key}' is there more than once" for key in doubled]
        raise UsageError(several(listed), where=whole.where)
    for key, value in whole.value.items():
        where = f"{whole.where} ('{key}')"
        if value is None or isinstance(value, str):
            yield Row(where, {"instance_id": key, "model_patch": value})
        elif isinstance(value, dict) and text(value, "instance_id") in {"", key}:
            yield Row(where, {**value, "instance_id": key})
        elif isinstance(value, dict):
            raise UsageError(
                f"stands under another id than its own, '{value['instance_id']}'", where=where
            )
        else:
            raise UsageError(f"must be a prediction or a patch, not {kind(value)}", where=where)


def _prediction(row: Row) -> Prediction:
    value = row.value
    patch, note = _patch(row)
    try:
        if is_blank(value.get("instance_id")) and "fix_patch" in value:
            name = text(value, "repo").rpartition("/")[2]
            instance_id = ident(text(value, "org"), name, decode_id(value.get("number"), "number"))
        else:
            instance_id = decode_id(value.get("instance_id"), "instance_id")
        attempt = decode_id(value.get("attempt"), "attempt") or "1"
    except Undecodable as error:
        raise UsageError(str(error), where=row.where) from None
    if not attempt.isdecimal():
        raise UsageError(f"attempt must be a whole number, not '{attempt}'", where=row.where)
    if not instance_id:
        raise UsageError("the prediction has no instance_id", where=row.where)
    if row.damaged:
        note = note or "the row held half of a surrogate pair"
    return Prediction(instance_id, patch, _model(value), int(attempt), row.where, note)


def _patch(row: Row) -> tuple[bytes, str]:
    value: Mapping[str, Any] = row.value
    if "model_patch" in value:
        found = value["model_patch"]
    elif "test_result" in value:
        result = value["test_result"]
        if isinstance(result, dict) and isinstance(coded := result.get("git_patch_base64"), str):
            try:
                return base64.b64decode(coded, validate=True), ""
            except binascii.Error as error:
                raise UsageError(f"git_patch_base64: {error}", where=row.where) from None
        found = result.get("git_patch") if isinstance(result, dict) else None
    elif "fix_patch" in value:
        found = value["fix_patch"]
    else:
        raise UsageError(
            "is no prediction of any known kind",
            where=row.where,
            hint="model_patch (SWE-bench, mini-swe-agent), test_result.git_patch (OpenHands) or "
            f"fix_patch (Multi-SWE-bench) holds the patch; fields that are there: "
            f"{', '.join(value)}",
        )
    if found is None:
        return b"", "the prediction has no patch"
    if not isinstance(found, str):
        raise UsageError(f"the patch must be text, not {kind(found)}", where=row.where)
    return found.encode("utf-8", "surrogatepass"), ""


def _model(value: Mapping[str, Any]) -> str:
    named = text(value, "model_name_or_path", "model")
    metadata = value.get("metadata")
    if named or not isinstance(metadata, dict):
        return named
    for section in ("llm_config", "llm"):  # OpenHands, before and since its SDK
        if isinstance(config := metadata.get(section), dict) and text(config, "model"):
            return text(config, "model")
    return ""
