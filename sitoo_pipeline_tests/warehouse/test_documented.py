"""The bodies of Sitoo's reference load as they stand, and come back with their values in the declared types."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline.tables import core, raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.z_reports import CHILDREN, Z_REPORT_PAYMENTS, Z_REPORT_VAT_GROUPS
from sitoo_pipeline.transforms import Places, place_orders
from sitoo_pipeline.warehouse.sources import source_frame, table_frame
from sitoo_pipeline_tests.warehouse.support import Account, documented

REGISTER = "{3CCB9848-155A-49E1-7CA8-5F7F78FC3067}"
MAY_2016, FEBRUARY_2019, APRIL_2020 = date(2016, 5, 12), date(2019, 2, 20), date(2020, 4, 17)


def same(ours: Any, theirs: Any) -> bool:
    """Whether a value of ours is what Sitoo wrote: amounts exactly, timestamps as instants, texts as they are."""
    if theirs is None:
        return ours is None
    if isinstance(ours, datetime):
        return ours.tzinfo is not None and ours == datetime.fromtimestamp(theirs, UTC)
    if isinstance(ours, Decimal):
        return ours == Decimal(str(theirs))
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, dict):
        return all(same(ours[name], value) for name, value in theirs.items())
    return type(ours) is type(theirs) and bool(ours == theirs)


def assert_same(rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    wrong = [
        (name, row[name], value)
        for row, item in zip(rows, objects, strict=True)
        for name, value in item.items()
        if not same(row[name], value)
    ]
    assert not wrong
    assert all(
        row[name] is None
        for row, item in zip(rows, objects, strict=True)
        for name in row.keys() - item.keys() - {"business_date"}
    )


def test_the_list_of_orders(account: Account) -> None:
    loaded = account.load(documented("orders"), dates=[MAY_2016])

    assert loaded[MAY_2016].rows == 2
    assert loaded[MAY_2016].quarantined == 0
    assert_same(account.records(raw.ORDERS), documented("orders")["items"][::-1])
    assert account.refused() == []


def test_a_single_order_with_every_field(account: Account) -> None:
    account.load([documented("order")], dates=[FEBRUARY_2019])

    rows = account.records(raw.ORDERS)
    assert_same(rows, [documented("order")])
    assert rows[0]["orderdate"] == datetime(2019, 2, 20, 13, 36, 12, tzinfo=UTC)
    assert rows[0]["moneytotal_gross_all"] == Decimal("431.00")
    assert rows[0]["orderitems"][1]["additionaldata"] == {"orderitem-moneyrowdiscount": "50.00"}


def test_a_z_report_in_a_bare_array(account: Account) -> None:
    account.load(documented("z_reports"), table=raw.Z_REPORTS, dates=[APRIL_2020])

    rows = account.records(raw.Z_REPORTS)
    assert_same(rows, documented("z_reports"))
    assert rows[0]["moneycash_diff"] == Decimal("0.14")
    assert rows[0]["productgroupssales"][1]["numtotal"] == 6


def test_warehouse_transactions(account: Account) -> None:
    dates = [MAY_2016, FEBRUARY_2019, date(2020, 12, 1)]
    account.load(documented("warehouse_transactions"), table=raw.WAREHOUSE_TRANSACTIONS, dates=dates)

    assert_same(account.records(raw.WAREHOUSE_TRANSACTIONS), documented("warehouse_transactions")["items"][::-1])


@pytest.mark.parametrize("table", [table for table in raw.REFERENCE if not table.kept], ids=lambda table: table.name)
def test_reference_data(account: Account, table: RawTable) -> None:
    loaded = account.load_list(documented(table.name), table=table)

    assert loaded.rows == len(documented(table.name)["items"])
    assert_same(account.records(table), documented(table.name)["items"])


def test_products(account: Account) -> None:
    loaded = account.merge(documented("products"))

    [product] = documented("products")["items"]
    product["categories"] = [str(number) for number in product["categories"]]  # documented as texts, shown as numbers
    assert loaded.rows == 1
    assert_same(account.records(raw.PRODUCTS), [{"eshopid": 1, **product}])


def test_core_reads_the_orders(account: Account) -> None:
    account.load(documented("orders"), dates=[MAY_2016])
    with account.warehouse.connect() as con:
        orders = source_frame(con, core.ORDERS, raw.ORDERS, dates=[MAY_2016], extra=core.ORDER_HINTS)
        lines = source_frame(con, core.ORDER_LINES, raw.ORDERS, dates=[MAY_2016])
        payments = source_frame(con, core.ORDER_PAYMENTS, raw.ORDERS)
        nothing = source_frame(con, core.ORDERS, raw.ORDERS, dates=[APRIL_2020])

    sale = orders.row(by_predicate=pl.col("order_id") == 11513, named=True)
    assert (sale["ordered_at"], sale["register_id"]) == (datetime(2016, 5, 12, 8, 18, 39, tzinfo=UTC), REGISTER)
    assert (sale["money_total_gross_all"], sale["money_total_net"]) == (Decimal("15.00"), None)
    assert (sale["email"], sale["pos_timezone"]) == (None, None)
    refund = lines.row(by_predicate=pl.col("order_id") == 11512, named=True)
    assert (refund["line_no"], refund["quantity"], refund["sku"]) == (0, -1, "44079-0")
    assert (refund["money_item_total_net"], refund["vat_percent"]) == (Decimal("-2392.00"), Decimal("25.0000"))
    assert sorted(payments["money_amount"]) == [Decimal("-2900.00"), Decimal("15.00")]
    assert nothing.is_empty()
    for frame, table in ((lines, core.ORDER_LINES), (payments, core.ORDER_PAYMENTS)):
        assert {name: table.polars_schema[name] for name in frame.columns} == dict(frame.schema)


def test_core_reads_the_z_report_and_each_of_its_lists(account: Account) -> None:
    account.load(documented("z_reports"), table=raw.Z_REPORTS, dates=[APRIL_2020])
    with account.warehouse.connect() as con:
        report = source_frame(con, core.Z_REPORTS, raw.Z_REPORTS).row(0, named=True)
        children = {table: source_frame(con, table, raw.Z_REPORTS, dates=[APRIL_2020]) for table in CHILDREN}

    assert report["money_sales_total"] == Decimal("40463.75")
    assert report["opened_at"] < report["closed_at"] < report["added_at"]
    assert {table.name: len(rows) for table, rows in children.items()} == {
        "z_report_vat_groups": 2,
        "z_report_product_groups": 2,
        "z_report_payments": 3,
        "z_report_discounts": 2,
        "z_report_sales_taxes": 0,
    }
    by_vat = children[Z_REPORT_VAT_GROUPS].sort("item_no").select("side", "item_no", "vat_percent", "money_total")
    assert by_vat.rows() == [("sales", 0, Decimal(6), Decimal("14.98")), ("sales", 1, Decimal(25), Decimal("40448.77"))]
    assert children[Z_REPORT_PAYMENTS]["money_total"].sum() == report["money_sales_total"]
    for table, rows in children.items():
        assert set(rows.columns) == set(table.names)


def test_each_side_of_a_z_report_is_named(account: Account) -> None:
    """The documented one has sales only."""
    report = documented("z_reports")[0]
    entry = report["vatgroupssales"][0]
    report |= {"vatgroupssales": [entry], "vatgroupssalesnotdelivered": [entry], "vatgroupsrefund": [entry, entry]}
    account.load([report], table=raw.Z_REPORTS, dates=[APRIL_2020])
    with account.warehouse.connect() as con:
        rows = source_frame(con, Z_REPORT_VAT_GROUPS, raw.Z_REPORTS)

    sides = rows.sort("side", "item_no").select("side", "item_no").rows()
    assert sides == [("refund", 0), ("refund", 1), ("sales", 0), ("sales_not_delivered", 0)]


def test_the_transforms_date_what_is_loaded(account: Account) -> None:
    """The order of 13:36 UTC belongs to the next day in a zone eleven hours ahead."""
    with account.warehouse.connect() as con:
        stores, warehouses, registers = (
            table_frame(con, table) for table in (core.STORES, core.WAREHOUSES, core.REGISTERS)
        )
    places = Places(account_timezone="Pacific/Noumea", stores=stores, warehouses=warehouses, registers=registers)
    read = {"order_id", "ordered_at", "register_id", "warehouse_id"}
    hints = [*(column for column in core.ORDERS.columns if column.name in read), *core.ORDER_HINTS]

    loaded = account.load(
        [documented("order")],
        dates=[FEBRUARY_2019, date(2019, 2, 21)],
        hints=hints,
        dating=lambda objects: place_orders(objects, places=places),
    )

    assert {day: part.rows for day, part in loaded.items()} == {FEBRUARY_2019: 0, date(2019, 2, 21): 1}
