"""Sitoo's reference data in JSON form: sites, stores, warehouses, cash registers, product groups and products."""

from __future__ import annotations

from decimal import Decimal

from sitoo_pipeline.sandbox.catalogue import GROUPS, PRODUCTS, Product
from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.clock import day_start, trading_day
from sitoo_pipeline.sandbox.markets import SWEDEN, cents
from sitoo_pipeline.sandbox.stores import CENTRAL_WAREHOUSE, COMPANY, COMPANY_ID, ESHOP_ID, Store, guid

PRODUCT_FIELDS = (
    "productid", "sku", "datemodified", "active", "activepos", "vatid", "manufacturerid", "stockcountenable",
    "stockallowbackorder", "barcode", "moneyprice", "moneyfinalprice",
)  # fmt: skip


def sites() -> list[dict[str, object]]:
    """The account's only site."""
    return [
        {
            "siteid": guid("site", ESHOP_ID),
            "protocol": "https",
            "server": "lindo.example.com",
            "abspath": "/",
            "siteurl": "https://lindo.example.com/",
            "eshopid": ESHOP_ID,
        }
    ]


def stores(chain: Chain) -> list[dict[str, object]]:
    """Every store. A store has neither time zone nor currency."""
    return [_store(store) for store in chain.store_list]


def _store(store: Store) -> dict[str, object]:
    return {
        "storeid": store.storeid,
        "eshopid": ESHOP_ID,
        "storetype": 10,
        "name": store.name,
        "externalid": store.externalid,
        "externalgroupid": "",
        "phone": None,
        "email": None,
        "address": store.address,
        "address2": "",
        "zip": store.zip,
        "city": store.city,
        "state": "",
        "countryid": store.market.country,
        "latitude": None,
        "longitude": None,
        "nearby_stores": [],
        "usetype_movein": 10,
        "usetype_moveout": 20,
        "usetype_manualin": None,
        "usetype_manualout": None,
        "usetype_shipmentin": None,
        "usetype_shipmentout": None,
        "tags": [],
        "additional_data": None,
    }


def warehouses(chain: Chain) -> list[dict[str, object]]:
    """The central warehouse, which belongs to no store, and one for each store."""
    central: dict[str, object] = {
        "warehouseid": CENTRAL_WAREHOUSE,
        "warehousetype": 10,
        "usetype": 10,
        "storeid": None,
        "sellable": True,
        "currencycode": SWEDEN.currency,
        "name": "Centrallager Borås",
        "address": "Lagergatan 1",
        "address2": "",
        "zip": "504 94",
        "city": "Borås",
        "state": "",
        "countryid": "se",
        "externalid": "CENTRAL",
    }
    of_stores = [
        {
            **central,
            "warehouseid": store.warehouseid,
            "storeid": store.storeid,
            "name": f"Butikslager {store.name}",
            "address": store.address,
            "zip": store.zip,
            "city": store.city,
            "countryid": store.market.country,
            "currencycode": store.market.currency,
            "externalid": f"L{store.externalid}",
        }
        for store in chain.store_list
    ]
    return [central, *of_stores]


def cash_registers(chain: Chain, *, now: int) -> list[dict[str, object]]:
    """Every register where it stands at ``now`` (epoch seconds). It has no store: that follows from its warehouse."""
    today = trading_day(now, chain.zone)
    standing = [(till.register, till.store(today)) for till in chain.tills if till.register]
    return [
        {
            "registerid": register.registerid,
            "manufacturerid": register.manufacturerid,
            "registerkey": register.registerkey,
            "company": COMPANY,
            "companyid": COMPANY_ID,
            "address": store.address,
            "address2": "",
            "zip": store.zip,
            "city": store.city,
            "state": "",
            "countryid": store.market.country,
            "currencycode": store.market.currency,
            "receiptlanguagetag": store.market.language,
            "storesettingid": store.storeid,
            "warehouseid": store.warehouseid,
            "salestaxgroupid": 1 if store.market.sales_tax else None,
        }
        for register, store in standing
        if store.listed
    ]


def product_groups() -> list[dict[str, object]]:
    """Every product group."""
    return [
        {
            "vatid": group.vatid,
            "value": group.vat_percent,
            "productgrouptype": group.kind,
            "productgroupname": group.name,
            "comment": group.comment,
        }
        for group in GROUPS
    ]


def products(chain: Chain) -> list[dict[str, object]]:
    """Every article, with all documented fields."""
    since = day_start(chain.opened, chain.zone)
    return [_product(product, since) for product in PRODUCTS]


def _product(product: Product, since: int) -> dict[str, object]:
    net = str(cents(product.gross_price / (1 + Decimal(product.group.vat_percent) / 100)))
    texts = dict.fromkeys(
        ("descriptionshort", "description", "deliveryinfo", "manufacturerurl", *(f"custom{n}" for n in range(1, 6))), ""
    )
    variant = [dict(zip(("name", "value"), product.attributes.split(": "), strict=True))] if product.attributes else []
    return {
        "productid": product.productid,
        "sku": product.sku,
        "skumanufacturer": "",
        **texts,
        "moneyprice": net,
        "moneypriceorg": net,
        "moneyfinalprice": net,
        "moneypricein": str(product.cost),
        "unitlabel": "kg" if product.weighed else "",
        "allowdecimals": product.weighed,
        "active": True,
        "activepos": True,
        "vatid": product.group.vatid,
        "vatvalue": product.group.vat_percent,
        "productgrouptype": product.group.kind,
        "defaultcategoryid": None,
        "categories": [],
        "manufacturerid": None,
        "stockcountenable": product.has_stock,
        "stockallowbackorder": True,
        "variantparentid": product.parent,
        "barcode": f"73400{product.productid:08d}",
        "barcodealiases": [],
        "similar": [],
        "related": [],
        "accessories": [],
        "variant": variant,
        "customattributes": {},
        "title": product.title,
        "datecreated": since,
        "datemodified": since,
    }
