"""The data dictionary is current, complete, and shows what is declared as it is declared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sitoo_pipeline.tables import ALL_TABLES, Table
from sitoo_pipeline.tables.dictionary import dictionary, escaped
from sitoo_pipeline_tests.docs.pages import DOCS, anchors, read

PAGE = read(DOCS / "data-dictionary.md")


def test_the_page_is_current(tmp_path: Path) -> None:
    """Where this fails: ``python -m sitoo_pipeline.tables.dictionary``, and commit the page."""
    page = tmp_path / "page.md"
    command = [sys.executable, "-m", "sitoo_pipeline.tables.dictionary", str(page)]
    subprocess.run(command, check=True, timeout=60)
    assert page.read_text(encoding="utf-8") == PAGE
    assert dictionary() == PAGE


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.qualified)
def test_every_column_has_one_row_of_four_cells(table: Table) -> None:
    _, _, section = PAGE.partition(f"### `{table.qualified}`\n")
    rows = re.findall(r"^\| `.*$", section.partition("\n### ")[0].partition("\n## ")[0], flags=re.MULTILINE)
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert {len(row) for row in cells} == {4}
    assert [re.findall(r"`(\w+)`", row[0])[0] for row in cells] == table.names
    assert ["⚑" in row[0] for row in cells] == [column.personal for column in table.columns]
    assert [row[1].endswith(", null") for row in cells] == [column.nullable for column in table.columns]
    assert all(row[2] for row in cells)


def test_every_table_is_in_the_list_of_contents() -> None:
    linked = re.findall(r"^\| \[`([\w.]+)`\]\(#(\w+)\)", PAGE, flags=re.MULTILINE)
    assert sorted(name for name, _ in linked) == sorted(table.qualified for table in ALL_TABLES)
    assert {anchor for _, anchor in linked} <= anchors(PAGE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("*all* of [it](there)", r"\*all\* of \[it\](there)"),
        ("`code` <b>", r"\`code\` \<b\>"),
        ("_loaded_at and returns_net", r"\_loaded_at and returns_net"),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", "two lines"),
        ("fish & chips ~ 5", r"fish \& chips \~ 5"),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown
