"""``core``: typed rows of one grain each, Sitoo's names in snake_case.

A column with a ``source`` is read from the raw object as it is; the others are worked out by the transforms. In a
``source`` the raw object is ``o`` and, where the table has one row per nested object, that object is ``i`` and its
position from 0 is ``n``.
"""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    MONEY,
    PERCENT,
    QUANTITY,
    TEXT,
    DataType,
)
from sitoo_pipeline.tables.z_reports import CHILDREN, Z_REPORTS

_ORDER_ID = Column("order_id", BIGINT, "Order number, unique in the account", nullable=False, source="o.orderid")
_DATE = Column(
    "business_date", DATE, "Date of the sale in the store's local time", nullable=False, source="o.business_date"
)


def _plain(name: str, source: str, kind: DataType, description: str, *, personal: bool = False) -> Column:
    return Column(name, kind, description, personal=personal, source=source)


def _extra(name: str, key: str, description: str, *, owner: str = "o", personal: bool = False) -> Column:
    """A text kept under ``key`` of ``additionaldata``; an empty text counts as absent."""
    return Column(name, TEXT, description, personal=personal, source=f"nullif({owner}.additionaldata['{key}'], '')")


ORDERS = Table(
    "core",
    "orders",
    "Orders of every kind, each with its store, business date and whether it counts as a sale (and if not, why).",
    (
        _ORDER_ID,
        _plain("eshop_id", "o.eshopid", INTEGER, "Site (e-shop) of the order"),
        _plain("external_id", "nullif(o.externalid, '')", TEXT, "The order's id in another system"),
        _plain("credit_order_id", "o.creditorderid", BIGINT, "The order that this one credits"),
        _plain("ordered_at", "o.orderdate", INSTANT, "Time of the sale at the till, also for a till that was offline"),
        Column(
            "timezone",
            TEXT,
            "Zone in which the sale is dated",
            nullable=False,
            formula="the order's pos-timezone, else the store's in the settings, else the account's",
        ),
        _DATE,
        Column("hour_start", INSTANT, "Start of the local hour of the sale, an instant", nullable=False),
        Column("local_hour", INTEGER, "Local hour of the sale, 0 to 23", nullable=False),
        Column(
            "store_id",
            TEXT,
            "External id of the store, or 'unknown'",
            nullable=False,
            formula="the order's store-externalid, else the store of its register's warehouse, else of its warehouse",
        ),
        Column("store_name", TEXT, "Name in Sitoo's list of stores, else as the order recorded it"),
        Column("channel", TEXT, "'pos' where a register sold it, else 'online'", nullable=False),
        _plain("register_id", "nullif(o.registerid, '')", TEXT, "Register (till) that sold it"),
        _plain("warehouse_id", "o.warehouseid", INTEGER, "Warehouse on which the order is registered"),
        Column(
            "currency", TEXT, "ISO 4217 code", nullable=False, source="coalesce(nullif(o.currencycode, ''), 'unknown')"
        ),
        _plain("order_type_id", "o.ordertypeid", INTEGER, "10 order, 100 booking, 110 parked cart"),
        _plain("order_state_id", "o.orderstateid", INTEGER, "0 open, 10 closed, 20 cancelled, -1 abandoned"),
        _plain(
            "payment_state_id",
            "o.paymentstateid",
            INTEGER,
            "0 none, 10 pending, 15 reserved, 20 successful, 30 cancelled, 40 failed",
        ),
        Column(
            "counts",
            BOOLEAN,
            "Whether the order counts in the figures",
            nullable=False,
            formula="type 10, not cancelled or abandoned, payment successful",
        ),
        Column("not_counted_reason", TEXT, "Why it does not count; null where it does"),
        _plain("money_total_net", "o.moneytotal_net", MONEY, "Lines, excluding VAT"),
        _plain("money_total_vat", "o.moneytotal_vat", MONEY, "VAT of the lines"),
        _plain("money_checkout_net", "o.moneycheckout_net", MONEY, "Payment fee, excluding VAT"),
        _plain("money_checkout_vat", "o.moneycheckout_vat", MONEY, "VAT of the payment fee"),
        _plain("money_delivery_net", "o.moneydelivery_net", MONEY, "Shipping fee, excluding VAT"),
        _plain("money_delivery_vat", "o.moneydelivery_vat", MONEY, "VAT of the shipping fee"),
        _plain("money_final_net", "o.moneyfinal_net", MONEY, "Lines and fees, excluding VAT"),
        _plain("money_final_vat", "o.moneyfinal_vat", MONEY, "VAT of lines and fees"),
        _plain("money_final_salestax", "o.moneyfinal_salestax", MONEY, "Sales tax (US)"),
        _plain("money_total_gross_roundoff", "o.moneytotal_gross_roundoff", MONEY, "Cash rounding"),
        _plain("money_total_gross_all", "o.moneytotal_gross_all", MONEY, "Amount to pay"),
        _extra("receipt_id", "pos-receiptid", "Number printed on the receipt"),
        _extra("original_sales_order_id", "pos-originalsales-orderid", "The purchase that is returned"),
        _extra(
            "refund_sales_order_id", "pos-refundsales-orderid", "On a return in an exchange: the purchase made with it"
        ),
        _extra("refund_order_id", "pos-refund-orderid", "On a purchase in an exchange: the return made with it"),
        _extra("source_order_id", "pos-sourceorderid", "The booking or parked cart that this order came from"),
        _extra("crm_customer_id", "crm-customerid", "Customer id in the CRM", personal=True),
        _extra("crm_member_number", "crm-membernumber", "Member number in the CRM", personal=True),
        _plain("email", "nullif(o.email, '')", TEXT, "E-mail address of the customer", personal=True),
        _plain("name_first", "nullif(o.namefirst, '')", TEXT, "First name of the customer", personal=True),
        _plain("name_last", "nullif(o.namelast, '')", TEXT, "Last name of the customer", personal=True),
        _plain("phone", "nullif(o.phone, '')", TEXT, "Telephone number of the customer", personal=True),
        _plain("checkout_type_name", "nullif(o.checkouttypename, '')", TEXT, "Way of payment as shown to people"),
        _plain("delivery_type_name", "nullif(o.deliverytypename, '')", TEXT, "Way of delivery as shown to people"),
    ),
    key=("order_id",),
)

ORDER_HINTS = (
    _extra("pos_timezone", "pos-timezone", "Zone of the till that sold it"),
    _extra("store_external_id", "store-externalid", "Store as the order recorded it"),
    _extra("store_snapshot_name", "store-name", "Name of the store as the order recorded it"),
)
"""What the transforms read of an order beside the columns of ``core.orders``: its own word on where it was sold."""

ORDER_LINES = Table(
    "core",
    "order_lines",
    "Order lines, each with its side (sale or return), whether it is a gift card, and the goods and discount.",
    (
        _ORDER_ID,
        Column("line_no", INTEGER, "Position of the line in its order, from 0", nullable=False, source="n"),
        _DATE,
        _plain("order_item_id", "i.orderitemid", INTEGER, "Sitoo's own index of the line"),
        _plain(
            "order_item_type", "i.orderitemtype", INTEGER, "10 product; any other belongs to a product line before it"
        ),
        _plain("product_id", "i.productid", BIGINT, "Product; it may have been deleted since"),
        _plain("sku", "nullif(i.sku, '')", TEXT, "Article number when it was sold"),
        _plain("product_name", "nullif(i.productname, '')", TEXT, "Name when it was sold"),
        _extra("product_group_name", "product-group-name", "Product group when it was sold", owner="i"),
        _plain("quantity", "i.quantity", INTEGER, "Pieces; negative where goods came back"),
        _plain("decimal_unit_quantity", "i.decimalunitquantity", QUANTITY, "Amount per piece of weighed goods"),
        _plain("decimal_quantity_total", "i.decimalquantitytotal", QUANTITY, "Pieces times the amount per piece"),
        _plain("vat_percent", "i.vatvalue", PERCENT, "VAT in percent"),
        _plain("money_net_price_per_unit", "i.moneynetpriceperunit", MONEY, "Unit price charged, excluding VAT"),
        _plain("money_original_price", "i.moneyoriginalprice", MONEY, "Unit price before discount, excluding VAT"),
        _plain(
            "money_discounted_price",
            "i.moneydiscountedprice",
            MONEY,
            "Unit price after discount, excluding VAT; 0.00 is not set",
        ),
        _plain("money_discount", "i.moneydiscount", MONEY, "Discount per unit, excluding VAT"),
        Column(
            "money_row_discount",
            MONEY,
            "Discount of the whole row, including VAT, where the till recorded one",
            source="try_cast(nullif(i.additionaldata['orderitem-moneyrowdiscount'], '') AS DECIMAL(18,2))",
        ),
        _plain("money_item_total_net", "i.moneyitemtotal_net", MONEY, "Row total excluding VAT; negative on returns"),
        _plain("money_item_total_vat", "i.moneyitemtotal_vat", MONEY, "VAT of the row; negative on returns"),
        Column(
            "money_item_total_gross",
            MONEY,
            "Row total including VAT",
            nullable=False,
            formula="net + VAT, null as 0.00",
        ),
        Column(
            "has_gift_card_number",
            BOOLEAN,
            "Whether the line names a gift card",
            nullable=False,
            source="coalesce(nullif(i.additionaldata['giftcard-cardnumber'], ''), '') != ''",
        ),
        _plain("voucher_code", "nullif(i.vouchercode, '')", TEXT, "Campaign or voucher"),
        _extra(
            "original_sales_order_item_id",
            "pos-originalsales-orderitemid",
            "Index of the returned line in its purchase",
            owner="i",
        ),
        _extra("return_warehouse_id", "return-warehouseid", "Warehouse that the goods came back to", owner="i"),
        _extra("return_reason_code", "reasoncode-return", "Why it was returned", owner="i"),
        Column(
            "product_line_no",
            INTEGER,
            "The product line that this line belongs to: itself, or the nearest before it",
            formula="null for a line of another type without a product line before it",
        ),
        Column("side", TEXT, "sale or return, by the sign of the product line's quantity; null for quantity 0"),
        Column(
            "is_gift_card",
            BOOLEAN,
            "Whether its product line sells a gift card",
            nullable=False,
            formula="the product line has a gift card number or its product group is of type 30",
        ),
        Column(
            "goods",
            INTEGER,
            "Pieces it counts for, positive on either side; 0 for a line that is no product",
            nullable=False,
        ),
        Column(
            "discount_gross", MONEY, "Discount it counts for, including VAT, positive; 0.00 on returns", nullable=False
        ),
    ),
    key=("order_id", "line_no"),
    unnest="orderitems",
)

ORDER_PAYMENTS = Table(
    "core",
    "order_payments",
    "Payments of the orders. A payment has no id of its own: its key is its position in the order.",
    (
        _ORDER_ID,
        Column("payment_no", INTEGER, "Position of the payment in its order, from 0", nullable=False, source="n"),
        _DATE,
        _plain("name", "i.name", TEXT, "Name of the way of payment"),
        _plain("money_amount", "i.moneyamount", MONEY, "Amount; negative on refunds"),
        _plain("card_issuer", "nullif(i.cardissuer, '')", TEXT, "Issuer of the card"),
        _plain("ref_type", "nullif(i.reftype, '')", TEXT, "Kind of the payment provider's reference"),
        _plain("ref_id", "nullif(i.refid, '')", TEXT, "The payment provider's reference"),
        _plain("external_id", "nullif(i.externalid, '')", TEXT, "The payment's id in another system"),
        Column(
            "is_virtual",
            BOOLEAN,
            "Settles two orders against each other: no real money",
            nullable=False,
            source="coalesce(lower(i.additionaldata['virtual-payment']) = 'true', false)",
        ),
    ),
    key=("order_id", "payment_no"),
    unnest="payments",
)

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
        Column("warehouse_id", INTEGER, "Warehouse, Sitoo's number", source="o.warehouseid"),
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
    unnest="items",
)

STORES = Table(
    "core",
    "stores",
    "Stores as Sitoo lists them today.",
    (
        Column("sitoo_store_id", INTEGER, "Sitoo's own number of the store", nullable=False, source="o.storeid"),
        _plain("eshop_id", "o.eshopid", INTEGER, "Site (e-shop)"),
        _plain("store_id", "nullif(o.externalid, '')", TEXT, "External id, the one that orders and z-reports name"),
        _plain("name", "o.name", TEXT, "Name of the store"),
        _plain("store_type", "o.storetype", INTEGER, "10 store, 20 outlet, 30 pop-up; others exist"),
        _plain("external_group_id", "nullif(o.externalgroupid, '')", TEXT, "Group of stores"),
        _plain("city", "nullif(o.city, '')", TEXT, "Town"),
        _plain("country_id", "nullif(o.countryid, '')", TEXT, "Country, ISO 3166 alpha-2"),
        Column("timezone", TEXT, "Zone from the settings, else the account's", nullable=False),
    ),
    key=("sitoo_store_id",),
    partition=None,
)

WAREHOUSES = Table(
    "core",
    "warehouses",
    "Warehouses as Sitoo lists them today, each with its store where it has one.",
    (
        Column("warehouse_id", INTEGER, "Sitoo's number of the warehouse", nullable=False, source="o.warehouseid"),
        _plain("name", "o.name", TEXT, "Name of the warehouse"),
        _plain("warehouse_type", "o.warehousetype", INTEGER, "10 FIFO, 20 virtual"),
        _plain("use_type", "o.usetype", INTEGER, "What it is used for"),
        _plain("sitoo_store_id", "o.storeid", INTEGER, "Sitoo's number of its store"),
        Column("store_id", TEXT, "External id of its store; null for a warehouse without one"),
        _plain("sellable", "o.sellable", BOOLEAN, "Whether its stock can be sold"),
        _plain("currency", "nullif(o.currencycode, '')", TEXT, "ISO 4217 code"),
        _plain("country_id", "nullif(o.countryid, '')", TEXT, "Country, ISO 3166 alpha-2"),
        _plain("external_id", "nullif(o.externalid, '')", TEXT, "Its id in another system"),
    ),
    key=("warehouse_id",),
    partition=None,
)

REGISTERS = Table(
    "core",
    "registers",
    "Registers (tills) as Sitoo lists them today, each with its warehouse and store.",
    (
        Column("register_id", TEXT, "Sitoo's id in braces", nullable=False, source="o.registerid"),
        _plain("register_key", "nullif(o.registerkey, '')", TEXT, "Key printed on receipts"),
        _plain("manufacturer_id", "nullif(o.manufacturerid, '')", TEXT, "Manufacturer's id"),
        _plain("currency", "nullif(o.currencycode, '')", TEXT, "ISO 4217 code"),
        _plain("country_id", "nullif(o.countryid, '')", TEXT, "Country, ISO 3166 alpha-2"),
        _plain("warehouse_id", "o.warehouseid", INTEGER, "Warehouse it sells from"),
        Column("store_id", TEXT, "External id of that warehouse's store"),
    ),
    key=("register_id",),
    partition=None,
)

PRODUCT_GROUPS = Table(
    "core",
    "product_groups",
    "Product groups with their VAT and type.",
    (
        Column("vat_id", INTEGER, "Sitoo's number of the group", nullable=False, source="o.vatid"),
        _plain("name", "o.productgroupname", TEXT, "Name, the one that order lines record"),
        _plain("vat_percent", "o.value", PERCENT, "VAT in percent"),
        _plain("product_group_type", "o.productgrouptype", INTEGER, "10 product, 20 service, 30 gift card"),
    ),
    key=("vat_id",),
    partition=None,
)

REFERENCE = (STORES, WAREHOUSES, REGISTERS, PRODUCT_GROUPS)

TABLES = (ORDERS, ORDER_LINES, ORDER_PAYMENTS, Z_REPORTS, *CHILDREN, STOCK_MOVEMENTS, *REFERENCE)
