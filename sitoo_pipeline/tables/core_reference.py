"""``core``: stores, warehouses, registers, product groups and products, as they are today."""

from __future__ import annotations

from sitoo_pipeline.tables.core_columns import plain
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import BIGINT, BOOLEAN, INSTANT, INTEGER, PERCENT, TEXT

STORES = Table(
    "core",
    "stores",
    "Stores as Sitoo lists them today.",
    (
        Column("sitoo_store_id", INTEGER, "Sitoo's own number of the store", nullable=False, source="o.storeid"),
        plain("eshop_id", "o.eshopid", INTEGER, "Site (e-shop)"),
        plain("store_id", "nullif(o.externalid, '')", TEXT, "External id, the one that orders and z-reports name"),
        plain("name", "o.name", TEXT, "Name of the store"),
        plain("store_type", "o.storetype", INTEGER, "10 store, 20 outlet, 30 pop-up; others exist"),
        plain("external_group_id", "nullif(o.externalgroupid, '')", TEXT, "Group of stores"),
        plain("city", "nullif(o.city, '')", TEXT, "Town"),
        plain("country_id", "nullif(o.countryid, '')", TEXT, "Country, ISO 3166 alpha-2"),
        Column("timezone", TEXT, "Zone from the settings, else the account's", nullable=False),
        Column(
            "currency",
            TEXT,
            "ISO 4217 code: that of its lowest-numbered warehouse that has one, else of its first register",
        ),
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
        plain("name", "o.name", TEXT, "Name of the warehouse"),
        plain("warehouse_type", "o.warehousetype", INTEGER, "10 FIFO, 20 virtual"),
        plain("use_type", "o.usetype", INTEGER, "What it is used for"),
        plain("sitoo_store_id", "o.storeid", INTEGER, "Sitoo's number of its store"),
        Column("store_id", TEXT, "External id of its store; null for a warehouse without one"),
        plain("sellable", "o.sellable", BOOLEAN, "Whether its stock can be sold"),
        plain("currency", "nullif(o.currencycode, '')", TEXT, "ISO 4217 code"),
        plain("country_id", "nullif(o.countryid, '')", TEXT, "Country, ISO 3166 alpha-2"),
        plain("external_id", "nullif(o.externalid, '')", TEXT, "Its id in another system"),
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
        plain("register_key", "nullif(o.registerkey, '')", TEXT, "Key printed on receipts"),
        plain("manufacturer_id", "nullif(o.manufacturerid, '')", TEXT, "Manufacturer's id"),
        plain("currency", "nullif(o.currencycode, '')", TEXT, "ISO 4217 code"),
        plain("country_id", "nullif(o.countryid, '')", TEXT, "Country, ISO 3166 alpha-2"),
        plain("warehouse_id", "o.warehouseid", INTEGER, "Warehouse it sells from"),
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
        plain("name", "o.productgroupname", TEXT, "Name, the one that order lines record"),
        plain("vat_percent", "o.value", PERCENT, "VAT in percent"),
        plain("product_group_type", "o.productgrouptype", INTEGER, "10 product, 20 service, 30 gift card"),
    ),
    key=("vat_id",),
    partition=None,
)

PRODUCTS = Table(
    "core",
    "products",
    "Products with their group, as they were when they were last read; one that Sitoo has deleted stays.",
    (
        Column("eshop_id", INTEGER, "Site (e-shop) whose product it is", nullable=False, source="o.eshopid"),
        Column("product_id", BIGINT, "Sitoo's number of the product", nullable=False, source="o.productid"),
        plain("sku", "nullif(o.sku, '')", TEXT, "Article number"),
        plain("manufacturer_sku", "nullif(o.skumanufacturer, '')", TEXT, "Manufacturer's article number"),
        plain("title", "o.title", TEXT, "Name of the product"),
        plain("barcode", "nullif(o.barcode, '')", TEXT, "Bar code"),
        plain("vat_id", "o.vatid", INTEGER, "Product group, see core.product_groups"),
        Column("product_group_name", TEXT, "Name of the group; null where Sitoo does not list it"),
        Column(
            "product_group_type", INTEGER, "10 product, 20 service, 30 gift card: the group's, else the product's own"
        ),
        plain("vat_percent", "o.vatvalue", PERCENT, "VAT in percent"),
        plain("category_id", "o.defaultcategoryid", INTEGER, "First category"),
        plain("manufacturer_id", "o.manufacturerid", INTEGER, "Manufacturer"),
        plain("variant_parent_id", "o.variantparentid", BIGINT, "Main variant; null where there are no variants"),
        plain("unit_label", "nullif(o.unitlabel, '')", TEXT, "Unit, such as kg"),
        plain("allow_decimals", "o.allowdecimals", BOOLEAN, "Whether parts of a unit are sold"),
        plain("stock_count_enable", "o.stockcountenable", BOOLEAN, "Whether its stock is counted"),
        plain("active", "o.active", BOOLEAN, "Whether it is sold; deprecated by Sitoo"),
        plain("active_pos", "o.activepos", BOOLEAN, "Whether tills sell it"),
        plain("created_at", "o.datecreated", INSTANT, "When it was created"),
        plain("modified_at", "o.datemodified", INSTANT, "When it was last changed"),
    ),
    key=("eshop_id", "product_id"),
    partition=None,
)

PRODUCT_GROUP_TYPE = Column("product_group_type", INTEGER, "The product's own", source="o.productgrouptype")
"""What a product says of its group; the group's own word goes before it."""

REFERENCE = (STORES, WAREHOUSES, REGISTERS, PRODUCT_GROUPS, PRODUCTS)
