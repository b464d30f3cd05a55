"""Objects that break a rule, fields that nobody knows, and orders that come late or change, on a scripted Sitoo.

The dates lie just before today, because that is what a run without a date looks at.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from rich.console import Console

from sitoo_pipeline.assets.polls import polls_of
from sitoo_pipeline.operations.running import run_recent
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.oracle import Oracle
from sitoo_pipeline_tests.pipeline.expected import differing_cells, oracle
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.scenario.objects import line, order
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG
from sitoo_pipeline_tests.sitoo.server import Server

ZONE = ZoneInfo("Europe/Stockholm")
TODAY = datetime.now(ZONE).date()
LOADED = QUIET, FIRST, SECOND, THIRD = [TODAY - timedelta(days=back) for back in (5, 4, 3, 2)]
"""Nothing happens to the quiet one later."""
YESTERDAY = TODAY - timedelta(days=1)


def sale(number: int, day: date, hour: int = 12, **more: Any) -> Json:
    at = datetime.combine(day, time(hour), tzinfo=ZONE).isoformat()
    lines = more.pop("lines", None) or [line("100.00", "25.00")]
    return order(number, at, *lines, register=GOTHENBURG, warehouse=1, store="0101", zone=ZONE.key, **more)


def web_order(number: int, day: date, **states: Any) -> Json:
    at = datetime.combine(day, time(20), tzinfo=ZONE).isoformat()
    return order(number, at, line("60.00", "15.00"), warehouse=1, **states)


@dataclass
class Shop:
    """A Sitoo that can be changed, and a project that has loaded some dates of it."""

    project: Project
    objects: dict[str, list[Json]]
    refused: list[Json]

    def oracle(self, *dates: date) -> Oracle:
        kept = [item for item in self.objects["orders"] if item not in self.refused]
        return oracle({**self.objects, "orders": kept}, dates=dates, start_date=QUIET)

    def assert_marts(self, *dates: date) -> None:
        for table in marts.TABLES:
            expected = getattr(self.oracle(*dates), table.name)()
            assert differing_cells(self.project.rows(table), expected, table) == []


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    three_decimals = sale(104, SECOND)
    three_decimals["orderitems"][0]["moneyitemtotal_net"] = "100.005"
    new_field = sale(101, FIRST, loyaltytier="gold")
    another = sale(103, SECOND, 13, loyaltytier="silver")
    another["orderitems"][0]["carbonfootprint"] = "1.2"
    objects: dict[str, list[Json]] = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "warehouse_transactions": [],
        "z_reports": [],
        "orders": [
            new_field,
            sale(102, SECOND),
            another,
            three_decimals,
            web_order(105, FIRST, orderstateid=0, paymentstateid=20),
            web_order(106, THIRD, orderstateid=0, paymentstateid=10),
            sale(107, QUIET),
            sale(108, THIRD),
        ],
    }
    with Server(Script(objects)) as server:
        project = Project.make(
            tmp_path_factory.mktemp("late"), server, start_date=QUIET, users=1, more="reread_days = 1\nchunk_days = 2\n"
        )
        project.load(LOADED)
        yield Shop(project, objects, [three_decimals])


def test_an_order_that_breaks_a_rule_goes_to_quarantine_and_the_others_load(shop: Shop) -> None:
    rows = shop.project.runtime.warehouse.query("FROM meta.quarantine")  # the read copy has no payload
    [refused] = rows.to_dicts()
    assert (refused["business_date"], refused["object_key"]) == (SECOND, "104")
    assert refused["path"] == "orderitems.moneyitemtotal_net"
    assert '"100.005"' in refused["payload"]
    loaded = shop.project.query("SELECT orderid FROM raw.orders ORDER BY 1")
    assert [row["orderid"] for row in loaded] == [101, 102, 103, 105, 106, 107, 108]
    shop.assert_marts(*LOADED)


def test_the_day_says_that_something_was_refused(shop: Shop) -> None:
    asset = dg.AssetKey(["kedjan", "raw", "orders"])
    with shop.project.instance() as instance:
        refused = {
            day: record.asset_materialization.metadata["quarantined"].value
            for day in LOADED
            for record in instance.fetch_materializations(
                dg.AssetRecordsFilter(asset, asset_partitions=[str(day)]), limit=1
            ).records
            if record.asset_materialization
        }
        records = [
            record
            for run in instance.get_runs()
            for record in instance.get_records_for_run(
                run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
            ).records
        ]
    assert refused == {QUIET: 0, FIRST: 0, SECOND: 1, THIRD: 0}
    events = [record.event_log_entry.dagster_event for record in records]
    checks = [event.asset_check_evaluation_data for event in events if event]
    of_dates = {
        check.partition: check for check in checks if check.check_name == "nothing_refused" and check.asset_key == asset
    }
    assert {day: of_dates[str(day)].passed for day in LOADED} == {day: day != SECOND for day in LOADED}
    check = of_dates[str(SECOND)]
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert "meta.quarantine" in str(check.metadata["what_to_do"].value)
    assert "104" in str(check.metadata["examples"].value)
    others = {check.check_name for check in checks if not check.passed}
    # Yesterday is not loaded, which the inventory says.
    assert others == {"nothing_refused", "z_reports_balance", "differences_have_a_cause", "inventory"}


def test_a_field_that_nobody_knows_is_named_once_per_run(shop: Shop) -> None:
    drift = shop.project.query("SELECT table_name, path FROM meta.drift ORDER BY ALL")
    assert [tuple(row.values()) for row in drift] == [
        ("raw.orders", "loyaltytier"),
        ("raw.orders", "orderitems.carbonfootprint"),
    ]
    with shop.project.instance() as instance:
        said = [
            entry.user_message
            for record in instance.get_run_records()
            for entry in instance.all_logs(record.dagster_run.run_id)
            if "nobody documented" in entry.user_message
        ]
    assert sum("loyaltytier" in text for text in said) == 1
    assert sum("orderitems.carbonfootprint" in text for text in said) == 1


def test_late_and_changed_orders_bring_their_dates_back(shop: Shop) -> None:
    """An offline till's order, a web order that is cancelled and one that is paid; run last, it changes the shop."""

    def run() -> list[date]:
        with shop.project.home():
            [outcome] = run_recent(shop.project.settings, console=Console(quiet=True))
        assert (outcome.failed, outcome.warnings) == ({}, [])
        return outcome.done

    assert run() == [YESTERDAY]

    orders = {item["orderid"]: item for item in shop.objects["orders"]}
    orders[105]["orderstateid"] = 20
    orders[106] |= {"orderstateid": 10, "paymentstateid": 20}
    shop.objects["orders"].append(sale(109, SECOND, 17))

    assert run() == [FIRST, SECOND, THIRD, YESTERDAY]
    shop.assert_marts(*LOADED, YESTERDAY)
    counting = shop.project.query("SELECT order_id FROM core.orders WHERE counts ORDER BY 1")
    assert [row["order_id"] for row in counting] == [101, 102, 103, 106, 107, 108, 109]
    for poll in (poll.name for poll in polls_of(shop.project.account) if poll.every in ("hour", "night")):
        assert shop.project.poll(poll).dates <= {TODAY}, poll
