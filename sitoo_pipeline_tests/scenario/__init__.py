"""One awkward account: every case that the figures must get right, as Sitoo would answer it, each part with a name.

Used wherever a test wants real trouble: against the transforms, and end to end over HTTP. What comes out is not
written here but worked out by ``oracle`` in plain Python.
"""

from __future__ import annotations

from datetime import date

from sitoo_pipeline_tests.scenario.objects import Json
from sitoo_pipeline_tests.scenario.orders import PARTS
from sitoo_pipeline_tests.scenario.shops import (
    ACCOUNT_TIMEZONE,
    PRODUCT_GROUPS,
    REGISTERS,
    STORE_TIMEZONES,
    STORES,
    WAREHOUSES,
)
from sitoo_pipeline_tests.scenario.stock import STOCK_ORDER_PARTS, STOCK_TRANSACTION_PARTS
from sitoo_pipeline_tests.scenario.tills import TRANSACTION_PARTS, Z_PARTS

ACCOUNT = "kedjan"
START_DATE = date(2026, 3, 28)
DATES = (date(2026, 3, 28), date(2026, 3, 29), *(date(2026, 10, day) for day in range(23, 28)))
"""The business dates that are loaded: both clock changes and what is around them. 27 October sells nothing."""

ORDERS: list[Json] = [order for part in (PARTS | STOCK_ORDER_PARTS).values() for order in part]
Z_REPORTS: list[Json] = [report for part in Z_PARTS.values() for report in part]
WAREHOUSE_TRANSACTIONS: list[Json] = [
    item for part in (TRANSACTION_PARTS | STOCK_TRANSACTION_PARTS).values() for item in part
]

OBJECTS: dict[str, list[Json]] = {
    "orders": ORDERS,
    "z_reports": Z_REPORTS,
    "warehouse_transactions": WAREHOUSE_TRANSACTIONS,
    "stores": STORES,
    "warehouses": WAREHOUSES,
    "registers": REGISTERS,
    "product_groups": PRODUCT_GROUPS,
}

__all__ = [
    "ACCOUNT",
    "ACCOUNT_TIMEZONE",
    "DATES",
    "OBJECTS",
    "ORDERS",
    "PARTS",
    "PRODUCT_GROUPS",
    "REGISTERS",
    "START_DATE",
    "STOCK_ORDER_PARTS",
    "STOCK_TRANSACTION_PARTS",
    "STORES",
    "STORE_TIMEZONES",
    "TRANSACTION_PARTS",
    "WAREHOUSES",
    "WAREHOUSE_TRANSACTIONS",
    "Z_PARTS",
    "Z_REPORTS",
]
