"""The documented fields of an order, with its lines, payments and log."""

from __future__ import annotations

from sitoo_pipeline.tables.raw_fields import SALES_TAX, extra, fields, objects
from sitoo_pipeline.tables.types import BIGINT, INSTANT, INTEGER, MONEY, NUMBER, PERCENT, QUANTITY, TEXT

_ORDER_ITEM = objects(
    fields(INTEGER, ("orderitemid", "Index in the order, from 0"), ("orderitemtype", "10 product")),
    fields(BIGINT, ("productid", "Product")),
    fields(
        TEXT, ("productname", "Name"), ("sku", "Article number"), ("productattributes", "Colour, size and the like")
    ),
    fields(TEXT, ("externalinput", "Buyer's text"), personal=True),
    fields(
        TEXT,
        ("externalinputtitle", "Title of the buyer's text"),
        ("unitlabel", "Unit"),
        ("deliveryinfo", "After-sale text"),
    ),
    fields(INTEGER, ("quantity", "Pieces, negative on returns")),
    fields(QUANTITY, ("decimalunitquantity", "Amount per piece"), ("decimalquantitytotal", "Pieces times amount")),
    fields(
        MONEY,
        ("moneynetpriceperunit", "Unit price charged, net"),
        ("moneynetpriceperquantity", "Unit price times amount, net"),
        ("moneypriceorg", "List price, net; 0.00 none"),
        ("moneyitemtotal_net", "Row total, net"),
        ("moneyitemtotal_vat", "VAT of the row"),
        ("moneyoriginalprice", "Unit price before discount, net"),
        ("moneydiscountedprice", "Unit price after discount, net; 0.00 not set"),
        ("moneydiscount", "Discount per unit, net"),
        ("moneyrowprice", "Row price, gross"),
        ("moneyrowdiscount", "Row discount, gross"),
    ),
    fields(PERCENT, ("vatvalue", "VAT in percent")),
    fields(NUMBER, ("vouchervalue", "Value of the voucher")),
    fields(BIGINT, ("voucherid", "Voucher; 0 none")),
    fields(
        TEXT, ("vouchercode", "Voucher code"), ("vouchername", "Voucher name"), ("vouchercomment", "Voucher comment")
    ),
    fields(SALES_TAX, ("salestaxes", "Sales taxes (US)")),
    extra(money=("orderitem-moneyrowdiscount",)),
)
_PAYMENT = objects(
    fields(TEXT, ("name", "Way of payment")),
    fields(MONEY, ("moneyamount", "Amount, negative on refunds")),
    fields(
        TEXT,
        ("externalid", "Id elsewhere"),
        ("reftype", "Provider"),
        ("refid", "Provider's reference"),
        ("cardissuer", "Card issuer"),
        ("reservedpaymentid", "Reserved payment"),
    ),
    extra(),
)
_RESERVED = objects(
    fields(TEXT, ("id", "Id"), ("name", "Way of payment")),
    fields(MONEY, ("moneyreserved", "Amount reserved")),
    fields(
        TEXT,
        ("externalid", "Id elsewhere"),
        ("reftype", "Provider"),
        ("refid", "Provider's reference"),
        ("cardissuer", "Card issuer"),
    ),
    extra(),
)
_LOG_ITEM = objects(
    fields(BIGINT, ("datelog", "Unix seconds"), ("orderid", "Order")),
    fields(INTEGER, ("orderlogtypeid", "Kind of entry")),
    fields(TEXT, ("strvalue", "Text"), personal=True),
    fields(NUMBER, ("fvalue", "Number")),
)

ORDER = (
    *fields(BIGINT, ("orderid", "Order number, unique in the account")),
    *fields(INTEGER, ("eshopid", "Site")),
    *fields(TEXT, ("externalid", "Id elsewhere")),
    *fields(BIGINT, ("creditorderid", "The order that this one credits")),
    *fields(
        TEXT,
        ("email", "E-mail address"),
        ("namefirst", "First name"),
        ("namelast", "Last name"),
        ("personalid", "Personal number"),
        ("company", "Company"),
        ("phone", "Telephone"),
        ("invoice_address", "Billing address"),
        ("invoice_address2", "Billing address"),
        ("invoice_zip", "Billing address"),
        ("invoice_city", "Billing address"),
        ("invoice_state", "Billing address"),
        ("invoice_countryid", "Billing country"),
        ("delivery_address", "Shipping address"),
        ("delivery_address2", "Shipping address"),
        ("delivery_zip", "Shipping address"),
        ("delivery_city", "Shipping address"),
        ("delivery_state", "Shipping address"),
        ("delivery_countryid", "Shipping country"),
        ("comment", "Note"),
        ("commentinternal", "Note for staff"),
        ("customerref", "Customer's reference"),
        personal=True,
    ),
    *fields(TEXT, ("checkoutref", "Payment provider's reference")),
    *fields(
        MONEY,
        ("moneytotal_net", "Lines, net"),
        ("moneytotal_vat", "VAT of the lines"),
        ("moneycheckout_net", "Payment fee, net"),
        ("moneycheckout_vat", "VAT of the payment fee"),
        ("moneytotal_gross_checkout", "Payment fee, gross"),
        ("moneydelivery_net", "Shipping fee, net"),
        ("moneydelivery_vat", "VAT of the shipping fee"),
        ("moneytotal_gross_delivery", "Shipping fee, gross"),
        ("moneyfinal_net", "Lines and fees, net"),
        ("moneyfinal_vat", "VAT of lines and fees"),
        ("moneyfinal_salestax", "Sales tax (US)"),
        ("moneytotal_gross_roundoff", "Cash rounding"),
        ("moneytotal_gross_all", "Amount to pay"),
    ),
    *fields(INSTANT, ("orderdate", "Time of the sale at the till")),
    *fields(
        INTEGER,
        ("orderstateid", "0 open, 10 closed, 20 cancelled, -1 abandoned"),
        ("paymentstateid", "20 successful"),
        ("ordertypeid", "10 order, 100 booking, 110 parked cart"),
    ),
    *fields(TEXT, ("userid_staff", "Seller"), personal=True),
    *fields(TEXT, ("registerid", "Register")),
    *fields(INTEGER, ("warehouseid", "Warehouse")),
    *fields(INSTANT, ("datereserved", "Stock is held until")),
    *fields(
        TEXT,
        ("currencycode", "ISO 4217 code"),
        ("checkouttypename", "Way of payment"),
        ("deliverytypename", "Way of delivery"),
    ),
    *fields(
        INTEGER,
        ("checkouttypeid", "Way of payment"),
        ("deliverytypeid", "Way of delivery"),
        ("checkoutmethodid", "Way of payment"),
        ("checkoutmethodsubid", "Way of payment"),
    ),
    *extra(),
    *fields(_ORDER_ITEM, ("orderitems", "Lines")),
    *fields(_PAYMENT, ("payments", "Payments")),
    *fields(_RESERVED, ("reservedpayments", "Reserved payments")),
    *fields(_LOG_ITEM, ("orderlogitems", "Log of the order")),
)
