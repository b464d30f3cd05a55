"""``marts``: the figures that analysts and targets use. The columns and their order are part of the public contract."""

from __future__ import annotations

from sitoo_pipeline.tables.marts_columns import ACCOUNT, CURRENCY, STORE
from sitoo_pipeline.tables.marts_reconciliation import (
    RECONCILED,
    RECONCILED_COUNTS,
    RECONCILED_MONEY,
    Z_REPORT_ORDERS,
    Z_REPORT_RECONCILIATION,
)
from sitoo_pipeline.tables.marts_stock import STOCK_CAUSES, STOCK_MOVEMENTS_DAILY, STOCK_RECONCILIATION
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import DATE, INSTANT, INTEGER, MONEY, TEXT

_STORE_NAME = Column("store_name", TEXT, "Name in Sitoo's list of stores, else as the order recorded it")
_CHANNEL = Column("channel", TEXT, "'pos' for a till, 'online' for the web shop and other systems", nullable=False)
_DATE = Column("business_date", DATE, "Calendar date of the sale in the store's local time", nullable=False)

_MEASURES = (
    Column(
        "gross_sales",
        MONEY,
        "Sales including VAT, gift cards left out",
        nullable=False,
        formula="sum of net + VAT over the sale lines, gift-card lines left out",
    ),
    Column(
        "net_sales",
        MONEY,
        "The same sales excluding VAT",
        nullable=False,
        formula="sum of net over the sale lines, gift-card lines left out",
    ),
    Column("vat", MONEY, "VAT of these sales", nullable=False, formula="gross_sales - net_sales"),
    Column(
        "discounts",
        MONEY,
        "Discounts given on these sales, including VAT, positive",
        nullable=False,
        formula="row discount, else unit discount x quantity x (1 + VAT), half up per line; plus discount rows",
    ),
    Column(
        "returns",
        MONEY,
        "Goods taken back, including VAT, positive, gift cards left out",
        nullable=False,
        formula="- sum of net + VAT over the return lines, gift-card lines left out",
    ),
    Column(
        "returns_net",
        MONEY,
        "The same returns excluding VAT",
        nullable=False,
        formula="- sum of net over the return lines, gift-card lines left out",
    ),
    Column(
        "gift_card_sales",
        MONEY,
        "Gift cards sold less gift cards taken back; a debt, not a sale",
        nullable=False,
        formula="sum of net + VAT over the gift-card lines",
    ),
    Column("roundoff", MONEY, "Cash rounding", nullable=False, formula="sum of the orders' round-off"),
    Column("transactions", INTEGER, "Orders with at least one sale line", nullable=False),
    Column("return_transactions", INTEGER, "Orders with at least one return line", nullable=False),
    Column(
        "goods_sold",
        INTEGER,
        "Pieces sold, gift cards left out",
        nullable=False,
        formula="sum of quantity over the product sale lines",
    ),
    Column(
        "goods_returned",
        INTEGER,
        "Pieces taken back, positive, gift cards left out",
        nullable=False,
        formula="- sum of quantity over the product return lines",
    ),
    Column("visitors", INTEGER, "Visitors counted; null where nobody counted, and online"),
)

HOURLY_SALES = Table(
    "marts",
    "hourly_sales",
    "Sales per store, channel, currency and hour. A row for each hour with an order that counts, or with visitors.",
    (
        ACCOUNT,
        STORE,
        _STORE_NAME,
        _CHANNEL,
        CURRENCY,
        _DATE,
        Column(
            "hour_start", INSTANT, "Start of the hour, an instant: the doubled autumn hour is two rows", nullable=False
        ),
        Column("local_hour", INTEGER, "Hour of the day in the store's zone, 0 to 23", nullable=False),
        *_MEASURES,
    ),
    key=("account", "store_id", "channel", "currency", "business_date", "hour_start"),
)

DAILY_SALES = Table(
    "marts",
    "daily_sales",
    "Sales per store, channel, currency and business date: hourly_sales summed over its hours. Visitors are there also "
    "where they were counted for the whole day.",
    (ACCOUNT, STORE, _STORE_NAME, _CHANNEL, CURRENCY, _DATE, *_MEASURES),
    key=("account", "store_id", "channel", "currency", "business_date"),
)

REGISTER_SALES = Table(
    "marts",
    "register_sales",
    "Sales per register (till), currency and business date. The rows of a store add up to daily_sales of channel pos.",
    (
        ACCOUNT,
        STORE,
        Column("register_id", TEXT, "Register (till) that sold it, Sitoo's id in braces", nullable=False),
        CURRENCY,
        _DATE,
        *(column for column in _MEASURES if column.name != "visitors"),
    ),
    key=("account", "store_id", "register_id", "currency", "business_date"),
)

_WEEKLY = tuple(
    Column(
        c.name,
        c.type,
        c.description if c.name != "visitors" else "Visitors counted; 0 where nobody counted in hours",
        nullable=False,
        formula=c.formula,
    )
    for c in _MEASURES
    if c.name
    in {"gross_sales", "net_sales", "discounts", "returns", "transactions", "goods_sold", "goods_returned", "visitors"}
)

WEEKLY_BALANCE_HOURLY = Table(
    "marts",
    "weekly_balance_hourly",
    "What a weekly balance takes: all 24 local hours of every store and day, zeros where nothing was sold.",
    (
        ACCOUNT,
        STORE,
        CURRENCY,
        _DATE,
        Column("hour", INTEGER, "Hour of the day in the store's zone, 0 to 23", nullable=False),
        *_WEEKLY,
    ),
    key=("account", "store_id", "currency", "business_date", "hour"),
)

TABLES = (
    HOURLY_SALES,
    DAILY_SALES,
    REGISTER_SALES,
    WEEKLY_BALANCE_HOURLY,
    Z_REPORT_RECONCILIATION,
    Z_REPORT_ORDERS,
    STOCK_MOVEMENTS_DAILY,
    STOCK_RECONCILIATION,
)

__all__ = [
    "DAILY_SALES",
    "HOURLY_SALES",
    "RECONCILED",
    "RECONCILED_COUNTS",
    "RECONCILED_MONEY",
    "REGISTER_SALES",
    "STOCK_CAUSES",
    "STOCK_MOVEMENTS_DAILY",
    "STOCK_RECONCILIATION",
    "TABLES",
    "WEEKLY_BALANCE_HOURLY",
    "Z_REPORT_ORDERS",
    "Z_REPORT_RECONCILIATION",
]
