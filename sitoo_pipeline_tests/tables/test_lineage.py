"""Which columns a column is made from: said of each, of columns that are there, and of none that nobody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from sitoo_pipeline.tables import Table, core, marts, raw
from sitoo_pipeline.tables.lineage import COMPUTED, in_words, origins
from sitoo_pipeline.tables.z_reports import Z_REPORT_PAYMENTS
from sitoo_pipeline.transforms.reconciliation import READS as RECONCILED
from sitoo_pipeline.transforms.sales import READS as SOLD
from sitoo_pipeline.transforms.stock_reconciliation import READS as STOCK

TABLES = (*core.TABLES, core.VISITORS, *marts.TABLES)
OF_NOTHING_OF_SITOO = {"account"}
READS: dict[Table, Mapping[Table, Sequence[str]]] = {
    marts.HOURLY_SALES: {**SOLD, core.VISITORS: core.VISITORS.names},
    marts.REGISTER_SALES: SOLD,
    marts.Z_REPORT_RECONCILIATION: RECONCILED,
    marts.Z_REPORT_ORDERS: RECONCILED,
    marts.STOCK_RECONCILIATION: STOCK,
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.qualified)
def test_every_column_says_what_it_is_made_from(table: Table) -> None:
    found = origins(table)
    assert list(found) == [name for name in table.names if name in found]
    assert set(table.names) - found.keys() <= OF_NOTHING_OF_SITOO, "say in tables/lineage.py what they are made from"
    for name, made_from in found.items():
        assert len(set(made_from)) == len(made_from), name
        for of, column in made_from:
            assert of.column(column)
            assert of.layer == "raw" or (of.layer, table.layer) in {("core", "core"), ("core", "marts"), ("marts",) * 2}


@pytest.mark.parametrize("table", COMPUTED, ids=lambda table: table.qualified)
def test_only_columns_that_are_computed_are_said_to_be(table: Table) -> None:
    assert [name for name in COMPUTED[table] if table.column(name).source] == []


@pytest.mark.parametrize("table", READS, ids=lambda table: table.qualified)
def test_a_mart_is_made_from_nothing_but_what_is_read_for_it(table: Table) -> None:
    read = {(of, name) for of, names in READS[table].items() for name in names}
    named = {origin for made_from in origins(table).values() for origin in made_from}
    assert named - read <= {(core.PRODUCT_GROUPS, "name"), (core.PRODUCT_GROUPS, "product_group_type")}


def test_a_figure_can_be_followed_to_what_sitoo_sent() -> None:
    def followed(table: Table, column: str) -> set[str]:
        made_from = origins(table).get(column, ())
        return {f"{table.qualified}.{column}"} | {one for of, name in made_from for one in followed(of, name)}

    found = followed(marts.WEEKLY_BALANCE_HOURLY, "net_sales")
    assert {"marts.hourly_sales.net_sales", "core.order_lines.money_item_total_net", "raw.orders.orderitems"} <= found


def test_a_plain_field_is_read_from_its_raw_table() -> None:
    assert origins(core.ORDERS)["email"] == ((raw.ORDERS, "email"),)
    assert origins(core.ORDER_LINES)["line_no"] == ((raw.ORDERS, "orderitems"),)
    assert [name for _, name in origins(core.Z_REPORTS)["currency"]] == ["currencycode"]
    sides = origins(Z_REPORT_PAYMENTS)["side"]
    assert [name for _, name in sides] == ["paymentssales", "paymentsrefund"]


def test_in_words() -> None:
    assert in_words(origins(marts.WEEKLY_BALANCE_HOURLY)["currency"]) == (
        "marts.hourly_sales: currency; core.stores: currency"
    )
