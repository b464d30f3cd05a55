"""Three stores and a week over HTTP: every cell of every mart and target; a second backfill changes nothing."""

from __future__ import annotations

import re
import sqlite3
from base64 import b64decode
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sitoo_pipeline.assets.previews import PREVIEWS, ROWS
from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline_tests.pipeline.conftest import WEEK, Week
from sitoo_pipeline_tests.pipeline.expected import csv_files, differing_cells


@pytest.mark.parametrize("table", marts.TABLES, ids=lambda table: table.name)
def test_every_cell_equals_the_oracle(table: Table, week: Week) -> None:
    expected = getattr(week.oracle, table.name)()
    assert {row["business_date"] for row in expected} == set(WEEK)
    assert differing_cells(week.project.rows(table), expected, table) == []


def test_the_week_has_what_can_go_wrong(week: Week) -> None:
    """Else the comparison above would prove less than it seems to."""
    hourly = week.project.rows(marts.HOURLY_SALES)
    assert {row["channel"] for row in hourly} == {"pos", "online"}
    for measure in ("discounts", "returns", "gift_card_sales", "roundoff", "return_transactions", "goods_returned"):
        assert any(row[measure] for row in hourly), measure
    tills = [row for row in hourly if row["channel"] == "pos"]
    after_midnight = [row for row in tills if row["local_hour"] < 3]
    assert {(row["store_id"], row["business_date"]) for row in after_midnight} == {
        ("310", date(2026, 10, 25)),
        ("0601", date(2026, 10, 25)),
    }
    doubled = {row["hour_start"].hour for row in tills if row["store_id"] == "310" and row["local_hour"] == 2}
    assert doubled == {0, 1}
    assert {(row["store_id"], row["currency"]) for row in hourly} == {
        *(("310", currency) for currency in ("SEK", "EUR")),
        *(("unknown", "SEK"), ("NYC-1", "USD"), ("0601", "EUR"), ("0101", "SEK")),
    }
    assert {row["store_id"] for row in tills} >= {"unknown"}


def test_an_evening_in_new_york_is_the_next_date_in_sweden(week: Week) -> None:
    found = week.project.query(
        "SELECT business_date, CAST(ordered_at AT TIME ZONE 'Europe/Stockholm' AS DATE) AS at_home, count(*) AS orders "
        "FROM core.orders WHERE store_id = 'NYC-1' AND local_hour >= 19 GROUP BY ALL ORDER BY ALL"
    )
    assert found
    assert {(row["at_home"] - row["business_date"]).days for row in found} == {1}


def test_orders_that_do_not_count_say_why(week: Week) -> None:
    reasons = week.project.query("SELECT DISTINCT not_counted_reason AS reason FROM core.orders WHERE NOT counts")
    assert {row["reason"] for row in reasons} == {
        "booking",
        "parked cart",
        "order type unknown_120",
        "cancelled",
        "abandoned",
        "payment not successful (10)",
        "payment not successful (unknown_99)",
    }


def test_every_z_report_balances_and_what_has_none_is_in_another_currency(week: Week) -> None:
    rows = week.project.rows(marts.Z_REPORT_RECONCILIATION)
    assert {row["status"] for row in rows} == {"balanced", "missing_z_report"}
    missing = [row for row in rows if row["z_report_id"] is None]
    assert {(row["store_id"], row["currency"]) for row in missing} == {("310", "EUR")}
    weeks_late = [r for r in week.objects["z_reports"] if r["dateadded"] > r["datecreated"] + 14 * 86400]
    silent = [r for r in week.objects["z_reports"] if r["dateopened"] is None]
    shown = {(row["register_id"], row["z_report_id"]) for row in rows}
    assert shown & {(report["registerid"], report["zreportid"]) for report in weeks_late}
    assert shown & {(report["registerid"], report["zreportid"]) for report in silent}


def test_stock_differs_from_sales_for_known_causes(week: Week) -> None:
    rows = week.project.rows(marts.STOCK_RECONCILIATION)
    explained = {"not_stocked", "delivered_another_day", "delivered_elsewhere", "date_not_loaded"}
    assert {row["cause"] for row in rows} == {None, *explained, "unknown"}
    # Only what a supplier sends or the stand sells never sees a warehouse, and that has no store.
    assert {row["store_id"] for row in rows if row["cause"] == "unknown"} == {"unknown"}


def sql_target(week: Week) -> list[dict[str, Any]]:
    with sqlite3.connect(week.project.account.folder / "weekly_balance.db") as con:
        con.row_factory = sqlite3.Row
        found = [dict(row) for row in con.execute("SELECT * FROM weekly_balance_hourly")]
    con.close()
    return found


def test_every_cell_of_the_sql_target_equals_the_oracle(week: Week) -> None:
    money = ("gross_sales", "net_sales", "discounts", "returns")
    ours = [
        {**row, "business_date": date.fromisoformat(row["business_date"])}
        | {name: Decimal(str(row[name])) for name in money}
        for row in sql_target(week)
    ]
    table = marts.WEEKLY_BALANCE_HOURLY
    assert differing_cells(ours, week.oracle.weekly_balance_hourly(), table) == []
    assert list(ours[0]) == [*table.names, "updated_at", "content_hash"]


def csv_target(week: Week) -> dict[str, Path]:
    return {file.name: file for file in (week.project.account.exports_folder / "weekly_balance").iterdir()}


def test_every_csv_file_equals_the_oracle(week: Week) -> None:
    ours = {name: file.read_text(encoding="utf-8") for name, file in csv_target(week).items()}
    assert ours == csv_files(week.oracle)


def test_ometria_has_the_sales_of_the_week(week: Week) -> None:
    sold = [sale for sale in week.oracle.sales(set(WEEK)) if any(line.sold for line in sale.lines)]
    orders = week.sandbox.ometria.orders
    assert {int(number) for number in orders} == {sale.order_id for sale in sold}
    totals = {str(order["orderid"]): Decimal(order["moneytotal_gross_all"]) for order in week.objects["orders"]}
    assert {number: Decimal(str(order["grand_total"])) for number, order in orders.items()} == {
        number: totals[number] for number in orders
    }
    assert all(order["is_valid"] for order in orders.values())
    assert list(week.sandbox.ometria.errors) == []


@pytest.fixture(scope="module")
def shown(week: Week) -> Callable[[Table], dict[str, dict[str, Any]]]:
    """What the UI shows of each date of a table."""

    def of(table: Table) -> dict[str, dict[str, Any]]:
        asset = dg.AssetKey(["kedjan", table.layer, table.name])
        with week.project.instance() as instance:
            records = instance.fetch_materializations(asset, limit=len(WEEK)).records
        made = {record.partition_key or "": record.asset_materialization for record in records}
        return {day: dict(each.metadata) for day, each in made.items() if each}

    return of


def test_each_date_shows_its_figures(shown: Callable[[Table], dict[str, dict[str, Any]]], week: Week) -> None:
    for table in (marts.HOURLY_SALES, marts.DAILY_SALES):
        of_table = shown(table)
        assert of_table.keys() == {str(day) for day in WEEK}
        for row in week.project.query(
            "SELECT business_date, currency, sum(gross_sales) AS gross_sales, sum(net_sales) AS net_sales, "
            "sum(discounts) AS discounts, sum(returns) AS returns FROM marts.daily_sales GROUP BY ALL"
        ):
            said, currency = of_table[str(row.pop("business_date"))], row.pop("currency")
            assert {name: said[f"{name}_{currency}"].value for name in row} == pytest.approx(
                {name: float(value) for name, value in row.items()}
            )


def test_each_date_shows_a_few_of_its_rows(shown: Callable[[Table], dict[str, dict[str, Any]]], week: Week) -> None:
    people = {str(order[name]) for order in week.objects["orders"] for name in ("email", "namefirst") if order[name]}
    assert people
    for table, preview in PREVIEWS.items():
        for day, said in shown(table).items():
            rows = [record.data for record in said["preview"].records]
            assert len(rows) == min(said["dagster/partition_row_count"].value, ROWS), (table.name, day)
            assert all(set(row) == set(preview.columns) for row in rows)
            assert not people & {value for row in rows for value in row.values()}
    [busiest] = shown(marts.DAILY_SALES)["2026-10-24"]["preview"].records[:1]
    [most] = week.project.query(
        "SELECT store_id, gross_sales::VARCHAR AS gross_sales, transactions FROM marts.daily_sales "
        "WHERE business_date = DATE '2026-10-24' ORDER BY transactions DESC, store_id, channel, currency LIMIT 1"
    )
    assert {name: busiest.data[name] for name in most} == most


def test_each_date_shows_its_sales_as_a_picture(shown: Callable[[Table], dict[str, dict[str, Any]]]) -> None:
    for table in (marts.HOURLY_SALES, marts.DAILY_SALES):
        for day, said in shown(table).items():
            found = re.fullmatch(r"!\[Sales of (.*)\]\(data:image/svg\+xml;base64,(.*)\)", said["picture"].value)
            assert found
            assert found[1] == day
            assert f"{date.fromisoformat(day):%a} {day}" in b64decode(found[2]).decode()


@pytest.fixture(scope="module")
def again(week: Week) -> dict[str, Any]:
    """The same backfill a second time, between two looks at everything."""

    def look() -> dict[str, Any]:
        return {
            "tables": week.project.everything(),
            "sql": sql_target(week),
            "csv": {name: (file.stat().st_mtime_ns, file.read_bytes()) for name, file in csv_target(week).items()},
            "ometria": len(week.sandbox.ometria.requests),
            "loads": week.project.query("FROM meta.loads ORDER BY finished_at"),
            "landing": sorted(str(path) for path in week.project.account.landing_folder.rglob("*.gz")),
        }

    before = look()
    week.project.load(WEEK)
    return {"before": before, "after": look()}


def test_a_second_backfill_changes_no_table(again: dict[str, Any]) -> None:
    assert again["after"]["tables"] == again["before"]["tables"]
    assert again["before"]["tables"]["marts.hourly_sales"]


@pytest.mark.parametrize("target", ["sql", "csv", "ometria", "landing"])
def test_a_second_backfill_changes_no_target_and_no_file(target: str, again: dict[str, Any]) -> None:
    assert again["after"][target] == again["before"][target]
    assert again["before"][target]


def test_a_second_backfill_only_adds_to_the_log_that_nothing_changed(again: dict[str, Any]) -> None:
    before, after = again["before"]["loads"], again["after"]["loads"]
    assert after[: len(before)] == before
    added = after[len(before) :]
    assert len(added) == len(before)
    assert {row["status"] for row in added} == {"unchanged"}
