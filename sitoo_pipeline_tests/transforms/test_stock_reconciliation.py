"""Goods sold against stock moved: every cause, in the order in which they are tried, and what is left unexplained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import Json, line, movement, order, transaction
from sitoo_pipeline_tests.scenario.orders import G1, LON
from sitoo_pipeline_tests.transforms.build import build

DAYS = {date(2026, 10, day) for day in range(20, 31)}
"""Long enough around what happens that no date nearby is missing."""
NOON, NEXT = "2026-10-23T12:00:00+02:00", "2026-10-24T12:00:00+02:00"

Found = tuple[str, int, str, str | None, Decimal]


def reconciled(orders: Sequence[Json], moved: Sequence[Json], *, loaded: set[date] = DAYS) -> pl.DataFrame:
    tables = build(
        {**scenario.OBJECTS, "orders": orders, "z_reports": [], "warehouse_transactions": moved},
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    ).on(loaded)
    days = transforms.stock_days(
        orders=tables.orders,
        lines=tables.lines,
        movements=tables.movements,
        product_groups=tables.product_groups,
        places=tables.places,
    )
    return transforms.stock_reconciliation(account="a", days=days, dates=loaded, loaded_dates=loaded)


@pytest.fixture(scope="module")
def of_scenario() -> pl.DataFrame:
    return reconciled(
        [item for part in scenario.STOCK_ORDER_PARTS.values() for item in part],
        [item for part in scenario.STOCK_TRANSACTION_PARTS.values() for item in part],
    )


ANOTHER, ELSEWHERE, UNKNOWN = "delivered_another_day", "delivered_elsewhere", "unknown"


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("WEIGHED", [("0101", 25, "0.000", None, "0.000")]),
        ("TWICE", [("0101", 25, "0.000", None, "0.000")]),
        ("BACK", [("0101", 25, "0.000", None, "0.000")]),
        ("SERVICE", [("0101", 25, "-1.000", "not_stocked", "0.000")]),
        ("GIFT-CARD", [("0101", 25, "-1.000", "not_stocked", "0.000")]),
        ("IGNORED", [("0101", 25, "-1.000", "not_stocked", "0.000")]),
        ("COUNTED-SERVICE", [("0101", 25, "0.000", None, "0.000")]),
        ("OPEN", [("0101", 25, "-1.000", "not_delivered", "0.000")]),
        ("HALF-OPEN", [("0101", 25, "-1.000", "not_delivered", "0.000")]),
        ("FROM-LONDON", [("0101", 24, "-1.000", ELSEWHERE, "0.000"), ("0103", 24, "1.000", ELSEWHERE, "0.000")]),
        ("TO-HELSINKI", [("0101", 24, "-1.000", ELSEWHERE, "0.000"), ("0102", 24, "1.000", ELSEWHERE, "0.000")]),
        ("ENDLESS-AISLE", [("0101", 24, "-1.000", ELSEWHERE, "0.000"), ("unknown", 26, "1.000", ANOTHER, "0.000")]),
        (
            "OPPOSITE",
            [
                ("0101", 24, "-1.000", ELSEWHERE, "0.000"),
                ("0102", 24, "1.000", ELSEWHERE, "0.000"),
                ("0103", 24, "-1.000", UNKNOWN, "-1.000"),
            ],
        ),
        ("SENT-LATER", [("0101", 24, "-1.000", ANOTHER, "0.000"), ("0101", 26, "1.000", ANOTHER, "0.000")]),
        ("BOOKED-LATER", [("0101", 24, "-1.000", ANOTHER, "0.000"), ("0101", 25, "1.000", ANOTHER, "0.000")]),
        (
            "STEADY",
            [
                ("0101", 24, "-1.000", ANOTHER, "0.000"),
                ("0101", 25, "0.000", None, "0.000"),
                ("0101", 26, "1.000", ANOTHER, "0.000"),
            ],
        ),
        ("DELIVERED-TWICE", [("0101", 25, "1.000", "several_transactions", "0.000")]),
        ("NEVER-LEFT", [("0101", 25, "-1.000", UNKNOWN, "-1.000")]),
        ("PARTLY", [("0103", 24, "-3.000", UNKNOWN, "-2.000")]),
        ("NO-SALE", [("0103", 26, "1.000", UNKNOWN, "1.000")]),
    ],
)
def test_what_is_behind_each_article_of_the_scenario(
    sku: str, expected: list[tuple[str, int, str, str | None, str]], of_scenario: pl.DataFrame
) -> None:
    rows = of_scenario.filter(pl.col("sku") == sku).sort("store_id", "business_date")
    found = rows.select("store_id", pl.col("business_date").dt.day(), "diff_goods", "cause", "unexplained_goods").rows()
    assert [(*row[:2], str(row[2]), row[3], str(row[4])) for row in found] == expected


def test_every_cause_has_its_article(of_scenario: pl.DataFrame) -> None:
    at_the_edge = reconciled(
        [order(1, NOON, line("1.00", "0.25"), warehouse=1)],
        [transaction(1, 3, NOON, 30, movement("X", "-1.000"))],
        loaded={date(2026, 10, 23)},
    )
    assert set(at_the_edge["cause"]) == {"date_not_loaded"}
    assert set(of_scenario["cause"].drop_nulls()) == set(marts.STOCK_CAUSES) - {"date_not_loaded"}


def test_goods_are_of_orders_that_count_and_of_product_lines() -> None:
    rows = reconciled(
        [
            order(1, NOON, line("10.00", "2.50", sku="A"), line("-1.00", "-0.25", kind=20, quantity=1, sku="A"), **G1),
            order(2, NOON, line("10.00", "2.50", sku="A"), orderstateid=20, **G1),
            order(3, NOON, line("0.00", "0.00", quantity=0, sku="A"), **G1),
            order(4, NOON, line("10.00", "2.50", quantity=4, sku="A", decimalquantitytotal=None), **G1),
        ],
        [],
    )
    assert rows.select("sku", "side", "ours_goods", "orders").rows() == [("A", "sale", Decimal(5), 2)]


def test_only_sales_and_refunds_are_a_witness() -> None:
    moved = [transaction(kind, 1, NOON, kind, movement("A", "-1.000")) for kind in (10, 20, 30, 40, 50, 60)]
    rows = reconciled([], [*moved, transaction(99, 1, NOON, None, movement("A", "5.000"))])
    assert rows.select("side", "stock_goods", "transactions").rows() == [
        ("return", Decimal(-1), 1),
        ("sale", Decimal(1), 1),
    ]


def test_a_till_hands_over_at_once() -> None:
    """What moved on the next date was sold at that date's till: it does not make up for what never left."""
    sold = [order(number, at, line("1.00", "0.25", sku="A"), **G1) for number, at in ((1, NOON), (2, NEXT))]
    rows = reconciled(sold, [transaction(1, 1, NEXT, 30, movement("A", "-1.000"))])
    assert rows["cause"].to_list() == ["unknown", None]


@pytest.mark.parametrize(("apart", "cause"), [(3, ANOTHER), (4, UNKNOWN)])
def test_goods_are_looked_for_up_to_three_days_away(apart: int, cause: str) -> None:
    sent = f"2026-10-{23 + apart}T12:00:00+01:00"
    rows = reconciled(
        [order(1, NOON, line("1.00", "0.25", sku="A"), warehouse=1)],
        [transaction(1, 1, sent, 30, movement("A", "-1.000"))],
    )
    assert rows["cause"].to_list() == [cause, cause]


def test_what_moved_on_the_same_date_is_counted_already() -> None:
    rows = reconciled(
        [order(1, NOON, line("3.00", "0.75", quantity=3, sku="A"), warehouse=1)],
        [transaction(1, 1, NOON, 30, movement("A", "-1.000"))],
    )
    assert rows.select("diff_goods", "unexplained_goods").rows() == [(Decimal(-2), Decimal(-2))]


def test_a_date_that_moved_too_much_takes_nothing_from_what_another_is_due() -> None:
    rows = reconciled(
        [order(1, NOON, line("1.00", "0.25", sku="A"), warehouse=1)],
        [
            transaction(1, 1, NEXT, 30, movement("A", "-2.000")),
            transaction(2, 1, "2026-10-25T12:00:00+01:00", 30, movement("A", "-1.000")),
        ],
    )
    assert rows.select("cause", "unexplained_goods").rows() == [
        (ANOTHER, Decimal(0)),
        (UNKNOWN, Decimal(1)),
        (ANOTHER, Decimal(0)),
    ]


def test_one_transaction_of_one_order_is_not_several() -> None:
    sold = order(1, NOON, line("1.00", "0.25", sku="A"), **G1)
    rows = reconciled([sold], [transaction(1, 1, NOON, 30, movement("A", "-2.000"))])
    assert rows["cause"].to_list() == [UNKNOWN]


def test_sales_and_returns_do_not_make_up_for_each_other() -> None:
    rows = reconciled(
        [order(1, NOON, line("1.00", "0.25", sku="A"), line("-1.00", "-0.25", quantity=-1, sku="A"), **G1)], []
    )
    assert rows.select("side", "diff_goods", "cause").rows() == [
        ("return", Decimal(-1), UNKNOWN),
        ("sale", Decimal(-1), UNKNOWN),
    ]


def test_a_return_warehouse_is_of_returns_only_and_may_be_nonsense() -> None:
    extra = {"return-warehouseid": "3"}
    rows = reconciled(
        [
            order(1, NOON, line("1.00", "0.25", sku="SOLD", extra=extra), **G1),
            order(2, NOON, line("-1.00", "-0.25", quantity=-1, sku="ODD", extra={"return-warehouseid": "?"}), **G1),
        ],
        [
            transaction(1, 1, NOON, 30, movement("SOLD", "-1.000")),
            transaction(2, 1, NOON, 40, movement("ODD", "1.000")),
        ],
    )
    assert rows["cause"].to_list() == [None, None]


def test_an_order_sent_from_elsewhere_that_never_left_there_is_not_another_stores_difference() -> None:
    rows = reconciled([order(1, NOON, line("1.00", "0.25", sku="A"), **(G1 | {"warehouse": 3}))], [])
    assert rows.select("store_id", "cause").rows() == [("0101", ELSEWHERE)]


def test_the_first_cause_that_takes_a_part_is_named() -> None:
    rows = reconciled(
        [
            order(1, NOON, line("1.00", "0.25", sku="A"), warehouse=1, orderstateid=0),
            order(2, NOON, line("1.00", "0.25", sku="A"), line("1.00", "0.25", group="Skrädderi", sku="A"), **G1),
            order(3, NOON, line("1.00", "0.25", sku="B"), **LON),
        ],
        [transaction(1, 1, NOON, 30, movement("A", "-1.000")), transaction(2, 3, NOON, 30, movement("B", "-1.000"))],
    )
    assert rows.select("sku", "diff_goods", "cause").rows() == [
        ("A", Decimal(-2), "not_stocked"),
        ("B", Decimal(0), None),
    ]
