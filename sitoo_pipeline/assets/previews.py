"""What the UI shows of a date's rows: a few of them as a table, without personal data, and its sales as a picture.

Few rows and small pictures on purpose: both are kept in Dagster's history for each load of each date.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sitoo_pipeline.reporting.day_pictures import pictures_of_dates, pictures_of_hours
from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.warehouse.ledger import loaded_dates

_log = logging.getLogger(__name__)

ROWS = 10
"""Rows of a preview. Dagster keeps the name of each column with each row of it."""

PICTURE_BYTES = 24_000
"""A picture that were longer is left out: none with as many charts as ``day_pictures`` makes is."""

Metadata = dict[str, Any]


@dataclass(frozen=True)
class Preview:
    """Which rows and columns of a table are shown: the first by ``by``, else by the key, in which frames come."""

    columns: tuple[str, ...]
    by: tuple[pl.Expr, ...] = ()


_BUSIEST = (-pl.col("transactions"),)
_IS_BALANCED = pl.col("status") == "balanced"
_SALES = ("gross_sales", "net_sales", "transactions", "goods_sold", "returns", "discounts", "goods_returned")

PREVIEWS: Mapping[Table, Preview] = {
    core.ORDERS: Preview(
        ("order_id", "ordered_at", "store_id", "channel", "register_id", "currency", "counts", "not_counted_reason",
         "money_total_net", "money_total_vat", "money_total_gross_all"),
    ),
    core.ORDER_LINES: Preview(
        ("order_id", "line_no", "side", "sku", "product_name", "product_group_name", "quantity", "is_gift_card",
         "money_item_total_net", "money_item_total_vat", "money_item_total_gross", "goods", "discount_gross"),
    ),
    core.Z_REPORTS: Preview(
        ("store_id", "register_id", "z_report_id", "opened_at", "closed_at", "currency", "money_sales_total",
         "money_refund_total", "money_discount", "num_sales", "num_sales_items"),
    ),
    core.STOCK_MOVEMENTS: Preview(
        ("warehouse_transaction_id", "item_no", "moved_at", "store_id", "movement", "sku", "decimal_quantity",
         "money_value"),
    ),
    marts.HOURLY_SALES: Preview(("store_id", "channel", "currency", "local_hour", *_SALES), _BUSIEST),
    marts.DAILY_SALES: Preview(("store_id", "channel", "currency", *_SALES), _BUSIEST),
    marts.REGISTER_SALES: Preview(("store_id", "register_id", "currency", *_SALES), _BUSIEST),
    marts.WEEKLY_BALANCE_HOURLY: Preview(("store_id", "currency", "hour", *_SALES, "visitors"), _BUSIEST),
    marts.Z_REPORT_RECONCILIATION: Preview(
        ("store_id", "register_id", "z_report_id", "currency", "status", "z_gross_sales", "ours_gross_sales",
         "diff_gross_sales", "diff_returns", "diff_discounts", "diff_goods_sold"),
        (_IS_BALANCED, -pl.col("diff_gross_sales").abs()),
    ),
    marts.Z_REPORT_ORDERS: Preview(
        ("store_id", "register_id", "z_report_id", "status", "currency", "diff_gross_sales", "order_id", "ordered_at",
         "order_gross_sales", "order_returns"),
        (_IS_BALANCED,),
    ),
    marts.STOCK_MOVEMENTS_DAILY: Preview(
        ("store_id", "warehouse_id", "sku", "quantity_sold", "quantity_refunded", "quantity_in", "quantity_out",
         "quantity_change", "money_value_change", "movements"),
        (-pl.col("movements"),),
    ),
    marts.STOCK_RECONCILIATION: Preview(
        ("store_id", "sku", "side", "ours_goods", "stock_goods", "diff_goods", "cause", "unexplained_goods"),
        (-pl.col("unexplained_goods").abs(), -pl.col("diff_goods").abs()),
    ),
}  # fmt: skip
"""The rows that are worth a look come first: the busiest, those that do not agree."""

_DRAWN = {marts.HOURLY_SALES: pictures_of_hours, marts.DAILY_SALES: pictures_of_dates}


def shown(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame, figures: Mapping[date, Metadata]
) -> dict[date, Metadata]:
    """The ``figures`` of each date, with its picture before them and a preview of its rows below.

    They are ``figures`` alone, and the log says so, where neither can be made: that must not cost a load.

    Args:
        con: A connection to the warehouse, in which the dates stand already.
        table: Whose rows they are.
        frame: The rows of the dates, and perhaps of others, in the order of the key.
        figures: What else is told of a date, for each that is told of.
    """
    try:
        drawn = _DRAWN[table](con, figures, loaded=frozenset(loaded_dates(con, table))) if table in _DRAWN else {}
        pictures = {day: _picture(drawn[day], day) for day in figures if day in drawn}
        previews = _first_rows(table, frame, figures)
    except Exception as error:  # whatever it is, the rows are written
        _log.warning("%s has neither previews nor pictures this time: %s", table.qualified, type(error).__name__)
        return {day: dict(numbers) for day, numbers in figures.items()}
    return {
        day: {**pictures.get(day, {}), **numbers, **({"preview": previews[day]} if day in previews else {})}
        for day, numbers in figures.items()
    }


def _picture(svg: str, day: date) -> Metadata:
    """As an image within Markdown: the one form of a picture that the UI shows, and it needs no file."""
    packed = b64encode(svg.encode()).decode()
    if len(packed) > PICTURE_BYTES:
        return {}
    return {"picture": dg.MetadataValue.md(f"![Sales of {day}](data:image/svg+xml;base64,{packed})")}


def _first_rows(table: Table, frame: pl.DataFrame, dates: Collection[date]) -> dict[date, dg.TableMetadataValue]:
    preview = PREVIEWS.get(table)
    if preview is None:
        return {}
    rows = frame.filter(pl.col("business_date").is_in(list(dates)))
    if preview.by:
        rows = rows.sort(*preview.by, nulls_last=True, maintain_order=True)
    first = rows.group_by("business_date", maintain_order=True).head(ROWS)
    schema = dg.TableSchema([dg.TableColumn(name, table.column(name).type.kind) for name in preview.columns])
    return {
        day: dg.MetadataValue.table(
            [dg.TableRecord(_plain(row)) for row in part.select(preview.columns).iter_rows(named=True)], schema=schema
        )
        for (day,), part in first.partition_by("business_date", as_dict=True).items()
    }


def _plain(row: Mapping[str, Any]) -> dict[str, str | int | bool | None]:
    """What Dagster's tables take: money and quantities keep their decimals as text."""
    return {name: value if isinstance(value, int | bool | None) else _text(value) for name, value in row.items()}


def _text(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else str(value)
