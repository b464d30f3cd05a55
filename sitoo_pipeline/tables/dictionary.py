"""The data dictionary: every table and column in words, as a Markdown page, from the declarations and nothing else.

``python -m sitoo_pipeline.tables.dictionary`` writes it to ``docs/data-dictionary.md``. What a table or column means is
said where it is declared; here is only how the page looks.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from sitoo_pipeline.tables import ALL_TABLES, Column, Table
from sitoo_pipeline.tables.lineage import in_words, origins
from sitoo_pipeline.tables.types import DataType, FieldType, ObjectList

PAGE = Path("docs") / "data-dictionary.md"
_COMMAND = "python -m sitoo_pipeline.tables.dictionary"

_LAYERS = {
    "marts": "The figures. Start here; [what each figure means](measures.md) has the rules and worked examples.",
    "core": "Typed rows of one grain each. Here it is decided which orders count, and where and when a sale belongs.",
    "raw": "Sitoo's objects as they were sent, under Sitoo's own names. What is nested there is nested here.",
    "meta": "What the pipeline knows of its own work.",
}

_INTRODUCTION = f"""\
# Data dictionary

Every schema, table and column of the warehouse. `{_COMMAND}` writes this page from the
declarations in `sitoo_pipeline/tables/`; change it there.

- **Types** are DuckDB's. Money is `DECIMAL(18,2)` in the currency of its row, quantities are `DECIMAL(18,3)`, a
  `TIMESTAMPTZ` is an instant (UTC), a `DATE` is a date in the store's local time.
- **`null`** says that a value can be absent.
- **Personal data** is marked with ⚑. A list with the mark holds personal data somewhere inside.
- **From** says how a column is computed and from which columns, or where in Sitoo's object (`o`) or in its nth entry
  (`i`) it is read.
- In most tables `_loaded_at` and `_run_id` stand behind the columns listed here: when the row was written, and by which
  Dagster run.
"""


def dictionary() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, _contents()]
    for layer, meaning in _LAYERS.items():
        parts.append(f"## `{layer}`\n\n{meaning}\n")
        parts += [_section(table) for table in _tables(layer)]
    return "\n".join(parts)


def escaped(text: str) -> str:
    """``text`` such that Markdown shows it as it is, also within a cell of a table."""
    text = re.sub(r"([\\`*\[\]<>|~#&])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)  # within a word an underscore means nothing to Markdown


def code(text: str) -> str:
    """``text`` as code within a cell of a table."""
    assert "`" not in text
    return f"`{text}`".replace("|", "\\|")


def _tables(layer: str) -> list[Table]:
    return [table for table in ALL_TABLES if table.layer == layer]


def _contents() -> str:
    lines = ["| table | what it holds |", "|---|---|"]
    lines += [
        f"| [`{table.qualified}`](#{_anchor(table)}) | {escaped(table.description)} |"
        for layer in _LAYERS
        for table in _tables(layer)
    ]
    return "\n".join(lines) + "\n"


def _anchor(table: Table) -> str:
    """The anchor that GitHub makes of the heading."""
    return table.qualified.replace(".", "")


def _section(table: Table) -> str:
    grain = f"One row per {', '.join(code(name) for name in table.key)}." if table.key else ""
    replaced = f"Replaced by {code(table.partition)}." if table.partition else ""
    source = f"[Sitoo's documentation]({table.documentation})." if table.documentation else ""
    rows = "\n".join(_row(table, column) for column in table.columns)
    facts = " ".join(fact for fact in (grain, replaced, source) if fact)
    return "\n".join(
        [
            f"### `{table.qualified}`\n",
            *(f"{line}\n" for line in (escaped(table.description), facts) if line),
            "| column | type | meaning | from |",
            "|---|---|---|---|",
            rows + "\n",
        ]
    )


def _row(table: Table, column: Column) -> str:
    kind = column.type.kind if isinstance(column.type, ObjectList) else code(column.type.sql)
    meaning = ". ".join(part for part in (escaped(column.description), _nested(column.type)) if part)
    cells = (
        code(column.name) + (" ⚑" if column.personal else ""),
        kind + (", null" if column.nullable else ""),
        meaning,
        _origin(table, column),
    )
    return f"| {' | '.join(cells)} |"


def _origin(table: Table, column: Column) -> str:
    if column.source:
        return code(column.source)
    made_from = in_words(origins(table).get(column.name, ()))
    return "<br>".join(escaped(part) for part in (column.formula, made_from) if part)


def _nested(kind: FieldType) -> str:
    """The fields of a list of objects, those of lists within it included."""
    return "Fields: " + ", ".join(_fields(kind, "")) if isinstance(kind, ObjectList) else ""


def _fields(kind: ObjectList, prefix: str) -> Iterator[str]:
    for name, field in kind.fields:
        if isinstance(field, DataType):
            yield f"{code(prefix + name)} {field.kind}"
        else:
            yield from _fields(field, f"{prefix}{name}.")


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description="Write the data dictionary.")
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help=f"where to write it; {PAGE} without it")
    page: Path = parser.parse_args().page
    page.write_text(dictionary(), encoding="utf-8")


if __name__ == "__main__":
    main()
