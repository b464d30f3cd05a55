"""The marts that put the tills' own z-reports beside the orders, and the measures that are compared."""

from __future__ import annotations

from sitoo_pipeline.tables.marts_columns import ACCOUNT, CURRENCY, STORE
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import BIGINT, DATE, INTEGER, MONEY, TEXT

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
