"""The declared schemas against DuckDB, against each other, and against the public contract."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from sitoo_pipeline.tables import ALL_TABLES, BY_NAME, Table, core, marts, raw
from sitoo_pipeline.tables.lineage import RAW
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.types import INSTANT, DataType, ObjectList
from sitoo_pipeline.warehouse import Warehouse
from sitoo_pipeline.warehouse.sources import source_frame, table_frame

FLAT = [table for table in ALL_TABLES if table.layer != "raw"]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("tables") / "warehouse.duckdb")


def test_every_table_in_duckdb_is_as_declared(warehouse: Warehouse) -> None:
    with warehouse.connect() as con:
        for table in ALL_TABLES:
            described = con.execute(f"DESCRIBE {table.qualified}").fetchall()
            columns = [(c.name, "YES" if c.nullable else "NO") for c in table.all_columns]
            assert [(name, nullable) for name, _, nullable, *_ in described] == columns
            types = ", ".join(f"NULL::{c.type.sql}" for c in table.all_columns)
            declared = con.execute(f"DESCRIBE SELECT {types}").fetchall()
            assert [row[1] for row in described] == [row[1] for row in declared]


@pytest.mark.parametrize("table", FLAT, ids=lambda table: table.qualified)
def test_duckdb_gives_the_frame_that_polars_declares(warehouse: Warehouse, table: Table) -> None:
    with warehouse.connect() as con:
        assert table_frame(con, table).schema == table.polars_schema
    assert table.empty().schema == table.polars_schema
    table.pandera_schema.validate(table.empty(), lazy=True)


def test_every_source_can_be_read_from_its_raw_table(warehouse: Warehouse) -> None:
    assert RAW.keys() == set(core.TABLES)
    with warehouse.connect() as con:
        for table, source in RAW.items():
            found = source_frame(con, table, source)
            assert dict(found.schema) == {name: table.polars_schema[name] for name in found.columns}
            assert set(found.columns) >= {c.name for c in table.columns if c.source}


def test_every_column_and_table_is_described_and_named_once() -> None:
    assert len(BY_NAME) == len(ALL_TABLES)
    for table in ALL_TABLES:
        names = [column.name for column in table.all_columns]
        assert [name for name, count in Counter(name.lower() for name in names).items() if count > 1] == []
        assert [column.name for column in table.columns if not column.description.strip()] == []
        assert table.description.endswith(".")
        assert set(table.key) <= set(names)
        assert table.layer == "meta" or table.partition is None or not table.column(table.partition).nullable


def test_keys_are_never_null_but_where_an_order_or_its_z_report_is_missing() -> None:
    nullable = [(t.qualified, name) for t in ALL_TABLES for name in t.key if t.column(name).nullable]
    assert nullable == [
        ("marts.z_report_reconciliation", "z_report_id"),
        ("marts.z_report_orders", "z_report_id"),
        ("marts.z_report_orders", "order_id"),
    ]


@pytest.mark.parametrize("table", raw.TABLES, ids=lambda table: table.name)
def test_a_raw_table_requires_its_key_its_clock_and_its_place_only(table: RawTable) -> None:
    required = {c.name for c in table.columns if not c.nullable} - {"business_date", "_landing_file"}
    of_loader = {"eshopid"} if table is raw.PRODUCTS else set()
    assert required == {*table.required, *of_loader}
    assert required == {*table.key, *([table.clock] if table.clock else []), *table.placed_by}
    assert set(table.required).isdisjoint(of_loader)
    assert table.placed_by == (("warehouseid",) if table is raw.WAREHOUSE_TRANSACTIONS else ())
    assert (table.clock is None) == (table.partition is None)
    assert table.clock is None or table.column(table.clock).type is INSTANT
    assert set(table.shape) == {field.name for field in table.fields}


def test_the_shape_of_an_object_goes_as_deep_as_its_lists() -> None:
    payments = raw.Z_REPORTS.shape["paymentssales"]
    assert payments is not None
    parts = ("name", "moneysubtotal", "moneycaptured", "moneyinadvance", "moneyreserved")
    assert payments["subpayments"] == dict.fromkeys(parts)
    assert raw.ORDERS.shape["additionaldata"] is None


def test_what_can_identify_a_person_is_marked() -> None:
    marked = {f"{table.qualified}.{c.name}" for table in ALL_TABLES for c in table.columns if c.personal}
    in_raw = {"email", "namefirst", "namelast", "personalid", "phone", "invoice_address", "comment", "additionaldata"}
    assert {f"raw.orders.{name}" for name in in_raw} <= marked
    in_core = {"email", "name_first", "name_last", "phone", "crm_customer_id", "crm_member_number"}
    assert {f"core.orders.{name}" for name in in_core} <= marked
    assert "meta.quarantine.payload" in marked
    assert {name.split(".")[0] for name in marked} == {"raw", "core", "meta"}


def test_amounts_are_never_floats() -> None:
    def scalars(kind: object, path: str) -> list[tuple[str, str]]:
        if isinstance(kind, ObjectList):
            return [found for name, nested in kind.fields for found in scalars(nested, f"{path}.{name}")]
        assert isinstance(kind, DataType)
        return [(path, kind.sql)]

    every = [found for t in ALL_TABLES for c in t.columns for found in scalars(c.type, f"{t.qualified}.{c.name}")]
    assert [path for path, sql in every if sql == "DOUBLE"] == [
        "raw.orders.orderitems.vouchervalue",
        "raw.orders.orderlogitems.fvalue",
    ]
    wrong = [path for path, sql in every if path.rsplit(".", 1)[1].startswith("money") and sql != "DECIMAL(18,2)"]
    assert wrong == []


STORE_AND_DAY = ["account", "store_id", "store_name", "channel", "currency", "business_date"]
MEASURES = [
    *("gross_sales", "net_sales", "vat", "discounts", "returns", "returns_net", "gift_card_sales", "roundoff"),
    *("transactions", "return_transactions", "goods_sold", "goods_returned", "visitors"),
]
WEEKLY_BALANCE = [
    *("account", "store_id", "currency", "business_date", "hour", "gross_sales", "net_sales", "discounts", "returns"),
    *("transactions", "goods_sold", "goods_returned", "visitors"),
]
RECONCILED = [
    *("gross_sales", "net_sales", "goods_sold", "returns", "goods_returned", "discounts", "roundoff"),
    *("numsales", "numrefund"),
]
Z_REPORT = ["account", "store_id", "register_id", "z_report_id", "business_date", "currency", "status"]


def test_the_columns_of_the_marts_are_the_contract() -> None:
    assert marts.HOURLY_SALES.names == [*STORE_AND_DAY, "hour_start", "local_hour", *MEASURES]
    assert marts.DAILY_SALES.names == [*STORE_AND_DAY, *MEASURES]
    assert marts.REGISTER_SALES.names == [
        *("account", "store_id", "register_id", "currency", "business_date"),
        *MEASURES[:-1],
    ]
    assert marts.WEEKLY_BALANCE_HOURLY.names == WEEKLY_BALANCE
    sides = [f"{side}_{measure}" for side in ("z", "ours", "diff") for measure in RECONCILED]
    assert marts.Z_REPORT_RECONCILIATION.names == [*Z_REPORT, *sides]
    repeated = [f"{side}_{measure}" for measure in ("gross_sales", "returns") for side in ("z", "ours", "diff")]
    shares = [f"order_{measure}" for measure in RECONCILED]
    assert marts.Z_REPORT_ORDERS.names == [*Z_REPORT, *repeated, "order_id", "receipt_id", "ordered_at", *shares]
    assert core.ORDER_LINES.key == ("order_id", "line_no")
    assert core.STOCK_MOVEMENTS.key == ("warehouse_transaction_id", "item_no")


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(KeyError, match=r"raw\.sites has no column 'colour'"):
        raw.SITES.column("colour")


def test_names_of_columns_need_no_quotes_in_a_query(tmp_path: Path) -> None:
    """An analyst writes them as they are."""
    with duckdb.connect() as con:
        for table in ALL_TABLES:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {table.layer}")
            con.execute(table.ddl)
            con.execute(f"SELECT {', '.join(c.name for c in table.all_columns)} FROM {table.qualified}")
