"""What holds for any orders, lines and instants, not only for the cases that somebody thought of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import core, marts
from sitoo_pipeline_tests.transforms.strategies import (
    LORD_HOWE,
    NOTHING,
    PLACES,
    QUICK,
    STOCKHOLM,
    ZONES,
    frame,
    lines_of,
    order_lines,
    orders,
)

HINTS = pl.Schema(
    {
        "order_id": pl.Int64(),
        "ordered_at": pl.Datetime("us", "UTC"),
        "register_id": pl.String(),
        "warehouse_id": pl.Int32(),
        "pos_timezone": pl.String(),
        "store_external_id": pl.String(),
        "store_snapshot_name": pl.String(),
    }
)


def placed(instants: list[datetime], zone: str) -> pl.DataFrame:
    rows = [{"order_id": n, "ordered_at": at, "pos_timezone": zone} for n, at in enumerate(instants)]
    return transforms.place_orders(frame(rows, HINTS), places=PLACES)


instants = st.integers(946_684_800, 2_145_830_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@QUICK
@given(st.lists(instants, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_any_instant_is_on_the_date_and_in_the_hour_that_the_wall_clock_shows(at: list[datetime], zone: str) -> None:
    for row in placed(at, zone).iter_rows(named=True):
        local = row["ordered_at"].astimezone(ZoneInfo(zone))
        assert row["business_date"] == local.date() == transforms.date_in_zone(row["ordered_at"], zone)
        assert row["local_hour"] == local.hour
        start = row["hour_start"].astimezone(ZoneInfo(zone))
        assert (start.date(), start.hour, start.minute, start.second) == (local.date(), local.hour, 0, 0)
        longest = timedelta(minutes=90 if zone == LORD_HOWE else 60)  # its clocks go back by half an hour
        assert timedelta(0) <= row["ordered_at"] - row["hour_start"] < longest


@QUICK
@given(st.dates(date(2010, 1, 1), date(2036, 12, 30)), st.sampled_from(ZONES))
def test_the_minutes_of_a_date_are_one_run_without_gap_or_overlap(day: date, zone: str) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    around = [noon + timedelta(minutes=15 * step) for step in range(-200, 200)]
    dates = placed(around, zone)["business_date"]
    assert dates.is_sorted()
    assert dates.n_unique() <= 6


def test_the_doubled_hour_is_two_hours_and_the_missing_one_none() -> None:
    autumn = [datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(50)]
    day = placed(autumn, STOCKHOLM)
    hours = day.unique("hour_start").sort("hour_start")
    assert set(day["business_date"]) == {date(2026, 10, 25)}
    assert hours["local_hour"].to_list() == [0, 1, 2, 2, *range(3, 24)]
    spring = [datetime(2026, 3, 28, 23, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(46)]
    hours = placed(spring, STOCKHOLM).unique("hour_start").sort("hour_start")
    assert hours["local_hour"].to_list() == [0, 1, *range(3, 24)]


@QUICK
@given(order_lines())
def test_the_rules_of_the_lines(rows: list[dict[str, Any]]) -> None:
    given_lines = {(row["order_id"], row["line_no"]): row for row in rows}
    for line in lines_of(rows).iter_rows(named=True):
        owner = given_lines.get((line["order_id"], line["product_line_no"]), line)
        if line["product_line_no"] is not None:
            assert line["product_line_no"] <= line["line_no"]
            assert owner["order_item_type"] in (10, None)
        sign = owner["quantity"] or 0
        assert line["side"] == ("sale" if sign > 0 else "return" if sign < 0 else None)
        assert line["is_gift_card"] == owner["has_gift_card_number"]
        is_product = line["order_item_type"] in (10, None)
        assert line["goods"] == (abs(line["quantity"] or 0) if is_product else 0)
        if line["side"] != "sale" or line["is_gift_card"]:
            assert line["discount_gross"] == 0
        elif not is_product:
            assert line["discount_gross"] == max(-line["money_item_total_gross"], 0)
        elif line["money_row_discount"] is not None:
            assert line["discount_gross"] == abs(line["money_row_discount"])
        else:
            quantity = line["decimal_quantity_total"]
            pieces = Decimal(line["quantity"]) if quantity is None else quantity
            exact = (line["money_discount"] or NOTHING) * pieces * (1 + (line["vat_percent"] or NOTHING) / 100)
            assert line["discount_gross"] == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


ADDED = [c.name for c in marts.DAILY_SALES.columns if c.name not in (*marts.DAILY_SALES.key, "store_name", "visitors")]


@QUICK
@given(orders(), order_lines())
def test_hours_add_up_to_days_and_days_to_the_orders(heads: pl.DataFrame, rows: list[dict[str, Any]]) -> None:
    lines = lines_of(rows)
    hourly = transforms.hourly_sales(account="a", orders=heads, lines=lines)
    daily = transforms.daily_sales(hourly)
    weekly = transforms.weekly_balance_hourly(
        account="a",
        hourly=hourly,
        stores=core.STORES.empty(),
        dates=set(heads["business_date"]),
        channels=("pos", "online"),
    )
    registers = transforms.register_sales(account="a", orders=heads, lines=lines)
    at_tills = daily.filter(pl.col("channel") == "pos")
    for measure in ADDED:
        assert hourly[measure].sum() == daily[measure].sum(), measure
        assert registers[measure].sum() == at_tills[measure].sum(), measure
        if measure in weekly.columns:
            assert weekly[measure].sum() == daily[measure].sum(), measure
    counting = heads.filter("counts")
    counted = lines.join(counting, on="order_id", how="semi")
    on_a_side = counted.filter(pl.col("side").is_not_null())
    gross = daily.select((pl.col("gross_sales") - pl.col("returns") + pl.col("gift_card_sales")).sum()).item()
    assert gross == on_a_side["money_item_total_gross"].sum()
    assert daily["discounts"].sum() == counted["discount_gross"].sum()
    assert daily["roundoff"].sum() == counting["money_total_gross_roundoff"].sum()
    assert daily["transactions"].sum() == counted.filter(pl.col("side") == "sale")["order_id"].n_unique()
    assert daily["return_transactions"].sum() == counted.filter(pl.col("side") == "return")["order_id"].n_unique()
    assert set(hourly["business_date"]) == set(counting["business_date"])
    assert weekly.height % 24 == 0


@QUICK
@given(orders(), order_lines(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_a_split_by_day_changes_anything(
    heads: pl.DataFrame, rows: list[dict[str, Any]], chance: Any
) -> None:
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    lines, again = lines_of(rows), lines_of(shuffled)
    assert lines.equals(again)
    hourly = transforms.hourly_sales(account="a", orders=heads, lines=lines)
    mixed = heads.sample(fraction=1, shuffle=True, seed=chance.randrange(1000))
    assert transforms.hourly_sales(account="a", orders=mixed, lines=again.reverse()).equals(hourly)
    days = [
        transforms.hourly_sales(account="a", orders=part, lines=lines) for part in heads.partition_by("business_date")
    ]
    assert pl.concat(days).sort(marts.HOURLY_SALES.key).equals(hourly)
