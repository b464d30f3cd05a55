"""Stock as a witness, through Dagster: what the check and the day say, and what a movement that comes later settles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.expected import differing_cells, oracle
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.scenario.objects import line, movement, order, transaction
from sitoo_pipeline_tests.scenario.orders import G1
from sitoo_pipeline_tests.sitoo.server import Server

FRIDAY, SATURDAY, MONDAY = date(2026, 10, 16), date(2026, 10, 17), date(2026, 10, 19)
ASSET = dg.AssetKey(["kedjan", "marts", "stock_reconciliation"])

OBJECTS: dict[str, list[Json]] = {
    **{name: scenario.OBJECTS[name] for name in ("stores", "warehouses", "registers", "product_groups")},
    "z_reports": [],
    "orders": [
        order(1, "2026-10-16T12:00:00+02:00", line("1.00", "0.25", sku="WEB"), warehouse=1),
        order(2, "2026-10-16T12:01:00+02:00", line("1.00", "0.25", sku="TILL"), **G1),
        order(3, "2026-10-16T12:02:00+02:00", line("9.00", "2.25", quantity=9, sku="LOST"), **G1),
        order(4, "2026-10-16T12:03:00+02:00", line("1.00", "0.25", group="Skrädderi", sku="SERVICE"), **G1),
        order(5, "2026-10-17T12:00:00+02:00", line("1.00", "0.25", sku="TILL"), **G1),
    ],
    "warehouse_transactions": [
        transaction(1, 1, "2026-10-16T12:01:00+02:00", 30, movement("TILL", "-1.000")),
        transaction(2, 1, "2026-10-16T18:00:00+02:00", 30, movement("EXTRA", "-2.500")),
        transaction(3, 1, "2026-10-17T12:00:00+02:00", 30, movement("TILL", "-1.000")),
        transaction(4, 1, "2026-10-19T09:00:00+02:00", 30, movement("WEB", "-1.000")),
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Friday and Saturday with all that came before, while Monday is still to come."""
    with Server(Script(OBJECTS)) as server:
        made = Project.make(tmp_path_factory.mktemp("stock"), server, start_date=date(2026, 10, 13))
        made.load_plainly([[date(2026, 10, day) for day in (13, 14, 15)]])
        made.load([FRIDAY, SATURDAY], sinks=False)
        yield made


def check_of(project: Project, day: date) -> Any:
    with project.instance() as instance:
        records = [
            record.event_log_entry.dagster_event
            for run in instance.get_runs()
            for record in instance.get_records_for_run(
                run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
            ).records
        ]
    found = [event.asset_check_evaluation_data for event in records if event]
    named = [check for check in found if check.check_name == "differences_have_a_cause"]
    return next(check for check in named if check.partition == str(day))


def test_the_check_lists_what_nothing_explains_and_says_what_to_do(project: Project) -> None:
    check = check_of(project, FRIDAY)
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert check.metadata["expected"].value.startswith("the stock moved as much as was sold and taken back, or")
    assert check.metadata["actual"].value == "2 exceptions"
    rows = [record.data for record in check.metadata["examples"].records]
    assert [(row["store_id"], row["sku"], row["unexplained_goods"]) for row in rows] == [
        ("0101", "LOST", "-9.000"),
        ("0101", "EXTRA", "2.500"),
    ]
    assert "stock log" in check.metadata["what_to_do"].value
    assert len(project.query(check.metadata["query"].value)) == 2
    assert check_of(project, SATURDAY).passed


def test_the_day_counts_its_skus_by_cause(project: Project) -> None:
    with project.instance() as instance:
        [record] = instance.fetch_materializations(
            dg.AssetRecordsFilter(ASSET, asset_partitions=[str(FRIDAY)]), limit=1
        ).records
    assert record.asset_materialization
    said = {name: value.value for name, value in record.asset_materialization.metadata.items()}
    assert {name: said[name] for name in said if name.startswith("differ")} == {
        "differ": 4,
        **{f"differ_{cause}": 0 for cause in marts.STOCK_CAUSES},
        "differ_not_stocked": 1,
        "differ_date_not_loaded": 1,
        "differ_unknown": 2,
    }
    assert (said["skus"], said["unexplained_goods"]) == (5, 11.5)


def test_what_is_delivered_later_settles_the_date_of_its_sale(project: Project) -> None:
    """Run last: it loads Monday alone, and Friday's difference has its cause."""
    sold = f"SELECT cause FROM marts.stock_reconciliation WHERE sku = 'WEB' AND business_date = DATE '{FRIDAY}'"
    assert project.query(sold) == [{"cause": "date_not_loaded"}]
    project.load_plainly([[MONDAY]])
    assert project.query(sold) == [{"cause": "delivered_another_day"}]
    dates = [date(2026, 10, day) for day in (13, 14, 15, 16, 17, 19)]
    expected = oracle(OBJECTS, dates=dates, start_date=dates[0]).stock_reconciliation()
    assert differing_cells(project.rows(marts.STOCK_RECONCILIATION), expected, marts.STOCK_RECONCILIATION) == []
