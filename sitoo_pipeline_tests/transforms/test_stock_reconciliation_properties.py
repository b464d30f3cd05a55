"""What holds for any sales and any stock: no difference is made up, none is lost, and only dates nearby matter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import core
from sitoo_pipeline_tests.transforms.strategies import PLACES, QUICK, frame, lines_of, order_lines, orders

DAYS = {date(2026, 10, 18) + timedelta(days=n) for n in range(14)}
SKUS = ["A", "B", None]


@st.composite
def sales(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Orders and their lines: open ones, some that leave the stock alone, some from a warehouse without a store."""
    heads = draw(orders()).with_columns(
        pl.col("business_date") + pl.duration(days=draw(st.integers(0, 2))) * (pl.col("order_id") % 3),
        delivery_ignores_stock=pl.col("order_id") == draw(st.integers(1, 20)),
        order_state_id=pl.Series([draw(st.sampled_from([0, 10, 10, None])) for _ in range(6)], dtype=pl.Int32),
        warehouse_id=pl.Series([draw(st.sampled_from([None, None, 9])) for _ in range(6)], dtype=pl.Int32),
    )
    rows = [line | {"sku": draw(st.sampled_from(SKUS))} for line in draw(order_lines())]
    dates = dict(heads.select("order_id", "business_date").iter_rows())
    return heads, lines_of([line | {"business_date": dates[line["order_id"]]} for line in rows])


@st.composite
def movements(draw: st.DrawFn) -> pl.DataFrame:
    """Stock that moved for whatever reason."""
    rows = [
        {
            "warehouse_transaction_id": draw(st.integers(1, 20)),
            "item_no": number,
            "business_date": date(2026, 10, 22) + timedelta(days=draw(st.integers(0, 8))),
            "warehouse_id": 1,
            "store_id": draw(st.sampled_from(["1", "2", "unknown"])),
            "movement": draw(st.sampled_from(["sold", "sold", "refunded", "in"])),
            "sku": draw(st.sampled_from(SKUS)),
            "decimal_quantity": draw(st.none() | st.integers(-3000, 1000).map(lambda n: Decimal(n).scaleb(-3))),
        }
        for number in range(draw(st.integers(0, 12)))
    ]
    return frame(rows, core.STOCK_MOVEMENTS.polars_schema)


def reconciled(
    heads: pl.DataFrame, lines: pl.DataFrame, moved: pl.DataFrame, *, dates: set[date] = DAYS, loaded: set[date] = DAYS
) -> pl.DataFrame:
    """What is said of the dates; their sums are made in two parts, since each date stands by itself."""
    seen = sorted(loaded & transforms.nearby_dates(dates))
    parts = [pl.col("business_date").is_in(part) for part in (seen[::2], seen[1::2])]
    days = [
        transforms.stock_days(
            orders=heads.filter(there),
            lines=lines.filter(there),
            movements=moved.filter(there),
            product_groups=core.PRODUCT_GROUPS.empty(),
            places=PLACES,
        )
        for there in parts
    ]
    return transforms.stock_reconciliation(account="a", days=pl.concat(days), dates=dates, loaded_dates=loaded)


def goods(heads: pl.DataFrame, lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Every line with goods of an order that counts."""
    there = lines.join(heads.filter("counts").select("order_id", "store_id"), on="order_id").filter(pl.col("goods") > 0)
    return there.filter(pl.col("side").is_not_null()).to_dicts()


def quantity(line: dict[str, Any]) -> Decimal:
    total: Decimal | None = line["decimal_quantity_total"]
    return abs(Decimal(line["quantity"]) if total is None else total)


@QUICK
@given(sales())
def test_stock_that_follows_every_sale_agrees(sold: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    heads, lines = sold
    followed = [
        {
            "warehouse_transaction_id": number,
            "item_no": 0,
            "business_date": line["business_date"],
            "moved_at": datetime(2026, 10, 24, tzinfo=UTC),
            "warehouse_id": 1,
            "store_id": line["store_id"],
            "movement": "sold" if line["side"] == "sale" else "refunded",
            "sku": line["sku"],
            "decimal_quantity": quantity(line) * (-1 if line["side"] == "sale" else 1),
        }
        for number, line in enumerate(goods(heads, lines))
    ]
    made = reconciled(heads, lines, frame(followed, core.STOCK_MOVEMENTS.polars_schema))
    assert made.filter((pl.col("diff_goods") != 0) | pl.col("cause").is_not_null()).is_empty()
    assert made["transactions"].sum() == len(followed)


@QUICK
@given(sales(), movements())
def test_no_goods_are_lost_and_no_difference_is_made_up(
    sold: tuple[pl.DataFrame, pl.DataFrame], moved: pl.DataFrame
) -> None:
    made = reconciled(*sold, moved)
    assert made["ours_goods"].sum() == sum((quantity(line) for line in goods(*sold)), Decimal())
    sides = {"sold": -1, "refunded": 1, "in": 0}
    expected = sum(((row["decimal_quantity"] or 0) * sides[row["movement"]] for row in moved.to_dicts()), Decimal())
    assert made["stock_goods"].sum() == expected
    for row in made.to_dicts():
        assert row["diff_goods"] == row["stock_goods"] - row["ours_goods"]
        assert (row["cause"] is None) == (row["diff_goods"] == 0)
        assert (row["cause"] == "unknown") == (row["unexplained_goods"] != 0)
        assert 0 <= row["unexplained_goods"] * row["diff_goods"] <= row["diff_goods"] ** 2


@QUICK
@given(sales(), movements(), st.dates(date(2026, 10, 22), date(2026, 10, 29)))
def test_only_dates_nearby_change_when_a_date_is_loaded(
    sold: tuple[pl.DataFrame, pl.DataFrame], moved: pl.DataFrame, day: date
) -> None:
    before, after = reconciled(*sold, moved, loaded=DAYS - {day}), reconciled(*sold, moved)
    for other in DAYS - transforms.nearby_dates({day}):
        there = pl.col("business_date") == other
        assert before.filter(there).equals(after.filter(there)), other


@QUICK
@given(sales(), movements(), st.sets(st.dates(date(2026, 10, 22), date(2026, 10, 30)), min_size=1, max_size=3))
def test_some_dates_alone_are_those_dates_of_all(
    sold: tuple[pl.DataFrame, pl.DataFrame], moved: pl.DataFrame, some: set[date]
) -> None:
    together = reconciled(*sold, moved)
    alone = reconciled(*sold, moved, dates=some)
    assert alone.equals(together.filter(pl.col("business_date").is_in(sorted(some))))
