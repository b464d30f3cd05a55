"""``meta.quarantine`` and ``meta.drift``: what was refused, and what nobody documented.

What is refused, and why, is decided in ``rules``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import duckdb

from sitoo_pipeline.tables import Table
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.warehouse.ledger import now
from sitoo_pipeline.warehouse.staging import Refused


def quarantine(
    con: duckdb.DuckDBPyConnection, table: Table, day: date | None, refused: Sequence[Refused], *, run_id: str
) -> None:
    """Make ``refused`` what ``meta.quarantine`` holds of the partition ``day`` (None: of a table without dates).

    Call it in the transaction that writes the partition. Rows that are there already are left alone.
    """
    where, at = "WHERE table_name = ? AND business_date IS NOT DISTINCT FROM ?", [table.qualified, day]
    there = con.execute(f"SELECT rule, path, payload FROM meta.quarantine {where}", at).fetchall()
    if sorted(there) == sorted((*item.violation, item.payload) for item in refused):
        return
    con.execute(f"DELETE FROM meta.quarantine {where}", at)
    for item in refused:
        con.execute(
            "INSERT INTO meta.quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*at, *item.violation, item.object_key, item.payload, item.landing_file, now(), run_id],
        )


def quarantine_dates(
    con: duckdb.DuckDBPyConnection, table: Table, refused: Mapping[date, Sequence[Refused]], *, run_id: str
) -> None:
    """The same of several partitions, each with its own of ``refused``."""
    query = "SELECT DISTINCT business_date FROM meta.quarantine WHERE table_name = ?"
    there = {day for (day,) in con.execute(query, [table.qualified]).fetchall()}
    for day, items in refused.items():
        if items or day in there:
            quarantine(con, table, day, items, run_id=run_id)


def quarantine_objects(
    con: duckdb.DuckDBPyConnection, table: RawTable, refused: Sequence[Refused], *, within: str, run_id: str
) -> None:
    """Add ``refused`` to what ``meta.quarantine`` holds of ``table``, and take out what ``incoming`` has in order.

    For a table of which each load reads a part: what an earlier one refused stays until it is sent in order. ``within``
    is the landing folder of all loads of the same part. Call it in the transaction that writes the rows; ``incoming``
    is the temporary table with the load's good objects.
    """
    where, at = "WHERE table_name = ? AND starts_with(_landing_file, ?)", [table.qualified, within]
    mended = f'SELECT CAST("{table.object_key[0]}" AS VARCHAR) FROM incoming'
    con.execute(f"DELETE FROM meta.quarantine {where} AND object_key IN ({mended})", at)
    for item in refused:
        known = f"SELECT 1 FROM meta.quarantine {where} AND rule = ? AND path = ? AND payload = ?"
        if con.execute(known, [*at, *item.violation, item.payload]).fetchall():
            continue
        con.execute(f"DELETE FROM meta.quarantine {where} AND object_key = ?", [*at, item.object_key])
        con.execute(
            "INSERT INTO meta.quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [table.qualified, None, *item.violation, item.object_key, item.payload, item.landing_file, now(), run_id],
        )


def quarantined_elsewhere(con: duckdb.DuckDBPyConnection, table: Table, dates: Sequence[date]) -> set[str]:
    """Payloads of the refused objects of ``table`` that stand with other dates than ``dates``."""
    rows = con.execute(
        "SELECT DISTINCT payload FROM meta.quarantine WHERE table_name = ? AND NOT list_contains(?, business_date)",
        [table.qualified, list(dates)],
    ).fetchall()
    return {payload for (payload,) in rows}


def quarantined(con: duckdb.DuckDBPyConnection, table: Table) -> set[str]:
    """Payloads of the refused objects of ``table``."""
    rows = con.execute("SELECT payload FROM meta.quarantine WHERE table_name = ?", [table.qualified]).fetchall()
    return {payload for (payload,) in rows}


def drift(con: duckdb.DuckDBPyConnection, table: Table, paths: Iterable[str], *, run_id: str) -> None:
    """Record the dotted ``paths`` of undocumented fields, each the first time that it is seen."""
    for path in sorted(paths):
        con.execute(
            "INSERT INTO meta.drift SELECT ?, ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM meta.drift WHERE table_name = ? AND path = ?)",
            [table.qualified, path, now(), run_id, table.qualified, path],
        )
