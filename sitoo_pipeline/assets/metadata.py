"""What the UI shows of a table: its columns before the first run, its rows and the day's figures after each.

Only numbers and texts that identify nobody. Amounts carry their currency in the name, because two currencies are never
added.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.tables.lineage import in_words, origins
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import MONEY, PERCENT, QUANTITY
from sitoo_pipeline.warehouse import Loaded

NOTES = "notes"
"""Metadata of a date that a person should see also on the command line: what was left out, and what is new."""

_KIND_TAGS = {MONEY: "money", QUANTITY: "quantity", PERCENT: "percent"}


@cache
def column_schema(table: Table) -> dg.TableSchema:
    """The Columns tab: type, meaning, formula, and tags for money, quantities and personal data."""
    return dg.TableSchema(columns=[_column(table, column) for column in table.all_columns])


def _column(table: Table, column: Column) -> dg.TableColumn:
    tags = {"personal_data": ""} if column.personal else {}
    for tagged, tag in _KIND_TAGS.items():
        if column.type is tagged:
            tags[tag] = ""
    parts = [column.description, f"Formula: {column.formula}" if column.formula else ""]
    made_from = in_words(origins(table).get(column.name, ()))
    said = ". ".join(part for part in [*parts, f"From {made_from}" if made_from else ""] if part)
    kind = column.type.sql if len(column.type.sql) < 60 else column.type.kind
    return dg.TableColumn(
        name=column.name,
        type=kind,
        description=said,
        tags=tags,
        constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=table.key == (column.name,)),
    )


def column_lineage(account: str, table: Table, deps: Collection[dg.AssetKey]) -> dg.TableColumnLineage:
    """Which columns of which assets each column is made from. Visitors are not an asset of every account."""
    found = {
        name: [
            dg.TableColumnDep(asset, column)
            for of, column in made_from
            if (asset := dg.AssetKey([account, of.layer, of.name])) in deps or of is not core.VISITORS
        ]
        for name, made_from in origins(table).items()
    }
    return dg.TableColumnLineage({name: made_from for name, made_from in found.items() if made_from})


def definition_metadata(account: str, table: Table, deps: Collection[dg.AssetKey]) -> dict[str, Any]:
    """What is known of a table before it has any rows."""
    known: dict[str, Any] = {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": table.qualified,
        "one_row_per": ", ".join(table.key) or "entry",
    }
    if origins(table):
        # Dagster's open-source UI draws no lineage of columns. Other tools read it; people read the Columns tab.
        known["dagster/column_lineage"] = column_lineage(account, table, deps)
    if table.documentation:
        known["documentation"] = dg.MetadataValue.url(table.documentation)
    return known


def table_rows(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Rows of the whole table."""
    return int(con.execute(f"SELECT count(*) FROM {table.qualified}").fetchall()[0][0])


def load_metadata(loaded: Loaded, total_rows: int) -> dict[str, Any]:
    """What every load of a partition says."""
    said: dict[str, Any] = {
        "dagster/row_count": total_rows,
        "dagster/partition_row_count": loaded.rows or 0,
        "changed": loaded.changed,
    }
    if loaded.requests is not None:
        said["quarantined"] = loaded.quarantined
        said["requests"] = loaded.requests
    return said


_SUMMED = ("gross_sales", "net_sales", "discounts", "returns", "transactions", "goods_sold", "goods_returned")


def day_totals(table: Table, frame: pl.DataFrame) -> Mapping[date, dict[str, Any]]:
    """The day's business totals of a mart, per date; empty for a table that has none."""
    if table in (marts.HOURLY_SALES, marts.DAILY_SALES, marts.WEEKLY_BALANCE_HOURLY):
        totals = (
            frame.group_by("business_date", "currency").agg(pl.col(*_SUMMED).sum()).sort("business_date", "currency")
        )
        return _by_date(totals)
    if table is marts.Z_REPORT_RECONCILIATION:
        return _reconciliation_totals(frame)
    if table is marts.STOCK_RECONCILIATION:
        return _stock_totals(frame)
    return {}


def _by_date(totals: pl.DataFrame) -> dict[date, dict[str, Any]]:
    found: dict[date, dict[str, Any]] = {}
    for row in totals.iter_rows(named=True):
        day = found.setdefault(row["business_date"], {})
        for measure in _SUMMED:
            money = isinstance(row[measure], Decimal)
            name = f"{measure}_{row['currency']}" if money else measure
            value = (
                float(row[measure]) if money else row[measure]
            )  # the UI plots numbers; the tables keep the exact ones
            day[name] = value if money else day.get(name, 0) + value
    return found


def _reconciliation_totals(frame: pl.DataFrame) -> dict[date, dict[str, Any]]:
    """Rows per status, registers that do not balance, and by how much they are off in gross sales and returns."""
    statuses = ("balanced", "unbalanced", "missing_z_report", "partly_loaded")
    is_off = pl.col("status") == "unbalanced"
    days = (
        frame.group_by("business_date")
        .agg(
            *((pl.col("status") == status).sum().alias(status) for status in statuses),
            pl.col("register_id").filter(is_off).n_unique().alias("unbalanced_registers"),
        )
        .sort("business_date")
    )
    found: dict[date, dict[str, Any]] = {row.pop("business_date"): row for row in days.iter_rows(named=True)}
    off_by = (pl.col("diff_gross_sales").abs() + pl.col("diff_returns").abs()).filter(is_off).sum()
    sums = frame.group_by("business_date", "currency").agg(off_by.alias("off_by")).sort("business_date", "currency")
    for day, currency, difference in sums.iter_rows():
        found[day][f"difference_{currency}"] = float(difference)  # the UI plots numbers; the table keeps the exact one
    return found


def _stock_totals(frame: pl.DataFrame) -> dict[date, dict[str, Any]]:
    """How many SKUs of a store and side there are, how many differ and from which cause, and what is left of it all."""
    causes = {f"differ_{cause}": (pl.col("cause") == cause).sum() for cause in marts.STOCK_CAUSES}
    counted = (
        frame.group_by("business_date")
        .agg(
            skus=pl.len(),
            differ=pl.col("cause").count(),
            **causes,
            unexplained_goods=pl.col("unexplained_goods").abs().sum().cast(pl.Float64),
        )
        .sort("business_date")
    )
    return {row.pop("business_date"): row for row in counted.iter_rows(named=True)}
