"""The figures of a period as tables for other programs: the marts' own columns, exact, and the shop's clock beside UTC.

No audit columns: identical figures make identical files. No mart holds personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.reporting.errors import UnknownTableError
from sitoo_pipeline.reporting.figures import dates_listed
from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline.tables.types import INSTANT

EXPORTED = {table.qualified: table for table in marts.TABLES}
"""Every table that can be exported, by its name in SQL."""

USUAL = (marts.HOURLY_SALES, marts.DAILY_SALES, marts.Z_REPORT_RECONCILIATION)
"""What the report is made from: exported where no table is named."""


def tables_named(names: Sequence[str]) -> list[Table]:
    """The marts of these names, each once; ``hourly_sales`` is ``marts.hourly_sales``. The usual ones without any.

    Raises:
        UnknownTableError: there is no such mart.
    """
    found: dict[str, Table] = {}
    for name in names:
        qualified = name if name in EXPORTED else f"marts.{name}"
        if qualified not in EXPORTED:
            raise UnknownTableError(name, EXPORTED)
        found[qualified] = EXPORTED[qualified]
    return list(found.values()) or list(USUAL)


def read_table(
    con: duckdb.DuckDBPyConnection, table: Table, dates: Sequence[date], *, timezone: str, zones: Mapping[str, str]
) -> pl.DataFrame:
    """The rows of ``dates``, in the order of the table's key.

    Behind each instant (UTC) stands ``<name>_local``, the same by the clock of the shop, without a zone: for an hour
    what its orders' own zone showed, else by the store's zone (``zones``) or the account's (``timezone``).
    """
    columns = []
    for column in table.columns:
        columns.append(f'"{column.name}"')
        if column.type is INSTANT:
            columns.append(f"{_local(table, column.name, timezone, zones)} AS {column.name}_local")
    order = ", ".join(f'"{name}" NULLS LAST' for name in table.key)
    return con.sql(
        f"SELECT {', '.join(columns)} FROM {table.qualified} WHERE {table.partition} IN ({dates_listed(dates)}) "
        f"ORDER BY {order}"
    ).pl()


def _local(table: Table, name: str, timezone: str, zones: Mapping[str, str]) -> str:
    if "local_hour" in table.names:
        return "business_date + to_hours(local_hour)"
    cases = " ".join(f"WHEN {_text(store)} THEN {_text(zone)}" for store, zone in sorted(zones.items()))
    zone = f"CASE store_id {cases} ELSE {_text(timezone)} END" if cases else _text(timezone)
    return f"timezone({zone}, {name})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
