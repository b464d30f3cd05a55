"""``raw``: one row per object as Sitoo sent it, every documented field, nested ones as structs and lists.

Sitoo's own names are kept. Money and quantities are exact decimals, timestamps are instants. A field that is not
declared here is kept in the landing file only and named as drift; a declared one that is absent is null.
"""

from __future__ import annotations

from dataclasses import dataclass

from sitoo_pipeline.tables import raw_reference
from sitoo_pipeline.tables.raw_fields import Field
from sitoo_pipeline.tables.raw_orders import ORDER
from sitoo_pipeline.tables.raw_stock import WAREHOUSE_TRANSACTION
from sitoo_pipeline.tables.raw_visitors import VISITORS
from sitoo_pipeline.tables.raw_z_reports import Z_REPORT
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import DATE, INTEGER, TEXT, ObjectList

Shape = dict[str, "Shape | None"]
"""Names that are known: None for a value or a free map, a nested shape for objects."""


@dataclass(frozen=True, eq=False)
class RawTable(Table):
    """A table of objects of one Sitoo resource.

    ``fields`` are the documented fields, ``clock`` the one that dates an object (None: the list is read whole),
    ``placed_by`` those that say where it belongs. A table that is ``kept`` is added to by each load instead of
    replaced, site by site; its key begins with the site, which the objects themselves do not name.
    """

    fields: tuple[Field, ...] = ()
    clock: str | None = None
    placed_by: tuple[str, ...] = ()
    kept: bool = False

    @property
    def object_key(self) -> tuple[str, ...]:
        """The part of the key that an object has in itself."""
        return self.key[1:] if self.kept else self.key

    @property
    def required(self) -> tuple[str, ...]:
        """The fields without which an object cannot be loaded: its key, its clock, and what places it."""
        return (*self.object_key, *((self.clock,) if self.clock else ()), *self.placed_by)

    @property
    def shape(self) -> Shape:
        """Every documented name, nested as in the answers."""
        return _shape(tuple((f.name, f.type) for f in self.fields))


def _shape(pairs: tuple[tuple[str, object], ...]) -> Shape:
    return {name: _shape(kind.fields) if isinstance(kind, ObjectList) else None for name, kind in pairs}


_DATE = Column("business_date", DATE, "Date of the object in the store's local time: its partition", nullable=False)
_FILE = Column(
    "_landing_file", TEXT, "The landed body it came from, below the account's landing folder", nullable=False
)


def _is_personal(field: Field) -> bool:
    return field.personal or (isinstance(field.type, ObjectList) and field.type.is_personal)


def _table(
    name: str,
    description: str,
    key: tuple[str, ...],
    declared: tuple[Field, ...],
    documentation: str,
    clock: str | None = None,
    placed_by: tuple[str, ...] = (),
) -> RawTable:
    columns = tuple(
        Column(
            f.name, f.type, f.description, nullable=f.name not in (*key, clock, *placed_by), personal=_is_personal(f)
        )
        for f in declared
    )
    dated = (_DATE,) if clock else ()
    return RawTable(
        "raw",
        name,
        description,
        (*columns, *dated, _FILE),
        key=key,
        fields=declared,
        clock=clock,
        placed_by=placed_by,
        partition="business_date" if clock else None,
        documentation=documentation,
    )


_DOCS = "https://developer.sitoo.com/api-reference"

ORDERS = _table(
    "orders",
    "Orders of every kind as Sitoo sent them, with lines and payments inside.",
    ("orderid",),
    ORDER,
    f"{_DOCS}/orders",
    clock="orderdate",
)
Z_REPORTS = _table(
    "z_reports",
    "Z-reports of the registers as Sitoo sent them.",
    ("registerid", "zreportid"),
    Z_REPORT,
    f"{_DOCS}/z-reports",
    clock="datecreated",
)
WAREHOUSE_TRANSACTIONS = _table(
    "warehouse_transactions",
    "Warehouse transactions as Sitoo sent them, with their items inside.",
    ("warehousetransactionid",),
    WAREHOUSE_TRANSACTION,
    f"{_DOCS}/warehouse-transactions",
    clock="datecreated",
    placed_by=("warehouseid",),
)
SITES = _table(
    "sites",
    "Sites (e-shops) of the account.",
    ("eshopid",),
    raw_reference.SITE,
    "https://developer.sitoo.com/introduction",  # which speaks of them; they have no page of their own
)
STORES = _table("stores", "Stores of the account's sites.", ("storeid",), raw_reference.STORE, f"{_DOCS}/stores")
WAREHOUSES = _table(
    "warehouses", "Warehouses of the account's sites.", ("warehouseid",), raw_reference.WAREHOUSE, f"{_DOCS}/warehouses"
)
CASH_REGISTERS = _table(
    "cash_registers",
    "Registers (tills) of the account's sites.",
    ("registerid",),
    raw_reference.CASH_REGISTER,
    f"{_DOCS}/cash-registers",
)
PRODUCT_GROUPS = _table(
    "product_groups",
    "Product groups of the account's sites.",
    ("vatid",),
    raw_reference.PRODUCT_GROUP,
    f"{_DOCS}/product-groups",
)

PRODUCTS = RawTable(
    "raw",
    "products",
    "Products of the account's sites, each as it was when it was last read. One that Sitoo has deleted stays.",
    (
        Column("eshopid", INTEGER, "Site whose product it is", nullable=False),
        *(
            Column(f.name, f.type, f.description, nullable=f.name != "productid", personal=_is_personal(f))
            for f in raw_reference.PRODUCT
        ),
        _FILE,
    ),
    key=("eshopid", "productid"),
    partition=None,
    documentation=f"{_DOCS}/products",
    fields=raw_reference.PRODUCT,
    kept=True,
)

DATED = (ORDERS, Z_REPORTS, WAREHOUSE_TRANSACTIONS)
REFERENCE = (SITES, STORES, WAREHOUSES, CASH_REGISTERS, PRODUCT_GROUPS, PRODUCTS)
TABLES: tuple[RawTable, ...] = (*DATED, *REFERENCE)
"""The tables of Sitoo's objects. Beside them there is ``VISITORS``, where the account has a source of them."""

__all__ = [
    "CASH_REGISTERS",
    "DATED",
    "ORDERS",
    "PRODUCTS",
    "PRODUCT_GROUPS",
    "REFERENCE",
    "SITES",
    "STORES",
    "TABLES",
    "VISITORS",
    "WAREHOUSES",
    "WAREHOUSE_TRANSACTIONS",
    "Z_REPORTS",
    "RawTable",
    "Shape",
]
