"""The documented fields of a warehouse transaction, with its items."""

from __future__ import annotations

from sitoo_pipeline.tables.raw_fields import fields, objects
from sitoo_pipeline.tables.types import BIGINT, INSTANT, INTEGER, MONEY, QUANTITY, TEXT

_STOCK_ITEM = objects(
    fields(
        BIGINT,
        ("warehouseitemlogid", "Log entry"),
        ("warehouseitemid", "Warehouse item"),
        ("warehousetransactionid", "Transaction"),
    ),
    fields(QUANTITY, ("decimalquantity", "Change, signed"), ("decimaltotal", "Stock after")),
    fields(
        MONEY,
        ("moneypricein", "Purchase price per unit"),
        ("moneytotal", "Value after"),
        ("moneyvalue", "Change of value"),
    ),
    fields(TEXT, ("sku", "Article number")),
)
WAREHOUSE_TRANSACTION = (
    *fields(BIGINT, ("warehousetransactionid", "Number")),
    *fields(INTEGER, ("warehouseid", "Warehouse")),
    *fields(INSTANT, ("datecreated", "Booked")),
    *fields(INTEGER, ("transactiontype", "10 in, 20 out, 30 sale, 40 refund, 50 stocktaking; others exist")),
    *fields(TEXT, ("description", "Text")),
    *fields(BIGINT, ("orderdeliveryid", "Order delivery"), ("shipmentid", "Shipment")),
    *fields(TEXT, ("externalid", "Id elsewhere"), ("reasoncode", "Reason")),
    *fields(_STOCK_ITEM, ("items", "Items")),
)
