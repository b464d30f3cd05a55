"""Z-reports against orders: periods, statuses, what is left over, and what a late z-report changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import Json, epoch, line, order, z_report
from sitoo_pipeline_tests.scenario.orders import G1
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG, HELSINKI
from sitoo_pipeline_tests.transforms.build import Core, build

START = date(2026, 10, 20)
DAYS = {date(2026, 10, day) for day in range(20, 28)}
SOLD = {"moneysalestotal": "125.00", "moneysalestotalnet": "100.00", "numsales": 1, "numsalesitems": 1}


def built(orders: list[Json], reports: list[Json]) -> Core:
    return build(
        {**scenario.OBJECTS, "orders": orders, "z_reports": reports, "warehouse_transactions": []},
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    )


def sale(number: int, at: str, **given: Any) -> Json:
    return order(number, at, line("100.00", "25.00"), **(G1 | given))


def report(number: int, closed: str, opened: str | None, **figures: Any) -> Json:
    return z_report(number, GOTHENBURG, closed, store="0101", opened=opened, **figures)


def both(
    orders: list[Json], reports: list[Json], *, dates: set[date] = DAYS, loaded: set[date] = DAYS
) -> transforms.Reconciliation:
    tables = built(orders, reports)
    return transforms.reconcile(
        account="a",
        z_reports=tables.z_reports,
        orders=tables.orders,
        lines=tables.lines,
        dates=dates,
        loaded_dates=loaded,
        start_date=START,
        places=tables.places,
    )


def reconciled(orders: list[Json], reports: list[Json], **when: set[date]) -> pl.DataFrame:
    return both(orders, reports, **when).z_report_reconciliation


def statuses(frame: pl.DataFrame) -> list[tuple[int | None, str, int]]:
    return frame.select("z_report_id", "status", "ours_numsales").rows()


def test_a_period_begins_after_its_opening_and_ends_with_its_closing() -> None:
    opened, closed = "2026-10-23T09:00:00+02:00", "2026-10-23T18:00:00+02:00"
    orders = [sale(1, opened), sale(2, "2026-10-23T09:00:01+02:00"), sale(3, closed)]
    orders.append(sale(4, "2026-10-23T18:00:01+02:00"))
    frame = reconciled(orders, [report(1, closed, opened)])
    assert statuses(frame) == [(1, "unbalanced", 2), (None, "missing_z_report", 2)]


def test_differences_are_the_z_report_less_the_orders() -> None:
    given = [sale(1, "2026-10-23T10:00:00+02:00", roundoff="0.25")]
    row = reconciled(
        given, [report(1, "2026-10-23T18:00:00+02:00", "2026-10-23T09:00:00+02:00", **SOLD | {"numrefund": 2})]
    ).row(0, named=True)
    assert row["status"] == "unbalanced"
    differences = {measure: row[f"diff_{measure}"] for measure in marts.RECONCILED if row[f"diff_{measure}"]}
    assert differences == {"roundoff": Decimal("-0.25"), "numrefund": 2}
    assert (row["z_gross_sales"], row["ours_gross_sales"]) == (Decimal("125.00"), Decimal("125.00"))


def test_gift_cards_are_on_both_sides_but_not_among_the_discounts() -> None:
    card = line("100.00", "0.00", rate=0, group="Presentkort", discount="10.00")
    frame = reconciled(
        [order(1, "2026-10-23T10:00:00+02:00", card, **G1)],
        [report(1, "2026-10-23T18:00:00+02:00", "2026-10-23T09:00:00+02:00", **SOLD | {"moneysalestotal": "100.00"})],
    )
    assert statuses(frame) == [(1, "balanced", 1)]


def test_orders_in_another_currency_than_the_z_report_are_without_one() -> None:
    given = [sale(1, "2026-10-23T10:00:00+02:00"), sale(2, "2026-10-23T10:01:00+02:00", currency="EUR")]
    frame = reconciled(given, [report(1, "2026-10-23T18:00:00+02:00", "2026-10-23T09:00:00+02:00", **SOLD)])
    assert frame.select("z_report_id", "currency", "status").rows() == [
        (1, "SEK", "balanced"),
        (None, "EUR", "missing_z_report"),
    ]
    left = frame.row(1, named=True)
    assert all(left[f"{side}_{measure}"] is None for side in ("z", "diff") for measure in marts.RECONCILED)


def test_web_orders_and_orders_that_do_not_count_need_no_z_report() -> None:
    given = [sale(1, "2026-10-23T10:00:00+02:00", register=None), sale(2, "2026-10-23T10:00:00+02:00", ordertypeid=110)]
    assert reconciled(given, []).is_empty()


def test_without_an_opening_it_follows_the_previous_one_on_its_register() -> None:
    reports = [
        report(2, "2026-10-24T18:00:00+02:00", None, **SOLD),
        report(1, "2026-10-23T18:00:00+02:00", "2026-10-23T09:00:00+02:00", **SOLD),
        z_report(9, HELSINKI, "2026-10-24T12:00:00+02:00", store="0102", opened="2026-10-24T09:00:00+02:00"),
    ]
    orders = [sale(1, "2026-10-23T18:00:00+02:00"), sale(2, "2026-10-23T18:00:01+02:00")]
    assert statuses(reconciled(orders, reports)) == [(1, "balanced", 1), (2, "balanced", 1), (9, "balanced", 0)]


def test_without_an_opening_or_a_previous_one_it_reaches_back_to_the_first_moment() -> None:
    first = [sale(1, "2026-10-20T00:00:00+02:00"), sale(2, "2026-10-22T10:00:00+02:00")]
    late = report(1, "2026-10-22T18:00:00+02:00", None)
    assert statuses(reconciled(first, [late])) == [(1, "unbalanced", 2)]
    assert statuses(reconciled(first, [late], loaded=DAYS - {START})) == [(1, "partly_loaded", 2)]


@pytest.mark.parametrize(
    ("opened", "closed", "status"),
    [
        ("2026-10-22T23:59:58+02:00", "2026-10-23T18:00:00+02:00", "partly_loaded"),
        ("2026-10-22T23:59:59+02:00", "2026-10-23T18:00:00+02:00", "balanced"),
        ("2026-10-23T09:00:00+02:00", "2026-10-23T23:59:59+02:00", "balanced"),
        ("2026-10-23T09:00:00+02:00", "2026-10-24T00:00:00+02:00", "partly_loaded"),
        ("2026-10-25T09:00:00+01:00", "2026-10-23T10:00:00+02:00", "balanced"),
        ("2026-10-25T09:00:00+01:00", "2026-10-24T10:00:00+02:00", "partly_loaded"),
    ],
)
def test_partly_loaded_if_a_second_of_it_is_on_a_date_that_is_not(opened: str, closed: str, status: str) -> None:
    assert statuses(reconciled([], [report(1, closed, opened)], loaded={date(2026, 10, 23)})) == [(1, status, 0)]


def test_only_the_dates_asked_for_but_covered_by_any() -> None:
    orders = [sale(1, "2026-10-23T23:30:00+02:00"), sale(2, "2026-10-24T12:00:00+02:00")]
    reports = [report(1, "2026-10-24T02:00:00+02:00", "2026-10-23T20:00:00+02:00", **SOLD)]
    assert statuses(reconciled(orders, reports, dates={date(2026, 10, 23)})) == []
    assert statuses(reconciled(orders, reports, dates={date(2026, 10, 24)})) == [
        (1, "balanced", 1),
        (None, "missing_z_report", 1),
    ]


def affected(reports: list[Json], *days: int) -> set[int]:
    tables = built([], reports)
    dates = transforms.affected_dates(
        z_reports=tables.z_reports, dates=[date(2026, 10, day) for day in days], places=tables.places, start_date=START
    )
    return {day.day for day in dates}


def test_affected_are_the_dates_themselves_and_those_that_z_reports_tie_to_them() -> None:
    over_midnight = [report(1, "2026-10-24T02:00:00+02:00", "2026-10-23T20:00:00+02:00")]
    assert affected(over_midnight, 22) == {22}
    assert affected(over_midnight, 23) == {23, 24}
    assert affected(over_midnight, 24) == {23, 24}
    assert affected([], 25, 26) == {25, 26}


def test_a_z_report_that_comes_late_shortens_the_next_one_without_an_opening() -> None:
    reports = [
        report(1, "2026-10-20T18:00:00+02:00", "2026-10-20T09:00:00+02:00"),
        report(2, "2026-10-23T18:00:00+02:00", "2026-10-23T09:00:00+02:00"),
        report(3, "2026-10-25T18:00:00+01:00", None),
    ]
    assert affected(reports, 23) == {20, 21, 22, 23, 25}
    reports[1]["datecreated"] = epoch("2026-10-23T23:59:59+02:00")  # the next one begins on the date after
    assert affected(reports, 23) == {20, 21, 22, 23, 25}


def test_no_date_before_the_start_is_affected() -> None:
    assert affected([report(1, "2026-10-21T18:00:00+02:00", "2026-10-15T09:00:00+02:00")], 21) == {20, 21}
