"""``core.z_reports`` and its children: the tills' own daily totals, read from ``raw.z_reports``.

A child has one row per entry of one of Sitoo's lists; ``side`` tells which list: sales, sales not delivered, refunds.
"""

from __future__ import annotations

import re

from sitoo_pipeline.tables.schema import Column, Entries, Table
from sitoo_pipeline.tables.types import BIGINT, DATE, INSTANT, INTEGER, MONEY, PERCENT, TEXT, DataType

_KEY = (
    Column("register_id", TEXT, "Register (till), Sitoo's id in braces", nullable=False, source="o.registerid"),
    Column("z_report_id", BIGINT, "Number of the z-report on its register", nullable=False, source="o.zreportid"),
    Column(
        "business_date",
        DATE,
        "Date on which it was closed, in the store's zone",
        nullable=False,
        source="o.business_date",
    ),
)

# Sitoo's name, ours, meaning. Money unless the name begins with num.
_FIGURES: tuple[tuple[str, str, str], ...] = (
    ("moneysalestotal", "money_sales_total", "Sales including VAT"),
    ("moneysalestotalnet", "money_sales_total_net", "Sales excluding VAT"),
    ("numsales", "num_sales", "Receipts with sales"),
    ("numsalesitems", "num_sales_items", "Pieces sold"),
    ("moneysalesnotdeliveredtotal", "money_sales_not_delivered_total", "Sold but not delivered, including VAT"),
    ("moneysalesnotdeliveredtotalnet", "money_sales_not_delivered_total_net", "Sold but not delivered, excluding VAT"),
    ("numsalesnotdelivered", "num_sales_not_delivered", "Receipts sold but not delivered"),
    ("numsalesnotdelivereditems", "num_sales_not_delivered_items", "Pieces sold but not delivered"),
    ("moneyrefundtotal", "money_refund_total", "Refunds including VAT, positive"),
    ("moneyrefundtotalnet", "money_refund_total_net", "Refunds excluding VAT, positive"),
    ("numrefund", "num_refund", "Receipts with refunds"),
    ("numrefunditems", "num_refund_items", "Pieces taken back"),
    ("moneyroundoff", "money_roundoff", "Cash rounding"),
    ("moneydiscount", "money_discount", "Discounts on sales, including VAT"),
    ("moneysalestaxinadvance", "money_sales_tax_in_advance", "Sales tax in advance (US)"),
    ("moneysummarysales", "money_summary_sales", "Summary: sales"),
    ("moneysummaryrefund", "money_summary_refund", "Summary: refunds"),
    ("moneysummarysubtotal", "money_summary_subtotal", "Summary: sales less refunds"),
    ("moneysummarysalestax", "money_summary_sales_tax", "Summary: sales tax (US)"),
    ("moneysummaryroundoff", "money_summary_roundoff", "Summary: cash rounding"),
    ("moneysummarytotal", "money_summary_total", "Summary: grand total"),
    ("moneycash_in", "money_cash_in", "Cash in the drawer at opening"),
    ("moneycash_salesrefunds", "money_cash_sales_refunds", "Cash from sales less refunds"),
    ("moneycash_petty", "money_cash_petty", "Petty cash"),
    ("moneycash_bank", "money_cash_bank", "Cash taken to the bank"),
    ("moneycash_expected", "money_cash_expected", "Cash that should be in the drawer"),
    ("moneycash_counted", "money_cash_counted", "Cash counted"),
    ("moneycash_diff", "money_cash_diff", "Counted less expected"),
    ("moneycash_bankfinal", "money_cash_bank_final", "Cash taken to the bank at closing"),
    ("moneycash_out", "money_cash_out", "Cash left in the drawer"),
    ("numsalestypeproduct", "num_sales_type_product", "Pieces sold of product groups of type product"),
    ("numsalestypeservice", "num_sales_type_service", "Pieces sold of product groups of type service"),
    ("numsalestypegiftcard", "num_sales_type_gift_card", "Gift cards sold"),
    ("numreceipts", "num_receipts", "Receipts"),
    ("numopendrawer", "num_open_drawer", "Times the drawer was opened"),
    ("numpractice", "num_practice", "Receipts in practice mode"),
    ("moneypractice", "money_practice", "Amount in practice mode"),
    ("moneygrandtotalsales", "money_grand_total_sales", "Sales in the register's lifetime"),
    ("moneygrandtotalrefund", "money_grand_total_refund", "Refunds in the register's lifetime"),
    ("moneygrandtotalnet", "money_grand_total_net", "Sales less refunds in the register's lifetime"),
)

Z_REPORTS = Table(
    "core",
    "z_reports",
    "Z-reports: what each till reported when it was closed. From opening to closing, sometimes over midnight.",
    (
        *_KEY,
        Column("eshop_id", INTEGER, "Site (e-shop)", source="o.eshopid"),
        Column(
            "store_id",
            TEXT,
            "External id of the store, or 'unknown'",
            nullable=False,
            source="coalesce(nullif(o.store_id, ''), 'unknown')",
        ),
        Column("store_name", TEXT, "Name of the store when it was closed", source="nullif(o.store_name, '')"),
        Column("register_key", TEXT, "Key printed on receipts", source="nullif(o.registerkey, '')"),
        Column("register_number", INTEGER, "Number of the register in its store", source="o.registernumber"),
        Column(
            "opened_at",
            INSTANT,
            "When the register was opened; null from old versions of the till",
            source="o.dateopened",
        ),
        Column("closed_at", INSTANT, "When it was closed", nullable=False, source="o.datecreated"),
        Column("added_at", INSTANT, "When the z-report reached Sitoo, possibly much later", source="o.dateadded"),
        Column(
            "currency", TEXT, "ISO 4217 code", nullable=False, source="coalesce(nullif(o.currencycode, ''), 'unknown')"
        ),
        *(
            Column(name, INTEGER if name.startswith("num_") else MONEY, meaning, source=f"o.{source}")
            for source, name, meaning in _FIGURES
        ),
    ),
    key=("register_id", "z_report_id"),
)


_SIDES = {"sales": "sales", "salesnotdelivered": "sales_not_delivered", "refund": "refund"}


def _child(name: str, description: str, lists: str, sides: tuple[str, ...], columns: tuple[Column, ...]) -> Table:
    """A table with one row per entry of the raw lists that begin with ``lists`` and end with one of ``sides``."""
    return Table(
        "core",
        name,
        description,
        (
            *_KEY,
            Column("side", TEXT, "sales, sales_not_delivered or refund", nullable=False),
            Column("item_no", INTEGER, "Position in Sitoo's list, from 0", nullable=False, source="n"),
            *columns,
        ),
        key=("register_id", "z_report_id", "side", "item_no"),
        entries=tuple(Entries(f"{lists}{side}", _SIDES[side]) for side in sides),
    )


def _column(source: str, kind: DataType, description: str) -> Column:
    name = re.sub(r"^(money|num)", r"\1_", source).replace("totalnet", "total_net").replace("totalvat", "total_vat")
    return Column(name.replace("inadvance", "in_advance"), kind, description, source=f"i.{source}")


_VAT = Column("vat_percent", PERCENT, "VAT in percent", source="i.vatvalue")
_MONEY = (
    _column("moneytotal", MONEY, "Amount including VAT"),
    _column("moneytotalnet", MONEY, "Amount excluding VAT"),
    _column("moneytotalvat", MONEY, "VAT"),
)
_NAME = Column("name", TEXT, "Name", source="i.name")

Z_REPORT_VAT_GROUPS = _child(
    "z_report_vat_groups",
    "Z-reports by rate of VAT.",
    "vatgroups",
    ("sales", "salesnotdelivered", "refund"),
    (_VAT, *_MONEY),
)
Z_REPORT_PRODUCT_GROUPS = _child(
    "z_report_product_groups",
    "Z-reports by product group.",
    "productgroups",
    ("sales", "salesnotdelivered", "refund"),
    (_NAME, _VAT, _column("numtotal", INTEGER, "Pieces"), *_MONEY),
)
Z_REPORT_DISCOUNTS = _child(
    "z_report_discounts",
    "Discounts in the z-reports by voucher code; an empty code where there was none.",
    "discounts",
    ("sales", "salesnotdelivered", "refund"),
    (
        Column(
            "voucher_code", TEXT, "Voucher code; 'discount-manual' for a discount given by hand", source="i.vouchercode"
        ),
        *_MONEY,
    ),
)
Z_REPORT_PAYMENTS = _child(
    "z_report_payments",
    "Z-reports by way of payment.",
    "payments",
    ("sales", "refund"),
    (
        _NAME,
        *(
            _column(n, MONEY, d)
            for n, d in (
                ("moneytotal", "Amount"),
                ("moneycaptured", "Captured"),
                ("moneyinadvance", "Paid in advance"),
                ("moneyreserved", "Reserved"),
            )
        ),
    ),
)
Z_REPORT_SALES_TAXES = _child(
    "z_report_sales_taxes",
    "Sales taxes (US) in the z-reports.",
    "salestaxes",
    ("sales", "refund"),
    (
        _NAME,
        Column("code", TEXT, "Code of the tax", source="i.code"),
        Column("group_region", TEXT, "Region", source="i.groupregion"),
        _column("moneytotal", MONEY, "Taxed amount"),
        Column("money_tax", MONEY, "Tax", source="i.moneytax"),
    ),
)

CHILDREN = (Z_REPORT_VAT_GROUPS, Z_REPORT_PRODUCT_GROUPS, Z_REPORT_PAYMENTS, Z_REPORT_DISCOUNTS, Z_REPORT_SALES_TAXES)
