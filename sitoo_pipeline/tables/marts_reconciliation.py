"""The marts that put the tills' own z-reports beside the orders, and the measures that are compared."""

from __future__ import annotations

from dataclasses import replace

from sitoo_pipeline.tables.marts_columns import ACCOUNT, CURRENCY, STORE
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import BIGINT, DATE, INSTANT, INTEGER, MONEY, TEXT

RECONCILED_MONEY = ("gross_sales", "net_sales", "returns", "discounts", "roundoff")
RECONCILED_COUNTS = ("goods_sold", "goods_returned", "numsales", "numrefund")
RECONCILED = (
    "gross_sales",
    "net_sales",
    "goods_sold",
    "returns",
    "goods_returned",
    "discounts",
    "roundoff",
    "numsales",
    "numrefund",
)

_SAID = {
    "gross_sales": "sales including VAT, gift cards included",
    "net_sales": "sales excluding VAT, gift cards included",
    "goods_sold": "pieces sold, gift cards included",
    "returns": "returns including VAT, positive",
    "goods_returned": "pieces taken back, positive",
    "discounts": "discounts on sales including VAT",
    "roundoff": "cash rounding",
    "numsales": "orders with a sale line",
    "numrefund": "orders with a return line",
}


def _reconciled(prefix: str, words: str) -> tuple[Column, ...]:
    return tuple(
        Column(
            f"{prefix}_{measure}",
            MONEY if measure in RECONCILED_MONEY else INTEGER,
            f"{words}: {_SAID[measure]}",
            nullable=prefix != "ours",
            formula=f"z_{measure} - ours_{measure}" if prefix == "diff" else None,
        )
        for measure in RECONCILED
    )


Z_REPORT_RECONCILIATION = Table(
    "marts",
    "z_report_reconciliation",
    "Each z-report against the orders of its register and period, and the orders that no z-report covers.",
    (
        ACCOUNT,
        STORE,
        Column("register_id", TEXT, "Register (till), Sitoo's id in braces", nullable=False),
        Column("z_report_id", BIGINT, "Number of the z-report on its register; null for orders without one"),
        Column("business_date", DATE, "Date on which the z-report was closed, in the store's zone", nullable=False),
        CURRENCY,
        Column("status", TEXT, "balanced, unbalanced, missing_z_report or partly_loaded", nullable=False),
        *_reconciled("z", "The z-report"),
        *_reconciled("ours", "The orders"),
        *_reconciled("diff", "z-report less orders"),
    ),
    key=("register_id", "z_report_id", "business_date", "currency"),
)

REPEATED = ("gross_sales", "returns")
"""Measures of the z-report as a whole that stand beside each of its orders."""


def _repeated() -> tuple[Column, ...]:
    of_all = {column.name: column for column in Z_REPORT_RECONCILIATION.columns}
    names = [f"{side}_{measure}" for measure in REPEATED for side in ("z", "ours", "diff")]
    return tuple(
        replace(of_all[name], description=f"{of_all[name].description}. Of the whole z-report, repeated on each row")
        for name in names
    )


Z_REPORT_ORDERS = Table(
    "marts",
    "z_report_orders",
    "The orders behind each row of z_report_reconciliation; a z-report that covers no order has one row without.",
    (
        *Z_REPORT_RECONCILIATION.columns[:7],
        *_repeated(),
        Column("order_id", BIGINT, "Order, Sitoo's number; null for a z-report that covers no order"),
        Column("receipt_id", TEXT, "Number printed on the receipt"),
        Column("ordered_at", INSTANT, "When it was sold; null for a z-report that covers no order"),
        *(
            Column(
                f"order_{measure}",
                MONEY if measure in RECONCILED_MONEY else INTEGER,
                f"Share of this order in ours_{measure}: {_SAID[measure]}",
                nullable=False,
            )
            for measure in RECONCILED
        ),
    ),
    key=("register_id", "z_report_id", "business_date", "currency", "order_id"),
)
