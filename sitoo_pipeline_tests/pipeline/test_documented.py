"""The bodies that Sitoo's API reference shows, unchanged, from HTTP to the marts: the figures that come out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline_tests.pipeline.expected import differing_cells, oracle
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server
from sitoo_pipeline_tests.warehouse.support import documented

MAY_2016, FEBRUARY_2019, APRIL_2020, DECEMBER_2020 = DATES = [
    date(2016, 5, 12),
    date(2019, 2, 20),
    date(2020, 4, 17),
    date(2020, 12, 1),
]
OBJECTS: dict[str, list[dict[str, Any]]] = {
    "orders": [*documented("orders")["items"], documented("order")],
    "z_reports": documented("z_reports"),
    "registers": documented("cash_registers")["items"],
    **{
        name: documented(name)["items"] for name in ("stores", "warehouses", "product_groups", "warehouse_transactions")
    },
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with Server(Script(OBJECTS, sites=documented("sites")["items"])) as server:
        made = Project.make(tmp_path_factory.mktemp("documented"), server, start_date=MAY_2016)
        made.load_plainly([DATES])
        yield made


@pytest.mark.parametrize("table", marts.TABLES, ids=lambda table: table.name)
def test_every_cell_equals_the_oracle(table: Table, project: Project) -> None:
    expected = getattr(oracle(OBJECTS, dates=DATES, start_date=MAY_2016), table.name)()
    assert expected
    assert differing_cells(project.rows(table), expected, table) == []


def test_nothing_is_refused_and_every_field_is_known(project: Project) -> None:
    assert project.query("FROM meta.quarantine") == []
    assert project.query("FROM meta.drift") == []


def test_a_sale_and_a_return_in_one_hour(project: Project) -> None:
    [hour] = project.rows(marts.HOURLY_SALES)
    assert hour == {
        "account": "kedjan",
        "store_id": "unknown",
        "store_name": None,
        "channel": "pos",
        "currency": "USD",
        "business_date": MAY_2016,
        "hour_start": datetime(2016, 5, 12, 8, tzinfo=UTC),
        "local_hour": 10,
        "gross_sales": Decimal("15.00"),
        "net_sales": Decimal("14.15"),
        "vat": Decimal("0.85"),
        "discounts": Decimal("0.00"),
        "returns": Decimal("2990.00"),
        "returns_net": Decimal("2392.00"),
        "gift_card_sales": Decimal("0.00"),
        "roundoff": hour["roundoff"],
        "transactions": 1,
        "return_transactions": 1,
        "goods_sold": 1,
        "goods_returned": 1,
        "visitors": None,
    }
    assert hour["roundoff"] == sum(Decimal(item["moneytotal_gross_roundoff"]) for item in documented("orders")["items"])


def test_an_unpaid_order_is_kept_and_does_not_count(project: Project) -> None:
    [order] = project.query("SELECT * FROM core.orders WHERE order_id = 11514")
    assert (order["business_date"], order["counts"]) == (FEBRUARY_2019, False)
    lines = project.query("SELECT line_no, quantity, discount_gross FROM core.order_lines WHERE order_id = 11514")
    assert sorted(tuple(line.values()) for line in lines) == [
        (0, 1, Decimal("0.00")),
        (1, 2, Decimal("50.00")),
        (2, 1, Decimal("0.00")),
    ]


def test_a_z_report_without_its_orders_does_not_balance(project: Project) -> None:
    rows = project.query("SELECT * FROM marts.z_report_reconciliation WHERE z_report_id IS NOT NULL")
    assert [(row["business_date"], row["store_id"], row["status"]) for row in rows] == [
        (APRIL_2020, "200", "unbalanced")
    ]
    assert (rows[0]["z_gross_sales"], rows[0]["ours_gross_sales"]) == (Decimal("40463.75"), Decimal("0.00"))


def test_what_moved_in_the_warehouses(project: Project) -> None:
    rows = project.query(
        "SELECT business_date, warehouse_id, sku, quantity_sold, quantity_refunded, quantity_stocktaking "
        "FROM marts.stock_movements_daily ORDER BY ALL"
    )
    zero = Decimal("0.000")
    assert [tuple(row.values()) for row in rows] == [
        (MAY_2016, 1, "44079-0", zero, Decimal("1.000"), zero),
        (FEBRUARY_2019, 1, "10038-1", zero, zero, Decimal("-1.000")),
        (DECEMBER_2020, 2, "10038-2", Decimal("-1.000"), zero, zero),
        (DECEMBER_2020, 2, "83428-0", Decimal("-2.000"), zero, zero),
        (DECEMBER_2020, 2, "83537-0", Decimal("-1.000"), zero, zero),
    ]
