"""Which columns a column of ``core`` and ``marts`` is made from.

Where a column has a ``source``, that says it; of all others it is said here, beside each other, since most columns of a
mart are made from the same few. Named are the columns whose values are in the result or decide about it. What decides
whether a row is there at all (``core.orders.counts``) is not named with each of its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from sitoo_pipeline.tables import core, marts, raw
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.z_reports import CHILDREN

Origins = tuple[tuple[Table, str], ...]
"""Columns, each with its table."""

RAW: Mapping[Table, Table] = {
    core.ORDERS: raw.ORDERS,
    core.ORDER_LINES: raw.ORDERS,
    core.ORDER_PAYMENTS: raw.ORDERS,
    core.Z_REPORTS: raw.Z_REPORTS,
    **dict.fromkeys(CHILDREN, raw.Z_REPORTS),
    core.STOCK_MOVEMENTS: raw.WAREHOUSE_TRANSACTIONS,
    core.STORES: raw.STORES,
    core.WAREHOUSES: raw.WAREHOUSES,
    core.REGISTERS: raw.CASH_REGISTERS,
    core.PRODUCT_GROUPS: raw.PRODUCT_GROUPS,
    core.PRODUCTS: raw.PRODUCTS,
}
"""The raw table that the columns of a core table with a ``source`` are read from."""

_MADE_BY_US = frozenset({"account"})
"""Columns with the name of the account in the settings: nothing of Sitoo's is in them."""

_O, _L, _Z, _M, _V = core.ORDERS, core.ORDER_LINES, core.Z_REPORTS, core.STOCK_MOVEMENTS, core.VISITORS
_H, _D = marts.HOURLY_SALES, marts.DAILY_SALES


def _of(table: Table, *names: str) -> Origins:
    return tuple((table, name) for name in names)


def _same(table: Table, names: Iterable[str]) -> dict[str, Origins]:
    """Columns that are called as the one that they come from."""
    return {name: _of(table, name) for name in names}


_GROSS, _NET = (_of(_L, f"money_item_total_{name}", "side", "is_gift_card") for name in ("gross", "net"))
_GOODS = _of(_L, "goods", "side", "is_gift_card")
_SALES: dict[str, Origins] = {
    "gross_sales": _GROSS,
    "net_sales": _NET,
    "vat": _of(_L, "money_item_total_gross", "money_item_total_net", "side", "is_gift_card"),
    "discounts": _of(_L, "discount_gross", "side", "is_gift_card"),
    "returns": _GROSS,
    "returns_net": _NET,
    "gift_card_sales": _of(_L, "money_item_total_gross", "is_gift_card"),
    "roundoff": _of(_O, "money_total_gross_roundoff"),
    "transactions": _of(_L, "order_id", "side"),
    "return_transactions": _of(_L, "order_id", "side"),
    "goods_sold": _GOODS,
    "goods_returned": _GOODS,
}
_PLACE = _same(_O, ("store_id", "store_name", "channel", "currency", "business_date"))

# Gift cards are in the till's figures, so that it is not asked whether a line is one.
_IN_GROSS, _IN_NET, _IN_GOODS = (
    _of(_L, name, "side") for name in ("money_item_total_gross", "money_item_total_net", "goods")
)
_COVERED: dict[str, tuple[str, Origins]] = {
    "gross_sales": ("money_sales_total", _IN_GROSS),
    "net_sales": ("money_sales_total_net", _IN_NET),
    "goods_sold": ("num_sales_items", _IN_GOODS),
    "returns": ("money_refund_total", _IN_GROSS),
    "goods_returned": ("num_refund_items", _IN_GOODS),
    "discounts": ("money_discount", _of(_L, "discount_gross", "side")),
    "roundoff": ("money_roundoff", _of(_O, "money_total_gross_roundoff")),
    "numsales": ("num_sales", _of(_L, "order_id", "side")),
    "numrefund": ("num_refund", _of(_L, "order_id", "side")),
}
"""A reconciled measure: the z-report's figure, and what ours is made from."""

_PERIOD = (*_of(_Z, "opened_at", "closed_at"), *_of(_O, "ordered_at", "register_id", "currency"))
_BOTH = {name: (*_of(_Z, name), *_of(_O, name)) for name in ("store_id", "register_id", "business_date", "currency")}
_RECONCILED: dict[str, Origins] = {
    **_BOTH,
    "z_report_id": _of(_Z, "z_report_id"),
    "status": (
        *dict.fromkeys(origin for figure, ours in _COVERED.values() for origin in (*_of(_Z, figure), *ours, *_PERIOD)),
    ),
    **{f"z_{name}": _of(_Z, figure) for name, (figure, _) in _COVERED.items()},
    **{f"ours_{name}": (*ours, *_PERIOD) for name, (_, ours) in _COVERED.items()},
    **{f"diff_{name}": (*_of(_Z, figure), *ours, *_PERIOD) for name, (figure, ours) in _COVERED.items()},
}

_STORE_OF_ORDER = (
    *_of(raw.ORDERS, "additionaldata", "registerid", "warehouseid"),
    *_of(core.REGISTERS, "register_id", "store_id"),
    *_of(core.WAREHOUSES, "warehouse_id", "store_id"),
)
_ZONE_OF_ORDER = (*_of(raw.ORDERS, "additionaldata"), *_STORE_OF_ORDER[1:])
_PRODUCT_LINE = _of(raw.ORDERS, "orderitems")
_QUANTITY = "decimal_quantity"
_SIDES = (*_of(_L, "goods", "quantity", "decimal_quantity_total"), *_of(_M, _QUANTITY, "movement"))
_ARTICLE = {"sku": (*_of(_L, "sku"), *_of(_M, "sku")), "side": (*_of(_L, "side"), *_of(_M, "movement"))}
_WHY = (
    *_SIDES,
    *_of(_L, "product_group_name", "return_warehouse_id", "is_gift_card"),
    *_of(_O, "order_state_id", "channel", "warehouse_id", "delivery_ignores_stock", "business_date"),
    *_of(core.PRODUCT_GROUPS, "name", "product_group_type"),
)
_MOVED = ("sold", "refunded", "in", "out", "stocktaking", "other")

COMPUTED: Mapping[Table, Mapping[str, Origins]] = {
    core.ORDERS: {
        "timezone": _ZONE_OF_ORDER,
        "hour_start": (*_of(raw.ORDERS, "orderdate"), *_ZONE_OF_ORDER),
        "local_hour": (*_of(raw.ORDERS, "orderdate"), *_ZONE_OF_ORDER),
        "store_id": _STORE_OF_ORDER,
        "store_name": (*_STORE_OF_ORDER, *_of(core.STORES, "store_id", "name")),
        "channel": _of(raw.ORDERS, "registerid"),
        "counts": _of(raw.ORDERS, "ordertypeid", "orderstateid", "paymentstateid"),
        "not_counted_reason": _of(raw.ORDERS, "ordertypeid", "orderstateid", "paymentstateid"),
    },
    core.ORDER_LINES: {
        **dict.fromkeys(("money_item_total_gross", "product_line_no", "side"), _PRODUCT_LINE),
        **dict.fromkeys(("goods", "discount_gross"), _PRODUCT_LINE),
        "is_gift_card": (
            *_PRODUCT_LINE,
            *_of(core.PRODUCT_GROUPS, "name", "product_group_type"),
            *_of(core.PRODUCTS, "eshop_id", "product_id", "product_group_type"),
        ),
    },
    core.STOCK_MOVEMENTS: {
        "store_id": (
            *_of(raw.WAREHOUSE_TRANSACTIONS, "warehouseid"),
            *_of(core.WAREHOUSES, "warehouse_id", "store_id"),
        ),
        "movement": _of(raw.WAREHOUSE_TRANSACTIONS, "transactiontype"),
    },
    core.STORES: {
        "timezone": _of(raw.STORES, "externalid"),
        "currency": (
            *_of(raw.WAREHOUSES, "warehouseid", "storeid", "currencycode"),
            *_of(raw.CASH_REGISTERS, "registerid", "warehouseid", "currencycode"),
        ),
    },
    core.WAREHOUSES: {"store_id": (*_of(raw.WAREHOUSES, "storeid"), *_of(raw.STORES, "storeid", "externalid"))},
    core.REGISTERS: {
        "store_id": (
            *_of(raw.CASH_REGISTERS, "warehouseid"),
            *_of(raw.WAREHOUSES, "warehouseid", "storeid"),
            *_of(raw.STORES, "storeid", "externalid"),
        )
    },
    core.PRODUCTS: {
        "product_group_name": (*_of(raw.PRODUCTS, "vatid"), *_of(raw.PRODUCT_GROUPS, "vatid", "productgroupname")),
        "product_group_type": (
            *_of(raw.PRODUCTS, "vatid", "productgrouptype"),
            *_of(raw.PRODUCT_GROUPS, "vatid", "productgrouptype"),
        ),
    },
    core.VISITORS: {
        **_same(raw.VISITORS, ("store_id", "business_date", "period", "visitors")),
        **dict.fromkeys(("starts_at", "local_hour"), (*_of(raw.VISITORS, "period"), *_of(_O, "timezone"))),
        "timezone": (*_of(raw.VISITORS, "store_id"), *_of(_O, "timezone")),
    },
    marts.HOURLY_SALES: {
        **_PLACE,
        **_same(_O, ("hour_start", "local_hour")),
        **_SALES,
        "visitors": _of(_V, "visitors"),
    },
    marts.DAILY_SALES: {
        **_same(_H, (name for name in _D.names if name not in _MADE_BY_US)),
        "visitors": (*_of(_H, "visitors"), *_of(_V, "visitors", "period")),
    },
    marts.REGISTER_SALES: {**_same(_O, ("store_id", "register_id", "currency", "business_date")), **_SALES},
    marts.WEEKLY_BALANCE_HOURLY: {
        "store_id": (*_of(_H, "store_id"), *_of(core.STORES, "store_id")),
        "currency": (*_of(_H, "currency"), *_of(core.STORES, "currency")),
        "business_date": _of(_H, "business_date"),
        "hour": _of(_H, "local_hour"),
        **_same(_H, (name for name in marts.WEEKLY_BALANCE_HOURLY.names[5:])),
    },
    marts.Z_REPORT_RECONCILIATION: _RECONCILED,
    marts.Z_REPORT_ORDERS: {
        **{name: of for name, of in _RECONCILED.items() if name in marts.Z_REPORT_ORDERS.names},
        **_same(_O, ("order_id", "receipt_id", "ordered_at")),
        **{f"order_{name}": ours for name, (_, ours) in _COVERED.items()},
    },
    marts.STOCK_MOVEMENTS_DAILY: {
        **_same(_M, ("store_id", "warehouse_id", "business_date", "sku")),
        **{f"quantity_{cause}": _of(_M, _QUANTITY, "movement") for cause in _MOVED},
        "quantity_change": _of(_M, _QUANTITY),
        "money_value_change": _of(_M, "money_value"),
        "movements": _of(_M, "warehouse_transaction_id", "item_no"),
    },
    marts.STOCK_RECONCILIATION: {
        "store_id": (*_of(_O, "store_id"), *_of(_M, "store_id")),
        "business_date": (*_of(_O, "business_date"), *_of(_M, "business_date")),
        **_ARTICLE,
        "ours_goods": _of(_L, "goods", "quantity", "decimal_quantity_total", "side"),
        "stock_goods": _of(_M, _QUANTITY, "movement"),
        "diff_goods": _SIDES,
        "cause": _WHY,
        "unexplained_goods": _WHY,
        "orders": _of(_L, "order_id"),
        "transactions": _of(_M, "warehouse_transaction_id"),
    },
}  # fmt: skip
"""Of each table, what its columns without a ``source`` are made from."""


@cache
def origins(table: Table) -> Mapping[str, Origins]:
    """The columns that each column of ``table`` is made from, in the order of the table; without those of none."""
    found = {column.name: _origins(table, column) for column in table.columns}
    return {name: of for name, of in found.items() if of}


def in_words(found: Origins) -> str:
    """``core.orders: store_id, currency; core.stores: currency``."""
    tables = dict.fromkeys(table for table, _ in found)
    return "; ".join(f"{each.qualified}: {', '.join(name for of, name in found if of is each)}" for each in tables)


def _origins(table: Table, column: Column) -> Origins:
    if column.source is None and column.name not in COMPUTED.get(table, {}):
        return _of(RAW[table], *(entries.field for entries in table.entries)) if column.name == "side" else ()
    if column.source is None:
        return tuple(dict.fromkeys(COMPUTED[table][column.name]))
    fields = re.findall(r"\bo\.(\w+)", column.source)
    if re.search(r"\bi\.|^n$", column.source):
        fields += [entries.field for entries in table.entries]
    return _of(RAW[table], *dict.fromkeys(fields))
