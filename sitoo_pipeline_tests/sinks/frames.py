"""Frames of the marts and of core, a few readable words per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from sitoo_pipeline.tables.core import ORDER_LINES, ORDERS
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY
from sitoo_pipeline.tables.schema import Table
from sitoo_pipeline.tables.types import MONEY

DAY = date(2024, 5, 2)
NEXT_DAY = date(2024, 5, 3)


def store_day(
    sold: Mapping[int, str], *, store: str = "1122", currency: str = "SEK", day: date = DAY, **others: Any
) -> pl.DataFrame:
    """24 hours of one store: gross sales per hour, net sales four fifths of it, one transaction each."""
    rows = []
    for hour in range(24):
        gross = Decimal(sold.get(hour, "0.00"))
        figures = {
            name: Decimal("0.00") if WEEKLY_BALANCE_HOURLY.column(name).type is MONEY else 0 for name in _MEASURES
        }
        if gross:
            figures |= {"gross_sales": gross, "net_sales": (gross * 4 / 5).quantize(Decimal("0.01")), "transactions": 1}
            figures |= others
        key = {"account": "acme", "store_id": store, "currency": currency, "business_date": day, "hour": hour}
        rows.append(key | figures)
    return pl.DataFrame(rows, schema=WEEKLY_BALANCE_HOURLY.polars_schema)


_MEASURES = [name for name in WEEKLY_BALANCE_HOURLY.names if name not in WEEKLY_BALANCE_HOURLY.key]


def orders(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of ``core.orders``: a counting sale at a till, changed by what each row says."""
    usual = {
        "ordered_at": datetime(2024, 5, 2, 8, 30, tzinfo=UTC),
        "hour_start": datetime(2024, 5, 2, 8, tzinfo=UTC),
        "timezone": "Europe/Stockholm",
        "business_date": DAY,
        "local_hour": 10,
        "store_id": "1122",
        "channel": "pos",
        "currency": "SEK",
        "counts": True,
        "money_total_gross_all": Decimal("125.00"),
        "money_total_net": Decimal("100.00"),
        "money_final_vat": Decimal("25.00"),
    }
    return _frame(ORDERS, usual, rows)


def lines(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of ``core.order_lines``: one piece sold for 125.00, changed by what each row says."""
    usual = {
        "line_no": 0,
        "business_date": DAY,
        "order_item_id": 0,
        "order_item_type": 10,
        "product_id": 77,
        "sku": "SHOE-1",
        "quantity": 1,
        "vat_percent": Decimal("25.0000"),
        "money_item_total_net": Decimal("100.00"),
        "money_item_total_vat": Decimal("25.00"),
        "money_item_total_gross": Decimal("125.00"),
        "has_gift_card_number": False,
        "product_line_no": 0,
        "side": "sale",
        "is_gift_card": False,
        "goods": 1,
        "discount_gross": Decimal("0.00"),
    }
    return _frame(ORDER_LINES, usual, rows)


def returned(**changes: Any) -> dict[str, Any]:
    """What makes a line one that came back."""
    usual = {
        "quantity": -1,
        "side": "return",
        "money_item_total_net": Decimal("-100.00"),
        "money_item_total_vat": Decimal("-25.00"),
        "money_item_total_gross": Decimal("-125.00"),
    }
    return usual | changes


def _frame(table: Table, usual: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    empty = dict.fromkeys(table.names)
    return pl.DataFrame([{**empty, **usual, **row} for row in rows], schema=table.polars_schema)
