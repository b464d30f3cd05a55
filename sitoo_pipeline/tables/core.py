"""``core``: typed rows of one grain each, Sitoo's names in snake_case.

The tables are declared by subject in ``core_orders``, ``core_stock``, ``core_reference`` and ``z_reports``. A column
with a ``source`` is read from the raw object as it is; the others are worked out by the transforms.
"""

from __future__ import annotations

from sitoo_pipeline.tables.core_orders import LINE_HINTS, ORDER_HINTS, ORDER_LINES, ORDER_PAYMENTS, ORDERS
from sitoo_pipeline.tables.core_reference import (
    PRODUCT_GROUP_TYPE,
    PRODUCT_GROUPS,
    PRODUCTS,
    REFERENCE,
    REGISTERS,
    STORES,
    WAREHOUSES,
)
from sitoo_pipeline.tables.core_stock import STOCK_MOVEMENTS
from sitoo_pipeline.tables.core_visitors import VISITORS
from sitoo_pipeline.tables.z_reports import CHILDREN, Z_REPORTS

TABLES = (ORDERS, ORDER_LINES, ORDER_PAYMENTS, Z_REPORTS, *CHILDREN, STOCK_MOVEMENTS, *REFERENCE)
"""The tables of every account. Beside them there is ``VISITORS``, where the account has a source of them."""

__all__ = [
    "LINE_HINTS",
    "ORDERS",
    "ORDER_HINTS",
    "ORDER_LINES",
    "ORDER_PAYMENTS",
    "PRODUCTS",
    "PRODUCT_GROUPS",
    "PRODUCT_GROUP_TYPE",
    "REFERENCE",
    "REGISTERS",
    "STOCK_MOVEMENTS",
    "STORES",
    "TABLES",
    "VISITORS",
    "WAREHOUSES",
    "Z_REPORTS",
]
