"""What must come out: the oracle fed with what Sitoo answers, and its figures in the form of each target."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from sitoo_pipeline.tables import Table
from sitoo_pipeline_tests.oracle import Oracle

Json = dict[str, Any]
Row = Mapping[str, Any]

CSV_HEADER = (
    "Department Id;Register Id;Date;Hour;Net Sales;Gross Sales;Discounts;Returns;Transactions;"
    "Number of goods sold;Number of returned goods;Visitors\n"
)


def fetch(base_url: str, user: tuple[str, str]) -> dict[str, list[Json]]:
    """Everything that Sitoo has, read with no code of the pipeline: list by list, page by page."""
    with httpx.Client(auth=user, base_url=base_url, timeout=30) as client:

        def paged(path: str) -> list[Json]:
            found: list[Json] = []
            while True:
                page = client.get(path, params={"start": len(found), "num": 200, "fields": "", "sort": "orderid"})
                items = page.raise_for_status().json()["items"]
                if not items:
                    return found
                found += items

        z_reports: dict[tuple[str, int], Json] = {}
        since = 0
        while True:
            page = client.get("/pos-z-reports", params={"dateaddedfrom": since}).raise_for_status().json()
            known = len(z_reports)
            z_reports |= {(report["registerid"], report["zreportid"]): report for report in page}
            if len(z_reports) == known:
                break
            since = page[-1]["dateadded"]
        lists = {
            "stores": "stores",
            "warehouses": "warehouses",
            "registers": "cashregisters",
            "product_groups": "productgroups",
            "products": "products",
            "warehouse_transactions": "warehousetransactions",
        }
        found = {name: paged(f"/sites/1/{path}.json") for name, path in lists.items()}
        return found | {"orders": paged("/orders.json"), "z_reports": list(z_reports.values())}


def oracle(
    objects: Mapping[str, Sequence[Json]],
    *,
    dates: Collection[date],
    start_date: date,
    account: str = "kedjan",
    timezone: str = "Europe/Stockholm",
    store_timezones: Mapping[str, str] | None = None,
) -> Oracle:
    """The figures of ``dates``, when just these are loaded: with their z-reports, and with no others."""
    zones = store_timezones or {}

    def closed_on(report: Json) -> date:
        zone = ZoneInfo(zones.get(report.get("store_id") or "", timezone))
        return datetime.fromtimestamp(report["datecreated"], UTC).astimezone(zone).date()

    loaded = [report for report in objects["z_reports"] if closed_on(report) in dates]
    known: dict[str, Any] = {**objects, "z_reports": loaded}
    return Oracle(
        account=account, account_timezone=timezone, store_timezones=zones, dates=dates, start_date=start_date, **known
    )


def differing_cells(ours: Sequence[Row], theirs: Sequence[Row], table: Table) -> list[str]:
    """What differs, cell by cell, each with its row's key; and the rows that one side lacks."""

    def keyed(rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
        return {tuple(row[name] for name in table.key): row for row in rows}

    left, right = keyed(ours), keyed(theirs)
    assert (len(left), len(right)) == (len(ours), len(theirs)), "a key occurs twice"
    found = [f"only ours: {key}" for key in left.keys() - right] + [
        f"only expected: {key}" for key in right.keys() - left
    ]
    return found + [
        f"{key} {name}: ours {left[key][name]!r}, expected {right[key][name]!r}"
        for key in left.keys() & right
        for name in table.names
        if left[key][name] != right[key][name]
    ]


def csv_files(figures: Oracle) -> dict[str, str]:
    """The files of the weekly balance by name: a store's home currency, Swedish marks, all hours, no unknown store."""
    files: dict[str, str] = {}
    rows = figures.weekly_balance_hourly()
    for day in sorted(figures.dates):
        text = io.StringIO()
        text.write(CSV_HEADER)
        writer = csv.writer(text, delimiter=";", lineterminator="\n")
        for store in sorted({row["store_id"] for row in rows if row["business_date"] == day} - {"unknown"}):
            mine = [row for row in rows if row["business_date"] == day and row["store_id"] == store]
            home = figures.home_currency(store)
            home = mine[0]["currency"] if home == "unknown" else home
            by_hour = {row["hour"]: row for row in mine if row["currency"] == home}
            for hour in range(24):
                row = by_hour.get(hour, {})
                money = [row.get(name, Decimal(0)) for name in ("net_sales", "gross_sales", "discounts", "returns")]
                counts = [row.get(name, 0) for name in ("transactions", "goods_sold", "goods_returned", "visitors")]
                writer.writerow([store, 1, day, f"{hour:02}:00:00", *map(_swedish, money), *counts])
        files[f"{day}.csv"] = text.getvalue()
    return files


def _swedish(amount: Decimal) -> str:
    whole, _, cents = f"{amount:.2f}".partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    groups = [digits[max(0, end - 3) : end] for end in range(len(digits), 0, -3)]
    return f"{sign}{'.'.join(reversed(groups))},{cents}"
