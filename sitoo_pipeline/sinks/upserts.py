"""Rows by key, written where they are missing or differ: one function, and each database's own way to do it.

SQLite and PostgreSQL know ``ON CONFLICT`` with a condition. MySQL and MariaDB have no condition, and assign from left
to right. SQL Server has none of it but ``MERGE``, which two writers at once can make fail; there the rows go through a
temporary table. What does not belong here: which rows there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from sitoo_pipeline.sinks.database import insert_into

Row = Mapping[str, Any]


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, stamp: str) -> None:
    """Write ``rows`` by the table's primary key; a row that says nothing new is not touched.

    Args:
        connection: In the caller's transaction.
        table: Its columns may not be null.
        rows: A value for every column.
        stamp: The column that says when a row was written, which differs always and counts for nothing.

    Raises:
        ValueError: where two rows have the same key: PostgreSQL refuses such a batch, others take any of the two.
    """
    keys = Counter(tuple(row[column.name] for column in table.primary_key) for row in rows)
    if twice := [key for key, number in keys.items() if number > 1]:
        raise ValueError(f"{table.name}: a key more than once in a batch: {', '.join(map(str, twice))}")
    if not rows:
        return
    if connection.dialect.name == "mssql":
        upsert_through_table(connection, table, rows, stamp=stamp)
    elif connection.dialect.name in ("mysql", "mariadb"):
        connection.execute(on_duplicate_key(table, stamp), rows)
    else:
        connection.execute(_on_conflict(connection, table, stamp), rows)


def upsert_through_table(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, stamp: str) -> None:
    """As ``upsert``, in standard SQL: the rows go into a temporary table, and from there where they are wanted."""
    fresh = fresh_table(connection.dialect, table)
    connection.execute(sa.schema.CreateTable(fresh))
    connection.execute(sa.insert(fresh), rows)
    for statement in merging(table, fresh, stamp):
        connection.execute(statement)
    connection.execute(sa.schema.DropTable(fresh))


def fresh_table(dialect: sa.Dialect, table: sa.Table) -> sa.Table:
    """A temporary table of the same columns."""
    is_mssql = dialect.name == "mssql"
    columns = [sa.Column(c.name, c.type, primary_key=c.primary_key, nullable=False) for c in table.columns]
    name = f"#{table.name}_fresh" if is_mssql else f"{table.name}_fresh"
    return sa.Table(name, sa.MetaData(), *columns, prefixes=[] if is_mssql else ["TEMPORARY"])


def merging(table: sa.Table, fresh: sa.Table, stamp: str) -> tuple[sa.Update, sa.Insert]:
    """What brings the rows of ``fresh`` into ``table``: an update of those that differ, and an insert of the others."""
    same = sa.and_(*(table.c[column.name] == fresh.c[column.name] for column in table.primary_key))
    names = _values(table)
    differs = sa.or_(*(table.c[name] != fresh.c[name] for name in names if name != stamp))
    update = sa.update(table).where(same, differs).values({name: fresh.c[name] for name in names})
    # Held to the end of the transaction, so that no other writer puts the same key in between.
    there = sa.select(sa.literal_column("1", sa.Integer)).select_from(table).where(same).correlate(fresh)
    there = there.with_hint(table, "WITH (UPDLOCK, HOLDLOCK)", "mssql")
    missing = sa.select(*fresh.columns).where(~there.exists())
    return update, sa.insert(table).from_select([column.name for column in fresh.columns], missing)


def on_duplicate_key(table: sa.Table, stamp: str) -> mysql.Insert:
    """The stamp comes first, while the other columns still have their old values; equal values change nothing."""
    statement = mysql.insert(table)
    new = statement.inserted
    others = [name for name in _values(table) if name != stamp]
    differs = sa.or_(*(table.c[name] != new[name] for name in others))
    stamped = (stamp, sa.func.if_(differs, new[stamp], table.c[stamp]))
    return statement.on_duplicate_key_update([stamped, *((name, new[name]) for name in others)])


def _on_conflict(connection: sa.Connection, table: sa.Table, stamp: str) -> sa.Executable:
    statement = insert_into(connection, table)
    new, names = statement.excluded, _values(table)
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in table.primary_key],
        set_={name: new[name] for name in names},
        where=sa.or_(*(table.c[name].is_distinct_from(new[name]) for name in names if name != stamp)),
    )


def _values(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns if not column.primary_key]
