"""The documented fields of Sitoo's objects: name, type, meaning, and whether one can identify a person.

Source: Sitoo's REST API v2 reference, and the field lists of its OpenAPI transcription.
"""

from __future__ import annotations

from dataclasses import dataclass

from sitoo_pipeline.tables.types import (
    BIGINT,
    BOOLEAN,
    FREE_MAP,
    INSTANT,
    INTEGER,
    MONEY,
    PERCENT,
    QUANTITY,
    TEXT,
    TEXT_LIST,
    FieldType,
    ObjectList,
)


@dataclass(frozen=True)
class Field:
    """A field of an object of Sitoo."""

    name: str
    type: FieldType
    description: str
    personal: bool = False


def _all(kind: FieldType, *pairs: tuple[str, str], personal: bool = False) -> tuple[Field, ...]:
    return tuple(Field(name, kind, description, personal) for name, description in pairs)


def _objects(*groups: tuple[Field, ...]) -> ObjectList:
    return ObjectList(tuple((f.name, f.type) for group in groups for f in group))


_EXTRA = _all(FREE_MAP, ("additionaldata", "Further keys and values; anybody may add keys"), personal=True)

_SALES_TAX = _objects(
    _all(TEXT, ("name", "Name"), ("code", "Code"), ("externalid", "Id elsewhere"), ("groupregion", "Region")),
    _all(MONEY, ("moneytotal", "Taxed amount"), ("moneytax", "Tax")),
    _all(QUANTITY, ("decimaltaxvalue", "Rate")),
)
_ORDER_ITEM = _objects(
    _all(INTEGER, ("orderitemid", "Index in the order, from 0"), ("orderitemtype", "10 product")),
    _all(BIGINT, ("productid", "Product")),
    _all(
        TEXT,
        ("productname", "Name"),
        ("sku", "Article number"),
        ("productattributes", "Colour, size and the like"),
        ("externalinput", "Buyer's text"),
        ("externalinputtitle", "Title of the buyer's text"),
        ("unitlabel", "Unit"),
        ("deliveryinfo", "After-sale text"),
    ),
    _all(INTEGER, ("quantity", "Pieces, negative on returns")),
    _all(QUANTITY, ("decimalunitquantity", "Amount per piece"), ("decimalquantitytotal", "Pieces times amount")),
    _all(
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
    _all(PERCENT, ("vatvalue", "VAT in percent"), ("vouchervalue", "Value of the voucher")),
    _all(BIGINT, ("voucherid", "Voucher; 0 none")),
    _all(TEXT, ("vouchercode", "Voucher code"), ("vouchername", "Voucher name"), ("vouchercomment", "Voucher comment")),
    _all(_SALES_TAX, ("salestaxes", "Sales taxes (US)")),
    _EXTRA,
)
_PAYMENT = _objects(
    _all(TEXT, ("name", "Way of payment")),
    _all(MONEY, ("moneyamount", "Amount, negative on refunds")),
    _all(
        TEXT,
        ("externalid", "Id elsewhere"),
        ("reftype", "Provider"),
        ("refid", "Provider's reference"),
        ("cardissuer", "Card issuer"),
        ("reservedpaymentid", "Reserved payment"),
    ),
    _EXTRA,
)
_RESERVED = _objects(
    _all(TEXT, ("id", "Id"), ("name", "Way of payment")),
    _all(MONEY, ("moneyreserved", "Amount reserved")),
    _all(
        TEXT,
        ("externalid", "Id elsewhere"),
        ("reftype", "Provider"),
        ("refid", "Provider's reference"),
        ("cardissuer", "Card issuer"),
    ),
    _EXTRA,
)
_LOG_ITEM = _objects(
    _all(BIGINT, ("datelog", "Unix seconds"), ("orderid", "Order")),
    _all(INTEGER, ("orderlogtypeid", "Kind of entry")),
    _all(TEXT, ("strvalue", "Text")),
    _all(QUANTITY, ("fvalue", "Number")),
)

ORDER: tuple[Field, ...] = (
    *_all(BIGINT, ("orderid", "Order number, unique in the account")),
    *_all(INTEGER, ("eshopid", "Site")),
    *_all(TEXT, ("externalid", "Id elsewhere")),
    *_all(BIGINT, ("creditorderid", "The order that this one credits")),
    *_all(
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
    *_all(TEXT, ("checkoutref", "Payment provider's reference")),
    *_all(
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
    *_all(INSTANT, ("orderdate", "Time of the sale at the till")),
    *_all(
        INTEGER,
        ("orderstateid", "0 open, 10 closed, 20 cancelled, -1 abandoned"),
        ("paymentstateid", "20 successful"),
        ("ordertypeid", "10 order, 100 booking, 110 parked cart"),
    ),
    *_all(TEXT, ("userid_staff", "Seller"), personal=True),
    *_all(TEXT, ("registerid", "Register")),
    *_all(INTEGER, ("warehouseid", "Warehouse")),
    *_all(INSTANT, ("datereserved", "Stock is held until")),
    *_all(
        TEXT,
        ("currencycode", "ISO 4217 code"),
        ("checkouttypename", "Way of payment"),
        ("deliverytypename", "Way of delivery"),
    ),
    *_all(
        INTEGER,
        ("checkouttypeid", "Way of payment"),
        ("deliverytypeid", "Way of delivery"),
        ("checkoutmethodid", "Way of payment"),
        ("checkoutmethodsubid", "Way of payment"),
    ),
    *_EXTRA,
    *_all(_ORDER_ITEM, ("orderitems", "Lines")),
    *_all(_PAYMENT, ("payments", "Payments")),
    *_all(_RESERVED, ("reservedpayments", "Reserved payments")),
    *_all(_LOG_ITEM, ("orderlogitems", "Log of the order")),
)

_VAT_AMOUNTS = _all(MONEY, ("moneytotal", "Gross"), ("moneytotalnet", "Net"), ("moneytotalvat", "VAT"))
_VAT_GROUP = _objects(_all(PERCENT, ("vatvalue", "VAT in percent")), _VAT_AMOUNTS)
_PRODUCT_GROUP = _objects(
    _all(TEXT, ("name", "Name")),
    _all(PERCENT, ("vatvalue", "VAT in percent")),
    _all(INTEGER, ("numtotal", "Pieces")),
    _VAT_AMOUNTS,
)
_DISCOUNT = _objects(_all(TEXT, ("vouchercode", "Voucher code")), _VAT_AMOUNTS)
_PARTS = _all(MONEY, ("moneycaptured", "Captured"), ("moneyinadvance", "In advance"), ("moneyreserved", "Reserved"))
_Z_PAYMENT = _objects(
    _all(TEXT, ("name", "Name")),
    _all(MONEY, ("moneytotal", "Amount")),
    _PARTS,
    _all(
        _objects(_all(TEXT, ("name", "Name")), _all(MONEY, ("moneysubtotal", "Amount")), _PARTS),
        ("subpayments", "Parts"),
    ),
)

Z_REPORT: tuple[Field, ...] = (
    *_all(BIGINT, ("zreportid", "Number on its register")),
    *_all(
        TEXT, ("registerid", "Register"), ("manufacturerid", "Manufacturer's id"), ("registerkey", "Key on receipts")
    ),
    *_all(INTEGER, ("registernumber", "Number in the store")),
    *_all(INSTANT, ("datecreated", "Closed"), ("dateopened", "Opened"), ("dateadded", "Reached Sitoo")),
    *_all(INTEGER, ("eshopid", "Site")),
    *_all(
        TEXT,
        ("store_id", "External id of the store"),
        ("store_name", "Store"),
        ("company", "Company"),
        ("companyid", "Company number"),
        ("address", "Address"),
        ("address2", "Address"),
        ("address3", "Address"),
        ("currencycode", "ISO 4217 code"),
    ),
    *_all(TEXT, ("staff", "Who closed it"), ("staffuserid", "Who closed it"), ("comment", "Comment"), personal=True),
    *_all(
        MONEY,
        *(
            (name, "Amount of the period; see core.z_reports")
            for name in (
                "moneysalestotal",
                "moneysalestotalnet",
                "moneysalesnotdeliveredtotal",
                "moneysalesnotdeliveredtotalnet",
                "moneysalestaxinadvance",
                "moneyrefundtotal",
                "moneyrefundtotalnet",
                "moneyroundoff",
                "moneydiscount",
                "moneysummarysales",
                "moneysummaryrefund",
                "moneysummarysubtotal",
                "moneysummarysalestax",
                "moneysummaryroundoff",
                "moneysummarytotal",
                "moneycash_in",
                "moneycash_salesrefunds",
                "moneycash_petty",
                "moneycash_bank",
                "moneycash_expected",
                "moneycash_counted",
                "moneycash_diff",
                "moneycash_bankfinal",
                "moneycash_out",
                "moneypractice",
                "moneygrandtotalsales",
                "moneygrandtotalrefund",
                "moneygrandtotalnet",
            )
        ),
    ),
    *_all(
        INTEGER,
        *(
            (name, "Count of the period; see core.z_reports")
            for name in (
                "numsales",
                "numsalesitems",
                "numsalesnotdelivered",
                "numsalesnotdelivereditems",
                "numrefund",
                "numrefunditems",
                "numsalestypeproduct",
                "numsalestypeservice",
                "numsalestypegiftcard",
                "numreceipts",
                "numopendrawer",
                "numpractice",
            )
        ),
    ),
    *_all(
        _VAT_GROUP,
        ("vatgroupssales", "Sales by VAT"),
        ("vatgroupssalesnotdelivered", "Not delivered by VAT"),
        ("vatgroupsrefund", "Refunds by VAT"),
    ),
    *_all(
        _PRODUCT_GROUP,
        ("productgroupssales", "Sales by product group"),
        ("productgroupssalesnotdelivered", "Not delivered by product group"),
        ("productgroupsrefund", "Refunds by product group"),
    ),
    *_all(_SALES_TAX, ("salestaxessales", "Sales taxes (US)"), ("salestaxesrefund", "Sales taxes of refunds (US)")),
    *_all(_Z_PAYMENT, ("paymentssales", "Payments of sales"), ("paymentsrefund", "Payments of refunds")),
    *_all(
        _DISCOUNT,
        ("discountssales", "Discounts on sales"),
        ("discountssalesnotdelivered", "Discounts, not delivered"),
        ("discountsrefund", "Discounts on refunds"),
    ),
)

_STOCK_ITEM = _objects(
    _all(
        BIGINT,
        ("warehouseitemlogid", "Log entry"),
        ("warehouseitemid", "Warehouse item"),
        ("warehousetransactionid", "Transaction"),
    ),
    _all(QUANTITY, ("decimalquantity", "Change, signed"), ("decimaltotal", "Stock after")),
    _all(
        MONEY,
        ("moneypricein", "Purchase price per unit"),
        ("moneytotal", "Value after"),
        ("moneyvalue", "Change of value"),
    ),
    _all(TEXT, ("sku", "Article number")),
)
WAREHOUSE_TRANSACTION: tuple[Field, ...] = (
    *_all(BIGINT, ("warehousetransactionid", "Number")),
    *_all(INTEGER, ("warehouseid", "Warehouse")),
    *_all(INSTANT, ("datecreated", "Booked")),
    *_all(INTEGER, ("transactiontype", "10 in, 20 out, 30 sale, 40 refund, 50 stocktaking; others exist")),
    *_all(TEXT, ("description", "Text")),
    *_all(BIGINT, ("orderdeliveryid", "Order delivery"), ("shipmentid", "Shipment")),
    *_all(TEXT, ("externalid", "Id elsewhere"), ("reasoncode", "Reason")),
    *_all(_STOCK_ITEM, ("items", "Items")),
)

SITE: tuple[Field, ...] = (
    *_all(INTEGER, ("eshopid", "Number of the site")),
    *_all(
        TEXT,
        ("siteid", "Old id, deprecated"),
        ("protocol", "Protocol"),
        ("server", "Host"),
        ("abspath", "Path"),
        ("siteurl", "Address"),
    ),
)
_ADDRESS = _all(
    TEXT,
    ("address", "Address"),
    ("address2", "Address"),
    ("zip", "Post code"),
    ("city", "Town"),
    ("state", "State"),
    ("countryid", "Country"),
)
STORE: tuple[Field, ...] = (
    *_all(
        INTEGER,
        ("storeid", "Number of the store"),
        ("eshopid", "Site"),
        ("storetype", "10 store, 20 outlet, 30 pop-up"),
    ),
    *_all(
        TEXT,
        ("name", "Name"),
        ("externalid", "External id"),
        ("externalgroupid", "Group"),
        ("phone", "Telephone"),
        ("email", "E-mail address"),
    ),
    *_ADDRESS,
    *_all(TEXT, ("latitude", "Latitude"), ("longitude", "Longitude")),
    *_all(TEXT_LIST, ("nearby_stores", "Stores nearby"), ("tags", "Tags")),
    *_all(
        INTEGER,
        ("usetype_movein", "Use type"),
        ("usetype_moveout", "Use type"),
        ("usetype_manualin", "Use type"),
        ("usetype_manualout", "Use type"),
        ("usetype_shipmentin", "Use type"),
        ("usetype_shipmentout", "Use type"),
    ),
    *_all(FREE_MAP, ("additional_data", "Further keys and values")),
)
WAREHOUSE: tuple[Field, ...] = (
    *_all(
        INTEGER,
        ("warehouseid", "Number of the warehouse"),
        ("warehousetype", "10 FIFO, 20 virtual"),
        ("usetype", "Use"),
        ("storeid", "Its store"),
    ),
    *_all(BOOLEAN, ("sellable", "Whether its stock can be sold")),
    *_all(TEXT, ("currencycode", "ISO 4217 code"), ("name", "Name")),
    *_ADDRESS,
    *_all(TEXT, ("externalid", "Id elsewhere")),
)
CASH_REGISTER: tuple[Field, ...] = (
    *_all(
        TEXT,
        ("registerid", "Register"),
        ("manufacturerid", "Manufacturer's id"),
        ("registerkey", "Key on receipts"),
        ("company", "Company"),
        ("companyid", "Company number"),
    ),
    *_ADDRESS,
    *_all(TEXT, ("currencycode", "ISO 4217 code"), ("receiptlanguagetag", "Language of the receipts")),
    *_all(
        INTEGER,
        ("storesettingid", "Settings"),
        ("warehouseid", "Warehouse it sells from"),
        ("salestaxgroupid", "Sales taxes (US)"),
    ),
)
PRODUCT_GROUP: tuple[Field, ...] = (
    *_all(INTEGER, ("vatid", "Number of the group")),
    *_all(PERCENT, ("value", "VAT in percent")),
    *_all(INTEGER, ("productgrouptype", "10 product, 20 service, 30 gift card")),
    *_all(TEXT, ("productgroupname", "Name"), ("comment", "Comment")),
)
