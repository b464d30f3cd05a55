"""The documented fields of the reference data: sites, stores, warehouses, registers, product groups, products."""

from __future__ import annotations

from sitoo_pipeline.tables.raw_fields import ADDRESS, extra, fields
from sitoo_pipeline.tables.types import BIGINT, BOOLEAN, INSTANT, INTEGER, MONEY, PERCENT, TEXT, TEXT_LIST

SITE = (
    *fields(INTEGER, ("eshopid", "Number of the site")),
    *fields(
        TEXT,
        ("siteid", "Old id, deprecated"),
        ("protocol", "Protocol"),
        ("server", "Host"),
        ("abspath", "Path"),
        ("siteurl", "Address"),
    ),
)
STORE = (
    *fields(
        INTEGER,
        ("storeid", "Number of the store"),
        ("eshopid", "Site"),
        ("storetype", "10 store, 20 outlet, 30 pop-up"),
    ),
    *fields(
        TEXT,
        ("name", "Name"),
        ("externalid", "External id"),
        ("externalgroupid", "Group"),
        ("phone", "Telephone"),
        ("email", "E-mail address"),
    ),
    *ADDRESS,
    *fields(TEXT, ("latitude", "Latitude"), ("longitude", "Longitude")),
    *fields(TEXT_LIST, ("nearby_stores", "Stores nearby"), ("tags", "Tags")),
    *fields(
        INTEGER,
        ("usetype_movein", "Use type"),
        ("usetype_moveout", "Use type"),
        ("usetype_manualin", "Use type"),
        ("usetype_manualout", "Use type"),
        ("usetype_shipmentin", "Use type"),
        ("usetype_shipmentout", "Use type"),
    ),
    *extra("additional_data"),
)
WAREHOUSE = (
    *fields(
        INTEGER,
        ("warehouseid", "Number of the warehouse"),
        ("warehousetype", "10 FIFO, 20 virtual"),
        ("usetype", "Use"),
        ("storeid", "Its store"),
    ),
    *fields(BOOLEAN, ("sellable", "Whether its stock can be sold")),
    *fields(TEXT, ("currencycode", "ISO 4217 code"), ("name", "Name")),
    *ADDRESS,
    *fields(TEXT, ("externalid", "Id elsewhere")),
)
CASH_REGISTER = (
    *fields(
        TEXT,
        ("registerid", "Register"),
        ("manufacturerid", "Manufacturer's id"),
        ("registerkey", "Key on receipts"),
        ("company", "Company"),
        ("companyid", "Company number"),
    ),
    *ADDRESS,
    *fields(TEXT, ("currencycode", "ISO 4217 code"), ("receiptlanguagetag", "Language of the receipts")),
    *fields(
        INTEGER,
        ("storesettingid", "Settings"),
        ("warehouseid", "Warehouse it sells from"),
        ("salestaxgroupid", "Sales taxes (US)"),
    ),
)
PRODUCT_GROUP = (
    *fields(INTEGER, ("vatid", "Number of the group")),
    *fields(PERCENT, ("value", "VAT in percent")),
    *fields(INTEGER, ("productgrouptype", "10 product, 20 service, 30 gift card")),
    *fields(TEXT, ("productgroupname", "Name"), ("comment", "Comment")),
)
PRODUCT = (
    *fields(BIGINT, ("productid", "Number of the product")),
    *fields(
        TEXT,
        ("sku", "Article number"),
        ("skumanufacturer", "Manufacturer's article number"),
        ("title", "Name"),
        ("barcode", "Bar code"),
    ),
    *fields(TEXT_LIST, ("barcodealiases", "Further bar codes"), ("categories", "Categories of the web shop")),
    *fields(INTEGER, ("vatid", "Product group")),
    *fields(PERCENT, ("vatvalue", "VAT in percent")),
    *fields(
        INTEGER,
        ("productgrouptype", "10 product, 20 service, 30 gift card"),
        ("defaultcategoryid", "First category"),
        ("manufacturerid", "Manufacturer"),
    ),
    *fields(BIGINT, ("variantparentid", "Main variant; its own number for that one, null without variants")),
    *fields(TEXT, ("unitlabel", "Unit, such as kg")),
    *fields(
        BOOLEAN,
        ("allowdecimals", "Whether parts of a unit are sold"),
        ("stockcountenable", "Whether its stock is counted"),
        ("active", "Whether it is sold; deprecated"),
        ("activepos", "Whether tills sell it"),
    ),
    *fields(
        MONEY,
        ("moneyprice", "Price now"),
        ("moneypriceorg", "Price before; 0.00 where there is none"),
        ("moneypricein", "Purchase price, without VAT"),
    ),
    *fields(TEXT, *((f"custom{number}", "Free text of the account") for number in range(1, 6))),
    *fields(INSTANT, ("datecreated", "Created"), ("datemodified", "Last changed")),
)
