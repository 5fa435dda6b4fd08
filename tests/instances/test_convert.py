import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.errors import UsageError
from velora.instances.convert import check_columns, convert
from velora.instances.damage import Converted, Kind
from velora.instances.decode import EXCEL_LIMIT
from velora.instances.fields import instance_of
from velora.instances.rows import Row

DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a = 1\n-b = 1\n+b = 2\n"
CUT = DIFF.replace(",2 +1,2", ",3 +1,3")


def one(**cells: Any) -> Converted:
    (converted,) = convert([Row("t.xlsx: row 2", cells)])
    return converted


def task(**cells: Any) -> dict[str, Any]:
    """The row that becomes of a task with these cells, which hold no damage."""
    converted = one(**{"instance_id": "a__b-1", "problem_statement": "It fails."} | cells)
    assert converted.damage == ()
    assert converted.row is not None
    return converted.row


def damage(**cells: Any) -> list[tuple[Kind, str, str]]:
    converted = one(**{"instance_id": "a__b-1", "problem_statement": "It fails."} | cells)
    return [(found.kind, found.column, found.message) for found in converted.damage]


def test_the_raw_columns_become_the_fields_of_the_seed_format() -> None:
    row = one(
        issue_fbid=6.0591074528704e14,
        repo_source_uri="https://github.com/tobymao/sqlglot.git",
        commit_hash="e604fe6d8258c73b511159a953bb130c65b608cc",
        issue_statement="It fails.",
        functional_patch=DIFF,
        test_patch=json.dumps([DIFF, DIFF]),
        fail_to_pass_tests="['test_a[x, y]' 'test_b']",
        pass_to_pass_tests="[]",
        repo_language="python",
        test_command="pytest -q",
        difficulty_category="easy",
    )
    assert row == Converted(
        {
            "instance_id": "605910745287040",
            "repo_source_uri": "https://github.com/tobymao/sqlglot.git",
            "base_commit": "e604fe6d8258c73b511159a953bb130c65b608cc",
            "problem_statement": "It fails.",
            "patch": DIFF,
            "test_patch": json.dumps([DIFF, DIFF]),
            "FAIL_TO_PASS": '["test_a[x, y]", "test_b"]',
            "PASS_TO_PASS": "[]",
            "language": "python",
            "test_command": "pytest -q",
            "difficulty_category": "easy",
            "repo": "tobymao/sqlglot",
        },
        (),
    )


def test_a_field_that_is_there_keeps_the_other_columns_beside_it() -> None:
    row = task(issue_fbid=17.0, repo="a/b", repo_source_uri="git@github.com:c/d", commit_hash="")
    assert row == {
        "instance_id": "a__b-1",
        "problem_statement": "It fails.",
        "issue_fbid": "17",
        "repo": "a/b",
        "repo_source_uri": "git@github.com:c/d",
    }


def test_an_empty_field_gives_way_to_the_next_column() -> None:
    row = one(instance_id="NaN", velora_instance_id="v-1", problem_statement="x").row
    assert row == {"instance_id": "v-1", "problem_statement": "x"}


@pytest.mark.parametrize("empty", [None, "", "  ", math.nan, "nan", "NaN", "None", "<NA>"])
def test_empty_cells_are_left_out(empty: Any) -> None:
    assert set(task(image_storage_uri=empty, job_name=empty)) == {
        "instance_id",
        "problem_statement",
    }
    assert one(instance_id=empty, problem_statement=empty).blank


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("instance_id", " tobymao__sqlglot-1 ", "tobymao__sqlglot-1"),
        ("instance_id", 42.0, "42"),
        ("instance_id", "12e4567", "12e4567"),
        ("issue_fbid", "6.0591074528704E14", "605910745287040"),
        ("issue_fbid", "1.55E1", "1.55E1"),
        ("image_fbid", 1.7499e9, "1749900000"),
        ("job_id", 123456789012345.0, "123456789012345"),
        ("version", 3.0, "3"),
        ("version", 3.1, "3.1"),
        ("test_exit_code", 1.0, 1),
        ("success_rate", 0.25, 0.25),
        ("commit_timestamp", 1.7499e9, 1749900000),
        ("ds", 45959.0, "2025-10-29"),
        ("created_at", 45959.5, "2025-10-29T12:00:00"),
        ("total_samples", 45959.0, 45959),
        ("when", datetime.date(2025, 10, 29), "2025-10-29"),
        ("when", datetime.datetime(2025, 10, 29), "2025-10-29"),
        ("when", datetime.time(7, 30), "07:30:00"),
        ("flag", True, True),
        ("problem_tags", '["a", "b"]', '["a", "b"]'),
        ("repo", "https://gitlab.com/a/b", "https://gitlab.com/a/b"),
        ("repo", "https://github.com/a/b/", "a/b"),
        ("F2P", '["a"]', None),
    ],
)
def test_a_cell_becomes(column: str, cell: Any, value: Any) -> None:
    row = task(**{column: cell})
    assert row.get(column) == value
    assert type(row.get(column)) is type(value)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=4))
def test_names_are_the_same_as_before(names: list[str]) -> None:
    for text in (json.dumps(names), json.dumps(names, ensure_ascii=False)):
        row = task(FAIL_TO_PASS=text)
        assert json.loads(row["FAIL_TO_PASS"]) == names
        assert instance_of(Row("t.jsonl:1", row)).fail_to_pass == tuple(names)


def test_cut_cells_are_kept_and_reported_once() -> None:
    cut = (DIFF * 1000)[:EXCEL_LIMIT]
    found = damage(test_patch=cut, FAIL_TO_PASS="['" + "x" * (EXCEL_LIMIT - 2), notes="n" * 40_000)
    assert [(kind, column) for kind, column, _ in found] == [
        (Kind.CELL_CUT, "test_patch"),
        (Kind.CELL_CUT, "FAIL_TO_PASS"),
        (Kind.CELL_CUT, "notes"),
    ]
    assert found[0][2].startswith("has 32,767 characters")
    row = one(instance_id="a", problem_statement="x", test_patch=cut).row
    assert row is not None
    assert row["test_patch"] == cut
    assert not damage(notes="n" * (EXCEL_LIMIT - 1))


def test_length_is_counted_as_excel_counts_it() -> None:
    assert damage(notes="𝄞" * 16_384)[0][0] is Kind.CELL_CUT
    assert not damage(notes="é" * 32_766)


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("test_patch", CUT, "is a broken diff: Hunk is shorter than expected"),
        ("test_patch", json.dumps([DIFF, CUT]), "is a broken diff (diff 2 of 2): Hunk is shorter"),
        ("test_patch", json.dumps([DIFF])[:-9], "is cut off"),
        ("test_patch", "https://drive.google.com/file/d/1", "is no unified diff"),
        (
            "functional_patch",
            CUT.replace("\n", "\\n"),
            "has no line breaks but the characters \\n",
        ),
        ("patch", json.dumps([DIFF]), "is a list, where one unified diff is expected"),
    ],
)
def test_unreadable_patches(column: str, cell: str, message: str) -> None:
    ((kind, named, found),) = damage(**{column: cell})
    assert (kind, named) == (Kind.PATCH_UNREADABLE, column)
    assert found.startswith(message)


@pytest.mark.parametrize(
    "patch",
    [
        DIFF,
        DIFF.rstrip("\n"),
        DIFF.replace("a = 1", "a\x0c = 1\r"),
        "diff --git a/x b/x\nsimilarity index 100%\nrename from x\nrename to y\n",
        "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
        "diff --git a/b b/b\nindex 1..2\nGIT binary patch\nliteral 1\nIc$@<O\n\nliteral 0\n\n",
    ],
)
def test_sound_patches_are_not_reported(patch: str) -> None:
    assert task(patch=patch, test_patch=patch)["patch"] == patch


def test_unreadable_names_are_kept_and_reported() -> None:
    cells = {"instance_id": "a", "problem_statement": "x", "f2p": "test_a, test_b"}
    converted = one(**cells)
    assert converted.row is not None
    assert converted.row["FAIL_TO_PASS"] == "test_a, test_b"
    ((kind, column, message),) = damage(**cells)
    assert (kind, column) == (Kind.NAMES_UNREADABLE, "f2p")
    assert message.startswith("is no list of names")


def test_values_that_cannot_be_what_they_should_are_reported() -> None:
    assert damage(version=True)[0][0] is Kind.VALUE_UNREADABLE
    ((kind, column, _),) = damage(issue_fbid=1234567890123456.0)
    assert (kind, column) == (Kind.DIGITS_LOST, "issue_fbid")


def test_a_row_without_a_statement_is_refused_by_itself() -> None:
    converted = one(instance_id="a", problem_statement=None)
    assert converted.row == {"instance_id": "a", "problem_statement": ""}
    assert [found.kind for found in converted.damage] == [Kind.STATEMENT_EMPTY]
    assert instance_of(Row("t.jsonl:1", converted.row)).problems


def test_rows_without_an_id_or_with_one_that_is_taken_are_left_out() -> None:
    ids = ["a", "", "A", "b", "a"]
    rows = [
        Row(f"row {number}", {"instance_id": one, "problem_statement": "x"})
        for number, one in enumerate(ids, 2)
    ]
    converted = list(convert(rows))
    assert [row.row["instance_id"] if row.row else None for row in converted] == [
        *("a", None, None, "b", None)
    ]
    found = [found for row in converted for found in row.damage]
    assert [(one.kind, one.where, one.instance_id) for one in found] == [
        (Kind.ID_EMPTY, "row 3", ""),
        (Kind.ID_DUPLICATE, "row 4", "A"),
        (Kind.ID_DUPLICATE, "row 6", "a"),
    ]
    assert found[1].message == "is also that of row 2; this row is left out"
    assert not any(row.blank for row in converted)


def test_a_table_without_the_columns_of_a_task_is_refused() -> None:
    check_columns(["issue_fbid", "issue_statement"], "t.xlsx")
    with pytest.raises(UsageError, match="instance_id or velora_instance_id or issue_fbid"):
        check_columns(["instance id", "problem_statement"], "t.xlsx")
    with pytest.raises(UsageError, match="did you mean 'problem statement'"):
        check_columns(["instance_id", "problem statement"], "t.xlsx")


def repaired(text: str) -> str | None:
    """What a patch becomes where it is reported as repaired and as nothing else."""
    converted = one(instance_id="a", problem_statement="x", test_patch=text)
    if [found.kind for found in converted.damage] != [Kind.PATCH_REPAIRED]:
        return None
    assert converted.row is not None
    return str(converted.row["test_patch"])


CODE = '--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-print("a")\n+print("a\\n\\tb")\n'


def test_patches_whose_line_breaks_were_escaped_are_repaired() -> None:
    for patch in (DIFF, CODE):
        assert repaired(json.dumps(patch)[1:-1]) == patch
    # Not escaped as JSON would have it, for a lone quote is left: only one reading is a diff.
    quoted = DIFF.replace("a = 1", 'a = "1"')
    assert repaired(quoted.replace("\n", "\\n")) == quoted
    assert repaired(DIFF.replace("\n", "\\r\\n")) == DIFF.replace("\n", "\r\n")


def test_patches_that_could_have_been_several_are_not_touched() -> None:
    ambiguous = CODE.replace("\n", "\\n").replace('"', "'")
    assert repaired(ambiguous) is None
    assert damage(test_patch=ambiguous)[0][0] is Kind.PATCH_UNREADABLE


@pytest.mark.parametrize(
    ("column", "cell", "value", "kind"),
    [
        ("instance_id", "6.0591074528704E14", "605910745287040", None),
        ("issue_fbid", "6.05910745287041E+14", "605910745287041", None),
        ("issue_fbid", "6.0591074528704E+14", "6.0591074528704E+14", Kind.DIGITS_LOST),
        ("issue_fbid", "6.05911E+14", "6.05911E+14", Kind.DIGITS_LOST),
        ("instance_id", "6.05E14", "605000000000000", None),
        ("issue_fbid", "1.2345678901234567E18", "1234567890123456700", Kind.DIGITS_LOST),
        ("issue_fbid", 1.2345678901234567e18, "1234567890123456800", Kind.DIGITS_LOST),
        ("issue_fbid", 1234567890123456789, "1234567890123456789", None),
        ("instance_id", "e6.05E14", "e6.05E14", None),
    ],
)
def test_ids_in_scientific_notation(column: str, cell: Any, value: str, kind: Kind | None) -> None:
    converted = one(**{"instance_id": "a", "problem_statement": "x"} | {column: cell})
    assert converted.row is not None
    assert converted.row[column] == value
    assert [found.kind for found in converted.damage] == ([kind] if kind else [])


def test_nul_bytes_and_bytes_that_are_no_text_are_taken_out_and_reported() -> None:
    converted = one(instance_id="a", problem_statement="x\0y\0", notes="\udcff!", deep=["\0"])
    assert converted.row == {
        "instance_id": "a",
        "problem_statement": "xy",
        "notes": "\ufffd!",
        "deep": [""],
    }
    assert [(found.kind, found.column, found.message) for found in converted.damage] == [
        (Kind.CELL_NUL, "problem_statement", "held 2 NUL bytes, left out"),
        (Kind.TEXT_UNREADABLE, "notes", "held bytes that are no UTF-8, now U+FFFD"),
        (Kind.CELL_NUL, "", "held 1 NUL byte, left out"),
    ]


def test_rows_of_other_families_get_an_id_and_a_statement() -> None:
    row = {"org": "o", "repo": "r", "number": 7, "fix_patch": DIFF, "title": "t", "body": "b"}
    check_columns(tuple(row), "t.jsonl")
    converted = one(**row)
    assert converted.damage == ()
    assert converted.row is not None
    assert converted.row["instance_id"] == "o__r-7"
    assert converted.row["problem_statement"] == "t\n\nb"
    assert instance_of(Row("t.jsonl:1", converted.row)).family == "multi_swe_bench"


def test_real_lists_and_tables_stay_what_they_are() -> None:
    row = task(FAIL_TO_PASS=["a, b"], test_patches=[DIFF, DIFF], meta={"n": [1.0, None]})
    assert row["FAIL_TO_PASS"] == '["a, b"]'
    assert row["test_patches"] == [DIFF, DIFF]
    assert row["meta"] == {"n": [1, None]}
    assert damage(test_patches=[DIFF, CUT])[0][2].startswith("is a broken diff (diff 2 of 2):")
