"""A Sitoo that has faults: what passes is retried, what does not costs its date and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import dagster as dg
import pytest

from sitoo_pipeline.assets.day_status import DayStatus
from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.status import statuses
from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests.oracle import Oracle
from sitoo_pipeline_tests.pipeline.conftest import CHAIN, NOW, WEEK, week_oracle, week_project
from sitoo_pipeline_tests.pipeline.expected import csv_files, differing_cells, fetch
from sitoo_pipeline_tests.pipeline.project import Project, Row
from sitoo_pipeline_tests.pipeline.scripted import Json

FRIDAY, SATURDAY, SUNDAY = DATES = WEEK[4:]
"""A store closes after midnight on Saturday, so its z-report is Sunday's and ties the two dates together."""


def asks_for_orders_of(day: date) -> Callable[[str], bool]:
    """Whether a request asks for all that can be an order of ``day``, as no request for the dates around it does."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    first, last = (midnight - timedelta(hours=14)).timestamp(), (midnight + timedelta(hours=36)).timestamp() - 1

    def matches(target: str) -> bool:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        return (
            parts.path.endswith("/orders.json")
            and "orderdatefrom" in query
            and float(query["orderdatefrom"][0]) <= first
            and float(query["orderdateto"][0]) >= last
        )

    return matches


@dataclass
class Look:
    """What a run left behind."""

    outcome: Outcome
    marts: dict[str, list[Row]]
    raw: list[Row]
    files: dict[str, str]
    materialized: set[str]
    partitions: dict[str, str]
    failures: list[Row]
    status: list[DayStatus]


def look(project: Project, outcome: Outcome) -> Look:
    keys = [day.isoformat() for day in DATES]
    asset = dg.AssetKey(["kedjan", "raw", "orders"])
    partitions_def = dg.DailyPartitionsDefinition(DATES[0].isoformat(), end_offset=1, timezone="Europe/Stockholm")
    with project.instance() as instance:
        materialized = instance.get_materialized_partitions(asset)
        by_partition = instance.get_status_by_partition(asset, keys, partitions_def) or {}
    return Look(
        outcome=outcome,
        marts={table.name: project.rows(table) for table in marts.TABLES},
        raw=project.query("FROM raw.orders ORDER BY orderid"),
        files={
            file.name: file.read_text(encoding="utf-8")
            for file in (project.account.exports_folder / "weekly_balance").iterdir()
        },
        materialized=set(materialized),
        partitions={key: status.value for key, status in by_partition.items() if status},
        failures=project.query("SELECT table_name, business_date, message FROM meta.loads WHERE status = 'failed'"),
        status=statuses(project.account, DATES),
    )


@dataclass
class Story:
    """Three runs: a date fails for good; it is loaded while one request in ten fails; it fails for good again.

    ``objects`` is what Sitoo has.
    """

    objects: dict[str, list[Json]]
    failed: Look
    repaired: Look
    failed_again: Look


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        patience = "attempts = 7, wait_initial = 0.01, wait_max = 0.02"
        project = week_project(tmp_path_factory.mktemp("faults"), sandbox, users=1, http=patience)
        spoilt = Faults(rate=1, kinds=("cut", "html", "missing-items"), match=asks_for_orders_of(SATURDAY))
        objects = fetch(sandbox.sitoo_url, sandbox.api_users[0])
        sandbox.faults = spoilt
        failed = look(project, project.run(DATES))
        sandbox.faults = Faults(rate=0.1, retry_after=0, seed=4)
        sandbox.clear_requests()
        repaired = look(project, project.run([SATURDAY]))
        sandbox.faults = spoilt
        yield Story(objects, failed, repaired, look(project, project.run([SATURDAY])))


def figures(story: Story, *dates: date) -> Oracle:
    return week_oracle(story.objects, *dates)


def states(expected: Oracle) -> list[str]:
    """What each date must be said to be: some orders of a till that takes two currencies have no z-report."""
    open_questions = {
        row["business_date"]
        for row in expected.z_report_reconciliation()
        if row["status"] in ("missing_z_report", "unbalanced")
    }
    found = {day: "unreconciled" if day in open_questions else "done" for day in expected.dates}
    return [found.get(day, "failed") for day in DATES]


def assert_marts(found: Look, expected: Oracle) -> None:
    for table in marts.TABLES:
        assert differing_cells(found.marts[table.name], getattr(expected, table.name)(), table) == []


def test_the_date_that_fails_is_named_with_its_reason(story: Story) -> None:
    assert story.failed.outcome.done == [FRIDAY, SUNDAY]
    [(day, why)] = story.failed.outcome.failed.items()
    assert day == SATURDAY
    assert "/orders.json" in why


def test_the_other_dates_have_their_figures_and_deliveries(story: Story) -> None:
    expected = figures(story, FRIDAY, SUNDAY)
    assert_marts(story.failed, expected)
    assert story.failed.files == csv_files(expected)
    assert [day.state for day in story.failed.status] == states(expected)
    assert "partly_loaded" in {row["status"] for row in story.failed.marts["z_report_reconciliation"]}


def test_each_partition_shows_what_became_of_it(story: Story) -> None:
    assert story.failed.materialized == {str(FRIDAY), str(SUNDAY)}
    assert story.failed.partitions == {
        str(FRIDAY): "MATERIALIZED",
        str(SATURDAY): "FAILED",
        str(SUNDAY): "MATERIALIZED",
    }


def test_the_log_of_loads_has_the_reason(story: Story) -> None:
    assert [(row["table_name"], row["business_date"]) for row in story.failed.failures] == [("raw.orders", SATURDAY)]
    assert story.failed.failures[0]["message"] == story.failed.outcome.failed[SATURDAY]


def test_a_later_run_repairs_it_while_one_request_in_ten_fails(story: Story) -> None:
    assert (story.repaired.outcome.done, story.repaired.outcome.failed) == ([SATURDAY], {})
    expected = figures(story, *DATES)
    assert_marts(story.repaired, expected)
    assert story.repaired.files == csv_files(expected)
    assert [day.state for day in story.repaired.status] == states(expected)
    assert story.repaired.materialized == {str(day) for day in DATES}


def test_what_was_loaded_stays_when_the_date_fails_again(story: Story) -> None:
    assert list(story.failed_again.outcome.failed) == [SATURDAY]
    assert story.failed_again.raw == story.repaired.raw
    assert story.failed_again.marts == story.repaired.marts
    assert story.failed_again.files == story.repaired.files
    before = [day.state for day in story.repaired.status]
    assert [day.state for day in story.failed_again.status] == [before[0], "failed", before[2]]
    assert story.failed_again.partitions[str(SATURDAY)] == "FAILED"


def test_without_z_reports_of_the_account_each_register_is_asked(story: Story, tmp_path: Path) -> None:
    with Sandbox(chain=CHAIN, now=NOW, faults=Faults(account_z_reports_missing=True)) as sandbox:
        project = week_project(tmp_path, sandbox)
        project.load_plainly([[SATURDAY, SUNDAY]])
        asked = {path for _, path, _ in sandbox.requests if path.endswith("/zreports.json")}
    listed = {register["registerid"] for register in story.objects["registers"]}
    assert len(asked) == len(listed)
    table = marts.Z_REPORT_RECONCILIATION
    reachable = [report for report in story.objects["z_reports"] if report["registerid"] in listed]
    assert len(reachable) < len(story.objects["z_reports"]), "a register that is not listed cannot be asked"
    expected = week_oracle(story.objects | {"z_reports": reachable}, SATURDAY, SUNDAY).z_report_reconciliation()
    assert differing_cells(project.rows(table), expected, table) == []
    assert {row["status"] for row in expected} >= {"balanced"}
