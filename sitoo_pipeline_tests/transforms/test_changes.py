"""What moved on a date that was loaded again: orders by number, figures by measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import Table, core, marts, meta
from sitoo_pipeline.transforms.changes import FIGURES
from sitoo_pipeline_tests.transforms.strategies import QUICK, frame, lines_of, order_lines, orders

DAY = date(2026, 10, 24)
Frames = dict[Table, pl.DataFrame]
Rows = dict[Table, list[dict[str, Any]]]


def order_rows(order_id: int, store: str = "0101", **more: Any) -> Rows:
    """An order of one line and one payment."""
    at = {"order_id": order_id, "business_date": DAY}
    place = {"store_id": store, "channel": "pos", "currency": "SEK"}
    return {
        core.ORDERS: [{**at, **place, **more.get("order", {})}],
        core.ORDER_LINES: [{**at, "line_no": 0, "quantity": 1, **more.get("line", {})}],
        core.ORDER_PAYMENTS: [{**at, "payment_no": 0, "money_amount": Decimal("9.50"), **more.get("payment", {})}],
    }


def frames(*given: Rows) -> Frames:
    tables = (core.ORDERS, core.ORDER_LINES, core.ORDER_PAYMENTS)
    return {table: frame([row for rows in given for row in rows[table]], table.polars_schema) for table in tables}


def told(moved: pl.DataFrame) -> list[tuple[Any, ...]]:
    assert moved.schema == meta.RELOAD_DIFFS.empty().drop("seen_at", "run_id").schema
    return [tuple(row) for row in moved.drop("business_date").iter_rows()]


def test_orders_that_came_went_and_changed() -> None:
    before = frames(*(order_rows(number) for number in (1, 2, 3, 4, 5)), order_rows(9, store="0109"))
    after = frames(
        order_rows(1),
        order_rows(2, order={"order_state_id": 20}),
        order_rows(3, line={"quantity": 2}),
        order_rows(4, payment={"name": "Kort"}),
        order_rows(6),
        order_rows(7),
    )
    assert told(transforms.moved_orders(before, after)) == [
        ("0101", "pos", "SEK", "orders_added", None, Decimal(2)),
        ("0101", "pos", "SEK", "orders_removed", None, Decimal(1)),
        ("0101", "pos", "SEK", "orders_changed", None, Decimal(3)),
        ("0109", "pos", "SEK", "orders_removed", None, Decimal(1)),
    ]


def test_a_line_or_payment_that_is_new_or_gone_changes_its_order() -> None:
    plain, more = order_rows(1), order_rows(1)
    more[core.ORDER_LINES].append({**more[core.ORDER_LINES][0], "line_no": 1})
    without = {**plain, core.ORDER_PAYMENTS: []}
    for other in (more, without):
        for before, after in ((plain, other), (other, plain)):
            moved = transforms.moved_orders(frames(before), frames(after))
            assert told(moved) == [("0101", "pos", "SEK", "orders_changed", None, Decimal(1))]


def test_an_order_in_another_place_went_there_and_came_here() -> None:
    moved = transforms.moved_orders(frames(order_rows(1)), frames(order_rows(1, store="0102")))
    assert told(moved) == [
        ("0101", "pos", "SEK", "orders_removed", None, Decimal(1)),
        ("0102", "pos", "SEK", "orders_added", None, Decimal(1)),
    ]


def day(store: str, **measures: Any) -> dict[str, Any]:
    nothing = {name: 0 if marts.DAILY_SALES.polars_schema[name] == pl.Int32 else Decimal(0) for name in FIGURES}
    place = {"account": "a", "store_id": store, "channel": "pos", "currency": "SEK", "business_date": DAY}
    return {**place, **nothing, "visitors": None, **measures}


def daily(*rows: dict[str, Any]) -> Frames:
    return {marts.DAILY_SALES: frame(list(rows), marts.DAILY_SALES.polars_schema)}


def test_measures_before_and_after() -> None:
    before = daily(
        day("1", gross_sales=Decimal("120.00"), transactions=1),
        day("2", gross_sales=Decimal("5.00")),
        day("3", net_sales=Decimal("1.10"), store_name="Å"),
    )
    after = daily(
        day("1", gross_sales=Decimal("220.01"), transactions=2),
        day("3", net_sales=Decimal("1.10"), store_name="Ä"),
        day("4", returns=Decimal("9.99"), goods_returned=3, visitors=7),
    )
    assert told(transforms.moved_figures(before, after)) == [
        ("1", "pos", "SEK", "gross_sales", Decimal("120.00"), Decimal("220.01")),
        ("1", "pos", "SEK", "transactions", Decimal(1), Decimal(2)),
        ("2", "pos", "SEK", "gross_sales", Decimal("5.00"), None),
        ("4", "pos", "SEK", "returns", None, Decimal("9.99")),
        ("4", "pos", "SEK", "goods_returned", None, Decimal(3)),
        ("4", "pos", "SEK", "visitors", None, Decimal(7)),
    ]


def test_the_measures_are_those_of_the_day() -> None:
    assert FIGURES[0] == "gross_sales"
    assert set(FIGURES) == {c.name for c in marts.DAILY_SALES.columns if c.type.kind in ("money", "whole number")}


Moved = Callable[[Frames, Frames], pl.DataFrame]


@st.composite
def two_loads(draw: st.DrawFn) -> tuple[Frames, Frames]:
    """``core`` of some orders, and again with some of them gone, new or with other lines."""
    both = draw(orders()), draw(orders())
    mixed = pl.concat(
        side.filter(pl.col("order_id").is_in(draw(st.sets(st.integers(1, 6))))) for side in reversed(both)
    ).unique("order_id", keep="first", maintain_order=True)
    rows = draw(order_lines())
    other = [{**deepcopy(row), **({"quantity": 7} if draw(st.booleans()) else {})} for row in rows]
    payments = core.ORDER_PAYMENTS.empty()
    return (
        {core.ORDERS: both[0], core.ORDER_LINES: lines_of(rows), core.ORDER_PAYMENTS: payments},
        {core.ORDERS: mixed, core.ORDER_LINES: lines_of(other), core.ORDER_PAYMENTS: payments},
    )


def places(table: pl.DataFrame) -> Iterator[tuple[tuple[Any, ...], int]]:
    for row in table.iter_rows(named=True):
        yield (row["business_date"], row["store_id"], row["channel"], row["currency"]), row["order_id"]


@QUICK
@given(two_loads())
def test_the_numbers_account_for_every_order(loads: tuple[Frames, Frames]) -> None:
    before, after = loads
    moved = transforms.moved_orders(before, after)
    was, becomes = (set(places(side[core.ORDERS])) for side in loads)
    number: dict[tuple[Any, ...], int] = {}
    for *at, measure, _, after_it in moved.iter_rows():
        number[*at, measure] = int(after_it)
    for place in {place for place, _ in was | becomes}:
        stayed = {order for at, order in was & becomes if at == place}
        assert number.pop((*place, "orders_added"), 0) == sum(at == place for at, _ in becomes - was)
        assert number.pop((*place, "orders_removed"), 0) == sum(at == place for at, _ in was - becomes)
        assert number.pop((*place, "orders_changed"), 0) == sum(
            any(rows_of(before[table], order) != rows_of(after[table], order) for table in after) for order in stayed
        )
    assert number == {}


def rows_of(table: pl.DataFrame, order: int) -> list[Any]:
    return sorted(table.filter(order_id=order).rows(), key=repr)


@QUICK
@given(two_loads())
def test_the_figures_before_and_what_moved_are_the_figures_after(loads: tuple[Frames, Frames]) -> None:
    was, becomes = (
        transforms.daily_sales(
            transforms.hourly_sales(account="a", orders=side[core.ORDERS], lines=side[core.ORDER_LINES])
        )
        for side in loads
    )
    moved = transforms.moved_figures({marts.DAILY_SALES: was}, {marts.DAILY_SALES: becomes})
    told_of = {(*place, measure): (before, after) for *place, measure, before, after in moved.iter_rows()}
    before, after = figures(was), figures(becomes)
    for figure in before.keys() | after.keys():
        pair = before.get(figure), after.get(figure)
        assert told_of.pop(figure, None) == (pair if (pair[0] or 0) != (pair[1] or 0) else None)
    assert told_of == {}


def figures(table: pl.DataFrame) -> dict[tuple[Any, ...], Any]:
    return {
        (row["business_date"], row["store_id"], row["channel"], row["currency"], name): row[name]
        for row in table.iter_rows(named=True)
        for name in FIGURES
    }


@pytest.mark.parametrize("moved", [transforms.moved_orders, transforms.moved_figures])
@given(data=st.data())
@QUICK
def test_the_same_again_moves_nothing(moved: Moved, data: st.DataObject) -> None:
    side, _ = data.draw(two_loads())
    hourly = transforms.hourly_sales(account="a", orders=side[core.ORDERS], lines=side[core.ORDER_LINES])
    side[marts.DAILY_SALES] = transforms.daily_sales(hourly)
    tables = {table: side[table] for table in (marts.DAILY_SALES, core.ORDERS, core.ORDER_LINES, core.ORDER_PAYMENTS)}
    if moved is transforms.moved_orders:
        del tables[marts.DAILY_SALES]
    assert moved(tables, {table: rows.reverse() for table, rows in tables.items()}).is_empty()
