"""The documented fields of a z-report."""

from __future__ import annotations

from sitoo_pipeline.tables.raw_fields import SALES_TAX, fields, objects
from sitoo_pipeline.tables.types import BIGINT, INSTANT, INTEGER, MONEY, PERCENT, TEXT

_VAT_AMOUNTS = fields(MONEY, ("moneytotal", "Gross"), ("moneytotalnet", "Net"), ("moneytotalvat", "VAT"))
_VAT_GROUP = objects(fields(PERCENT, ("vatvalue", "VAT in percent")), _VAT_AMOUNTS)
_PRODUCT_GROUP = objects(
    fields(TEXT, ("name", "Name")),
    fields(PERCENT, ("vatvalue", "VAT in percent")),
    fields(INTEGER, ("numtotal", "Pieces")),
    _VAT_AMOUNTS,
)
_DISCOUNT = objects(fields(TEXT, ("vouchercode", "Voucher code")), _VAT_AMOUNTS)
_PARTS = fields(MONEY, ("moneycaptured", "Captured"), ("moneyinadvance", "In advance"), ("moneyreserved", "Reserved"))
_Z_PAYMENT = objects(
    fields(TEXT, ("name", "Name")),
    fields(MONEY, ("moneytotal", "Amount")),
    _PARTS,
    fields(
        objects(fields(TEXT, ("name", "Name")), fields(MONEY, ("moneysubtotal", "Amount")), _PARTS),
        ("subpayments", "Parts"),
    ),
)

Z_REPORT = (
    *fields(BIGINT, ("zreportid", "Number on its register")),
    *fields(
        TEXT, ("registerid", "Register"), ("manufacturerid", "Manufacturer's id"), ("registerkey", "Key on receipts")
    ),
    *fields(INTEGER, ("registernumber", "Number in the store")),
    *fields(INSTANT, ("datecreated", "Closed"), ("dateopened", "Opened"), ("dateadded", "Reached Sitoo")),
    *fields(INTEGER, ("eshopid", "Site")),
    *fields(
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
    *fields(TEXT, ("staff", "Who closed it"), ("staffuserid", "Who closed it"), ("comment", "Comment"), personal=True),
    *fields(
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
    *fields(
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
    *fields(
        _VAT_GROUP,
        ("vatgroupssales", "Sales by VAT"),
        ("vatgroupssalesnotdelivered", "Not delivered by VAT"),
        ("vatgroupsrefund", "Refunds by VAT"),
    ),
    *fields(
        _PRODUCT_GROUP,
        ("productgroupssales", "Sales by product group"),
        ("productgroupssalesnotdelivered", "Not delivered by product group"),
        ("productgroupsrefund", "Refunds by product group"),
    ),
    *fields(SALES_TAX, ("salestaxessales", "Sales taxes (US)"), ("salestaxesrefund", "Sales taxes of refunds (US)")),
    *fields(_Z_PAYMENT, ("paymentssales", "Payments of sales"), ("paymentsrefund", "Payments of refunds")),
    *fields(
        _DISCOUNT,
        ("discountssales", "Discounts on sales"),
        ("discountssalesnotdelivered", "Discounts, not delivered"),
        ("discountsrefund", "Discounts on refunds"),
    ),
)
