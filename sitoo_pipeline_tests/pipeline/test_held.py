"""A z-report that is too far from its orders holds back its store's day, and only that, until the orders are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sitoo_pipeline.assets.held import held_stores
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.expected import differing_cells, oracle
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.scenario.objects import line, order, z_report
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG, GOTHENBURG_2, HELSINKI
from sitoo_pipeline_tests.sitoo.server import Server

DAY, NEXT = date(2026, 10, 23), date(2026, 10, 24)
SETTINGS = "[accounts.kedjan.targets.weekly_balance]\nhold_back_above = 125.00\n"
ONE: dict[str, Any] = {"moneysalestotal": "125.00", "moneysalestotalnet": "100.00", "numsales": 1, "numsalesitems": 1}
TWO: dict[str, Any] = {"moneysalestotal": "250.01", "moneysalestotalnet": "200.01", "numsales": 2, "numsalesitems": 2}


def sale(number: int, day: date, register: str, store: str, hour: int = 12) -> Json:
    at = f"{day}T{hour}:00:00+02:00"
    return order(number, at, line("100.00", "25.00"), register=register, warehouse=1, store=store)


def closed(number: int, day: date, register: str, store: str | None, **figures: Any) -> Json:
    opening = f"{day}T08:00:00+02:00"
    return z_report(number, register, f"{day}T20:00:00+02:00", store=store, opened=opening, **figures)


@dataclass
class Shop:
    project: Project
    objects: dict[str, list[Json]]

    def sold(self) -> dict[tuple[str, str], Decimal]:
        """Gross sales at the SQL target, by date and store."""
        with closing(sqlite3.connect(self.project.account.folder / "weekly_balance.db")) as con:
            rows = con.execute(
                "SELECT business_date, store_id, sum(gross_sales) FROM weekly_balance_hourly GROUP BY 1, 2"
            )
            return {(day, store): Decimal(str(total)) for day, store, total in rows if total}

    def in_file(self, day: date) -> set[str]:
        text = (self.project.account.exports_folder / "weekly_balance" / f"{day}.csv").read_text(encoding="utf-8")
        return {row.split(";")[0] for row in text.splitlines()[1:]}

    def newest(self, asset: str, table: str, day: date) -> dict[str, Any]:
        with self.project.instance() as instance:
            wanted = dg.AssetRecordsFilter(dg.AssetKey(["kedjan", asset, table]), asset_partitions=[str(day)])
            [record] = instance.fetch_materializations(wanted, limit=1).records
        assert record.asset_materialization
        return {name: value.value for name, value in record.asset_materialization.metadata.items()}

    def check(self, day: date) -> dg.AssetCheckEvaluation:
        with self.project.instance() as instance:
            events = [
                record.event_log_entry.dagster_event
                for run in instance.get_runs()
                for record in instance.get_records_for_run(
                    run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
                ).records
            ]
        found = [event.asset_check_evaluation_data for event in events if event]
        return next(c for c in found if c.check_name == "z_reports_balance" and c.partition == str(day))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The till of store 0101 reports two sales on the first date, of which one has not reached Sitoo."""
    objects: dict[str, list[Json]] = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "warehouse_transactions": [],
        "z_reports": [
            closed(1, DAY, GOTHENBURG, "0101", **TWO),
            closed(1, DAY, HELSINKI, "0102", **ONE),
            closed(2, NEXT, GOTHENBURG, "0101", **ONE),
        ],
        "orders": [
            sale(1, DAY, GOTHENBURG, "0101"),
            sale(2, DAY, HELSINKI, "0102"),
            sale(3, NEXT, GOTHENBURG, "0101"),
            sale(4, NEXT, GOTHENBURG_2, "0101"),
        ],
    }
    with Server(Script(objects)) as server:
        yield Shop(Project.make(tmp_path, server, start_date=DAY, users=1, more=SETTINGS), objects)


def last_column(result: dg.AssetCheckEvaluation) -> str:
    examples = result.metadata["examples"]
    assert isinstance(examples, dg.TableMetadataValue)
    return examples.schema.columns[-1].name


def test_only_the_store_and_date_that_do_not_balance_are_held_and_go_when_they_do(shop: Shop) -> None:
    shop.project.load([DAY, NEXT])
    of_day = {"0102": Decimal(125)}
    of_next = {"0101": Decimal(250)}
    expected = {(str(DAY), store): gross for store, gross in of_day.items()}
    expected |= {(str(NEXT), store): gross for store, gross in of_next.items()}
    assert shop.sold() == expected
    assert "0101" not in shop.in_file(DAY)
    assert {"0102"} < shop.in_file(DAY)
    assert {"0101", "0102"} < shop.in_file(NEXT)

    for target in ("weekly_balance_sql", "weekly_balance_csv"):
        said = shop.newest("sinks", target, DAY)
        assert said["stores_held_back"] == 1
        for word in (f"{DAY} store 0101 is held back", "z-report 1", GOTHENBURG, "125.01 SEK in gross_sales"):
            assert word in said["notes"]
        assert shop.newest("sinks", target, NEXT)["stores_held_back"] == 0

    result = shop.check(DAY)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert str(result.description).startswith("4 exceptions. Look for orders or z-reports that have not reached Sitoo")
    [line] = [line for line in str(result.description).splitlines() if line.startswith("- ")]
    assert line.startswith(f"- store 0101, register {GOTHENBURG}, z-report 1: ")
    assert {"gross_sales 125.01 SEK", "numsales 1"} < set(line.partition("z-report 1: ")[2].split(", "))
    assert last_column(result) == "holds_back"
    assert "hold_back_above" not in str(result.metadata["query"].value)
    result = shop.check(NEXT)  # a till without a z-report warns, and holds nothing back
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"register {GOTHENBURG_2}: sales without a z-report 125.00 SEK" in str(result.description)
    assert last_column(result) == "currency"

    plotted = shop.newest("marts", "z_report_reconciliation", DAY)
    assert {name: plotted[name] for name in ("balanced", "unbalanced", "unbalanced_registers", "difference_SEK")} == {
        "balanced": 1,
        "unbalanced": 1,
        "unbalanced_registers": 1,
        "difference_SEK": 125.01,
    }
    assert shop.newest("marts", "z_report_reconciliation", NEXT)["difference_SEK"] == 0

    shop.objects["orders"].append(sale(5, DAY, GOTHENBURG, "0101", 13))
    shop.project.load([DAY])  # now off by a cent, which is within the tolerance
    assert shop.sold() == expected | {(str(DAY), "0101"): Decimal(250)}
    assert {"0101", "0102"} < shop.in_file(DAY)
    assert shop.newest("sinks", "weekly_balance_sql", DAY)["stores_held_back"] == 0
    assert shop.check(DAY).severity is dg.AssetCheckSeverity.WARN
    figures = oracle(shop.objects, dates=[DAY, NEXT], start_date=DAY)
    for table in (marts.Z_REPORT_RECONCILIATION, marts.Z_REPORT_ORDERS):
        assert differing_cells(shop.project.rows(table), getattr(figures, table.name)(), table) == []


def test_a_date_goes_when_the_order_of_another_date_settles_its_z_report(shop: Shop) -> None:
    """Its z-report was opened the evening before, when the till was offline; only that date is loaded again."""
    overnight = z_report(2, GOTHENBURG, f"{NEXT}T20:00:00+02:00", store="0101", opened=f"{DAY}T20:00:00+02:00", **TWO)
    shop.objects["z_reports"][:] = [closed(1, DAY, GOTHENBURG, "0101", **ONE), overnight]
    shop.objects["orders"][:] = [sale(1, DAY, GOTHENBURG, "0101"), sale(3, NEXT, GOTHENBURG, "0101")]
    shop.project.load_plainly([[DAY, NEXT]])
    shop.project.hand_over([DAY, NEXT])
    assert shop.sold() == {(str(DAY), "0101"): Decimal(125)}
    shop.objects["orders"].append(sale(5, DAY, GOTHENBURG, "0101", 22))
    shop.project.load([DAY])
    assert shop.sold() == {(str(DAY), "0101"): Decimal(250), (str(NEXT), "0101"): Decimal(125)}
    assert "0101" in shop.in_file(NEXT)
    assert shop.newest("sinks", "weekly_balance_sql", NEXT)["stores_held_back"] == 0


def test_a_z_report_without_a_store_holds_that_of_its_orders_or_its_register(shop: Shop) -> None:
    """Exactly the tolerance holds nothing."""
    exactly = {**ONE, "moneysalestotal": "250.00"}
    shop.objects["z_reports"][:] = [
        closed(1, DAY, GOTHENBURG, None, **TWO),
        closed(1, DAY, HELSINKI, "0102", **exactly),
        closed(1, NEXT, GOTHENBURG_2, None, **{**TWO, "moneysalestotal": "9.00"}),
        closed(2, NEXT, HELSINKI, None, **TWO),
    ]
    shop.objects["orders"][0]["additionaldata"]["store-externalid"] = "0103"
    shop.project.load_plainly([[DAY, NEXT]])
    with shop.project.runtime.warehouse.connect() as con:
        found = held_stores(con, [DAY, NEXT], Decimal("125.00"))
        assert [row[:2] for row in found.iter_rows()] == [(DAY, "0103"), (NEXT, "0102")]
        assert held_stores(con, [DAY], Decimal("125.01")).is_empty()
        assert held_stores(con, [DAY, NEXT], None).is_empty()
        assert held_stores(con, [DAY, NEXT], None).schema == found.schema


def test_z_reports_that_crowd_one_second_are_all_reconciled(shop: Shop) -> None:
    """More than an answer holds share the second at which the answer ends."""
    crowd = [
        closed(number, DAY if number % 2 else NEXT, register, "0101", added="2026-11-20T12:00:00+00:00")
        for register in (GOTHENBURG, GOTHENBURG_2)
        for number in range(10, 310)
    ]
    for report in crowd:
        report["datecreated"] = report["dateopened"] + report["zreportid"]  # all of the morning, before any sale
    shop.objects["z_reports"][:0] = crowd
    shop.project.load_plainly([[DAY], [NEXT]])
    figures = oracle(shop.objects, dates=[DAY, NEXT], start_date=DAY)
    for table in (marts.Z_REPORT_RECONCILIATION, marts.Z_REPORT_ORDERS):
        expected = getattr(figures, table.name)()
        assert len(expected) > 600
        assert differing_cells(shop.project.rows(table), expected, table) == []
