"""The version of the warehouse's schema, and how a file of an older one is brought to it.

What is additive is done as the file is opened for writing, in one transaction and after a copy was put beside it: new
tables, new nullable columns, wider nested types. ``core`` and ``marts`` are computed, so a table there whose columns
changed is made again, empty, and its dates count as not computed until they are computed again from ``raw``. Nothing
else is guessed at: ``MIGRATIONS`` can say it in SQL, and what neither covers is refused before anything is written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb

from sitoo_pipeline.tables import ALL_TABLES, BY_NAME, Table, meta

log = logging.getLogger(__name__)

LAYERS = ("raw", "core", "marts", "meta")
_COMPUTED = ("core", "marts")
_NAMED = 3

Shape = Mapping[str, Mapping[str, str]]
"""For each table (``layer.name``), its columns in their order with their DuckDB types."""


@dataclass(frozen=True)
class Migration:
    """What leads to ``version`` from the one before it: ``statements`` of SQL, for what the declarations do not say.

    New tables, new nullable columns and changed tables of ``core`` and ``marts`` need none.
    """

    version: int
    says: str
    statements: tuple[str, ...] = ()


MIGRATIONS = (
    Migration(2, "the file says the version of its schema"),
    Migration(3, "visitors have tables of their own"),
)
"""In order. A file that says no version has version 1."""

SCHEMA_VERSION = MIGRATIONS[-1].version
"""The version that this pipeline reads and writes. Raise it, by a ``Migration``, whenever a released table changes."""


class WarehouseVersionError(RuntimeError):
    """The file's schema has another version than this pipeline. Nothing was written."""


def newer(path: Path, version: int) -> WarehouseVersionError:
    """The file was written by a newer pipeline."""
    return WarehouseVersionError(
        f"{path} has schema version {version}, and this pipeline knows versions up to {SCHEMA_VERSION}. Nothing was "
        "written. Install the newer pipeline again, or restore a backup that this one made (sitoo-pipeline restore)."
    )


def older(path: Path, version: int) -> WarehouseVersionError:
    """The file is looked at, and only a command that writes can migrate it."""
    return WarehouseVersionError(
        f"{path} has schema version {version}, and this pipeline reads version {SCHEMA_VERSION}. "
        "sitoo-pipeline upgrade migrates it, as the next run would, and keeps a copy of it as it is."
    )


def unlike(path: Path, tables: Sequence[str]) -> WarehouseVersionError:
    """The file's tables have columns that no migration accounts for."""
    return WarehouseVersionError(
        f"{path} was made by another version of the pipeline: other columns in {_listed(tables)}. Nothing was "
        "written. Move the file away and load its dates again (sitoo-pipeline backfill); the ledger of deliveries "
        "stays where it is, so that nothing is sent twice."
    )


def _listed(tables: Sequence[str]) -> str:
    return ", ".join(tables[:_NAMED]) + (f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else "")


_SHAPES: dict[tuple[int, int | None], Shape] = {}
"""The shape by number and hash of what made its tables: to read all columns takes several times longer than that."""


def shape_of(con: duckdb.DuckDBPyConnection) -> Shape:
    """The tables of an open file."""
    ours = "WHERE database_name = current_database()"
    [made] = con.execute(f"SELECT count(*), bit_xor(hash(schema_name, sql)) FROM duckdb_tables() {ours}").fetchall()
    if made not in _SHAPES:
        rows = con.execute(
            "SELECT schema_name || '.' || table_name, list(column_name ORDER BY column_index), "
            f"list(data_type ORDER BY column_index) FROM duckdb_columns() {ours} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        _SHAPES[made] = {table: dict(zip(names, types, strict=True)) for table, names, types in rows}
    return _SHAPES[made]


@cache
def declared_shape() -> Shape:
    """The tables as they are declared, with types as DuckDB writes them."""
    with duckdb.connect() as con:
        create_tables(con)
        return shape_of(con)


def version_of(con: duckdb.DuckDBPyConnection, there: Shape) -> int | None:
    """The version of a file with the tables ``there``; None for one that has none of ours yet."""
    if meta.SCHEMA_VERSION.qualified in there:
        found = con.execute(f"SELECT max(version) FROM {meta.SCHEMA_VERSION.qualified}").fetchall()[0][0]
        return int(found or 1)
    return 1 if there.keys() & BY_NAME.keys() else None


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make every schema and table that is not there; call it in a transaction."""
    for layer in LAYERS:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    for table in ALL_TABLES:
        con.execute(table.ddl)


def stamp(con: duckdb.DuckDBPyConnection, changes: str) -> None:
    """Note that the file now has ``SCHEMA_VERSION``; call it in the transaction that brought it there."""
    con.execute(
        f"INSERT INTO {meta.SCHEMA_VERSION.qualified} (version, applied_at, changes) VALUES (?, ?, ?)",
        [SCHEMA_VERSION, datetime.now(UTC), changes],
    )


def copy_path(path: Path, version: int) -> Path:
    """Where the copy of a file of ``version`` stands that is made before it is migrated."""
    return path.with_name(f"{path.stem}.version-{version}{path.suffix}")


def copies(path: Path) -> list[Path]:
    """The copies that were made before migrations of the file ``path``, of whatever version."""
    return sorted(path.parent.glob(f"{path.stem}.version-*{path.suffix}"))


@dataclass
class Plan:
    """What brings a file to the declared shape.

    Attributes:
        new: Tables to make.
        again: Tables of ``core`` and ``marts`` to make again, empty.
        statements: What changes the others where they stand.
        rebuilt: Tables of ``meta`` to make again with their rows; ``meta`` is small, and its columns keep their order.
        refused: Tables for which there is no way.
    """

    new: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    rebuilt: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def changes(self) -> str:
        """What was done, in words."""
        said = [
            f"new: {', '.join(self.new)}" if self.new else "",
            f"to be computed again: {', '.join(self.again)}" if self.again else "",
            "; ".join(self.statements),
            f"more columns: {', '.join(self.rebuilt)}" if self.rebuilt else "",
        ]
        return "; ".join(filter(None, said)) or "nothing but the version"


def plan(there: Shape) -> Plan:
    """What has to be done to a file with the tables ``there``."""
    made = Plan()
    for name, columns in declared_shape().items():
        if name not in there:
            made.new.append(name)
        elif name.startswith(_COMPUTED):
            if list(there[name].items()) != list(columns.items()):
                made.again.append(name)
        elif there[name] != columns:
            _change(made, BY_NAME[name], there[name], columns)
    return made


def _change(made: Plan, table: Table, there: Mapping[str, str], columns: Mapping[str, str]) -> None:
    """A table whose rows stay: columns may be added, and nested values may get more fields."""
    added = [column for column in table.all_columns if column.name not in there]
    retyped = [name for name, kind in columns.items() if name in there and there[name] != kind]
    is_nested = all(there[name].startswith("STRUCT") and columns[name].startswith("STRUCT") for name in retyped)
    if there.keys() - columns.keys() or not is_nested or not all(column.nullable for column in added):
        made.refused.append(table.qualified)
    elif table.layer == "meta":
        made.rebuilt.append(table.qualified)
    else:
        made.statements += [f"ALTER TABLE {table.qualified} ADD COLUMN {column.ddl}" for column in added]
        made.statements += [
            f'ALTER TABLE {table.qualified} ALTER COLUMN "{name}" TYPE {columns[name]}' for name in retyped
        ]


def before_shapes(con: duckdb.DuckDBPyConnection, version: int) -> list[str]:
    """Run the statements of the migrations from ``version`` on; returns what they say."""
    said = []
    for migration in MIGRATIONS:
        if migration.version > version:
            for statement in migration.statements:
                con.execute(statement)
            said.append(migration.says)
    return said


def migrate(con: duckdb.DuckDBPyConnection, path: Path, version: int) -> str:
    """Bring the open file from ``version`` to ``SCHEMA_VERSION``, and say what was done; call it in a transaction.

    Raises:
        WarehouseVersionError: it has tables that no migration accounts for; roll back.
    """
    said = before_shapes(con, version)
    todo = plan(shape_of(con))
    if todo.refused:
        raise unlike(path, todo.refused)
    for statement in todo.statements:
        con.execute(statement)
    for name in todo.again:
        con.execute(f"DROP TABLE {name}")
        # Without its loads a date counts as not computed, for the inventory and for whatever is computed from it.
        con.execute("DELETE FROM meta.loads WHERE table_name = ?", [name])
    for name in todo.rebuilt:
        con.execute(f"CREATE TEMP TABLE kept AS FROM {name}")
        con.execute(f"DROP TABLE {name}")
        con.execute(BY_NAME[name].ddl)
        con.execute(f"INSERT INTO {name} BY NAME FROM kept")
        con.execute("DROP TABLE kept")
    create_tables(con)
    changes = "; ".join([*said, todo.changes])
    stamp(con, changes)
    log.warning("%s was migrated from schema version %s to %s: %s", path, version, SCHEMA_VERSION, changes)
    return changes
