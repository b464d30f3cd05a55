"""``core``: orders, their lines and their payments."""

from __future__ import annotations

from sitoo_pipeline.tables.core_columns import extra, plain
from sitoo_pipeline.tables.schema import Column, Entries, Table
from sitoo_pipeline.tables.types import BIGINT, BOOLEAN, DATE, INSTANT, INTEGER, MONEY, PERCENT, QUANTITY, TEXT

_ORDER_ID = Column("order_id", BIGINT, "Order number, unique in the account", nullable=False, source="o.orderid")
_DATE = Column(
    "business_date", DATE, "Date of the sale in the store's local time", nullable=False, source="o.business_date"
)


ORDERS = Table(
    "core",
    "orders",
    "Orders of every kind, each with its store, business date and whether it counts as a sale (and if not, why).",
    (
        _ORDER_ID,
        plain("eshop_id", "o.eshopid", INTEGER, "Site (e-shop) of the order"),
        plain("external_id", "nullif(o.externalid, '')", TEXT, "The order's id in another system"),
        plain("credit_order_id", "o.creditorderid", BIGINT, "The order that this one credits"),
        plain("ordered_at", "o.orderdate", INSTANT, "Time of the sale at the till, also for a till that was offline"),
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
        plain("register_id", "nullif(o.registerid, '')", TEXT, "Register (till) that sold it"),
        plain("warehouse_id", "o.warehouseid", INTEGER, "Warehouse on which the order is registered"),
        Column(
            "currency", TEXT, "ISO 4217 code", nullable=False, source="coalesce(nullif(o.currencycode, ''), 'unknown')"
        ),
        plain("order_type_id", "o.ordertypeid", INTEGER, "10 order, 100 booking, 110 parked cart"),
        plain("order_state_id", "o.orderstateid", INTEGER, "0 open, 10 closed, 20 cancelled, -1 abandoned"),
        plain(
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
        plain("money_total_net", "o.moneytotal_net", MONEY, "Lines, excluding VAT"),
        plain("money_total_vat", "o.moneytotal_vat", MONEY, "VAT of the lines"),
        plain("money_checkout_net", "o.moneycheckout_net", MONEY, "Payment fee, excluding VAT"),
        plain("money_checkout_vat", "o.moneycheckout_vat", MONEY, "VAT of the payment fee"),
        plain("money_delivery_net", "o.moneydelivery_net", MONEY, "Shipping fee, excluding VAT"),
        plain("money_delivery_vat", "o.moneydelivery_vat", MONEY, "VAT of the shipping fee"),
        plain("money_final_net", "o.moneyfinal_net", MONEY, "Lines and fees, excluding VAT"),
        plain("money_final_vat", "o.moneyfinal_vat", MONEY, "VAT of lines and fees"),
        plain("money_final_salestax", "o.moneyfinal_salestax", MONEY, "Sales tax (US)"),
        plain("money_total_gross_roundoff", "o.moneytotal_gross_roundoff", MONEY, "Cash rounding"),
        plain("money_total_gross_all", "o.moneytotal_gross_all", MONEY, "Amount to pay"),
        extra("receipt_id", "pos-receiptid", "Number printed on the receipt"),
        extra("original_sales_order_id", "pos-originalsales-orderid", "The purchase that is returned"),
        extra(
            "refund_sales_order_id", "pos-refundsales-orderid", "On a return in an exchange: the purchase made with it"
        ),
        extra("refund_order_id", "pos-refund-orderid", "On a purchase in an exchange: the return made with it"),
        Column(
            "delivery_ignores_stock",
            BOOLEAN,
            "Whether its goods are delivered without moving any stock",
            nullable=False,
            source="coalesce(lower(o.additionaldata['delivery-ignore-stock']) = 'true', false)",
        ),
        extra("source_order_id", "pos-sourceorderid", "The booking or parked cart that this order came from"),
        extra("crm_customer_id", "crm-customerid", "Customer id in the CRM", customer=True),
        extra("crm_member_number", "crm-membernumber", "Member number in the CRM", customer=True),
        plain("email", "nullif(o.email, '')", TEXT, "E-mail address of the customer", customer=True),
        plain("name_first", "nullif(o.namefirst, '')", TEXT, "First name of the customer", personal=True),
        plain("name_last", "nullif(o.namelast, '')", TEXT, "Last name of the customer", personal=True),
        plain("phone", "nullif(o.phone, '')", TEXT, "Telephone number of the customer", personal=True),
        plain("checkout_type_name", "nullif(o.checkouttypename, '')", TEXT, "Way of payment as shown to people"),
        plain("delivery_type_name", "nullif(o.deliverytypename, '')", TEXT, "Way of delivery as shown to people"),
    ),
    key=("order_id",),
)

ORDER_HINTS = (
    extra("pos_timezone", "pos-timezone", "Zone of the till that sold it"),
    extra("store_external_id", "store-externalid", "Store as the order recorded it"),
    extra("store_snapshot_name", "store-name", "Name of the store as the order recorded it"),
)
"""What the transforms read of an order beside the columns of ``core.orders``: its own word on where it was sold."""

LINE_HINTS = (plain("eshop_id", "o.eshopid", INTEGER, "Site (e-shop) of the order"),)
"""What the transforms read of a line beside the columns of ``core.order_lines``: whose product it names."""

ORDER_LINES = Table(
    "core",
    "order_lines",
    "Order lines, each with its side (sale or return), whether it is a gift card, and the goods and discount.",
    (
        _ORDER_ID,
        Column("line_no", INTEGER, "Position of the line in its order, from 0", nullable=False, source="n"),
        _DATE,
        plain("order_item_id", "i.orderitemid", INTEGER, "Sitoo's own index of the line"),
        plain(
            "order_item_type", "i.orderitemtype", INTEGER, "10 product; any other belongs to a product line before it"
        ),
        plain("product_id", "i.productid", BIGINT, "Product; it may have been deleted since"),
        plain("sku", "nullif(i.sku, '')", TEXT, "Article number when it was sold"),
        plain("product_name", "nullif(i.productname, '')", TEXT, "Name when it was sold"),
        extra("product_group_name", "product-group-name", "Product group when it was sold", owner="i"),
        plain("quantity", "i.quantity", INTEGER, "Pieces; negative where goods came back"),
        plain("decimal_unit_quantity", "i.decimalunitquantity", QUANTITY, "Amount per piece of weighed goods"),
        plain("decimal_quantity_total", "i.decimalquantitytotal", QUANTITY, "Pieces times the amount per piece"),
        plain("vat_percent", "i.vatvalue", PERCENT, "VAT in percent"),
        plain("money_net_price_per_unit", "i.moneynetpriceperunit", MONEY, "Unit price charged, excluding VAT"),
        plain("money_original_price", "i.moneyoriginalprice", MONEY, "Unit price before discount, excluding VAT"),
        plain(
            "money_discounted_price",
            "i.moneydiscountedprice",
            MONEY,
            "Unit price after discount, excluding VAT; 0.00 is not set",
        ),
        plain("money_discount", "i.moneydiscount", MONEY, "Discount per unit, excluding VAT"),
        Column(
            "money_row_discount",
            MONEY,
            "Discount of the whole row, including VAT, where the till recorded one",
            source="try_cast(nullif(i.additionaldata['orderitem-moneyrowdiscount'], '') AS DECIMAL(18,2))",
        ),
        plain("money_item_total_net", "i.moneyitemtotal_net", MONEY, "Row total excluding VAT; negative on returns"),
        plain("money_item_total_vat", "i.moneyitemtotal_vat", MONEY, "VAT of the row; negative on returns"),
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
        plain("voucher_code", "nullif(i.vouchercode, '')", TEXT, "Campaign or voucher"),
        extra(
            "original_sales_order_item_id",
            "pos-originalsales-orderitemid",
            "Index of the returned line in its purchase",
            owner="i",
        ),
        extra("return_warehouse_id", "return-warehouseid", "Warehouse that the goods came back to", owner="i"),
        extra("return_reason_code", "reasoncode-return", "Why it was returned", owner="i"),
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
    entries=(Entries("orderitems"),),
)

ORDER_PAYMENTS = Table(
    "core",
    "order_payments",
    "Payments of the orders. A payment has no id of its own: its key is its position in the order.",
    (
        _ORDER_ID,
        Column("payment_no", INTEGER, "Position of the payment in its order, from 0", nullable=False, source="n"),
        _DATE,
        plain("name", "i.name", TEXT, "Name of the way of payment"),
        plain("money_amount", "i.moneyamount", MONEY, "Amount; negative on refunds"),
        plain("card_issuer", "nullif(i.cardissuer, '')", TEXT, "Issuer of the card"),
        plain("ref_type", "nullif(i.reftype, '')", TEXT, "Kind of the payment provider's reference"),
        plain("ref_id", "nullif(i.refid, '')", TEXT, "The payment provider's reference"),
        plain("external_id", "nullif(i.externalid, '')", TEXT, "The payment's id in another system"),
        Column(
            "is_virtual",
            BOOLEAN,
            "Settles two orders against each other: no real money",
            nullable=False,
            source="coalesce(lower(i.additionaldata['virtual-payment']) = 'true', false)",
        ),
    ),
    key=("order_id", "payment_no"),
    entries=(Entries("payments"),),
)
