"""``core``: stock movements."""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column, Entries, Table
from sitoo_pipeline.tables.types import BIGINT, DATE, INSTANT, INTEGER, MONEY, QUANTITY, TEXT

STOCK_MOVEMENTS = Table(
    "core",
    "stock_movements",
    "Items of the warehouse transactions: what moved in or out of a warehouse, when and why.",
    (
        Column(
            "warehouse_transaction_id",
            BIGINT,
            "Warehouse transaction",
            nullable=False,
            source="o.warehousetransactionid",
        ),
        Column("item_no", INTEGER, "Position of the item in its transaction, from 0", nullable=False, source="n"),
        Column(
            "business_date", DATE, "Date of the movement in the store's zone", nullable=False, source="o.business_date"
        ),
        Column("moved_at", INSTANT, "When it was booked", source="o.datecreated"),
        Column("warehouse_id", INTEGER, "Warehouse, Sitoo's number", nullable=False, source="o.warehouseid"),
        Column("store_id", TEXT, "External id of the warehouse's store, or 'unknown'", nullable=False),
        Column(
            "transaction_type",
            INTEGER,
            "10 in, 20 out, 30 sale, 40 refund, 50 stocktaking; others exist",
            source="o.transactiontype",
        ),
        Column("movement", TEXT, "The type in words: in, out, sold, refunded, stocktaking or other", nullable=False),
        Column("order_delivery_id", BIGINT, "The order delivery behind a sale or refund", source="o.orderdeliveryid"),
        Column("shipment_id", BIGINT, "The shipment behind it", source="o.shipmentid"),
        Column("external_id", TEXT, "Its id in another system", source="nullif(o.externalid, '')"),
        Column("reason_code", TEXT, "Reason given", source="nullif(o.reasoncode, '')"),
        Column("sku", TEXT, "Article number", source="nullif(i.sku, '')"),
        Column("decimal_quantity", QUANTITY, "Change of the stock, signed", source="i.decimalquantity"),
        Column("decimal_total", QUANTITY, "Stock after it; can be negative", source="i.decimaltotal"),
        Column("money_price_in", MONEY, "Purchase price per unit; 0.00 where there is none", source="i.moneypricein"),
        Column("money_value", MONEY, "Change of the stock's value, signed", source="i.moneyvalue"),
        Column("money_total", MONEY, "Value of the stock after it", source="i.moneytotal"),
    ),
    key=("warehouse_transaction_id", "item_no"),
    entries=(Entries("items"),),
)
