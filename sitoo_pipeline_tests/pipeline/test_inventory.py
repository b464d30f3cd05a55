"""The inventory: each state of a date is brought about for real, and told by ``status`` and by the daily check.

The dates lie just before today, because a date is missing only once it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from sitoo_pipeline.assets.account import account_assets
from sitoo_pipeline.assets.day_status import DayState, DayStatus
from sitoo_pipeline.assets.deliveries import NotDeliveredError
from sitoo_pipeline.assets.extract import extract_dates
from sitoo_pipeline.assets.inventory import Inventory, dates_until, take_inventory
from sitoo_pipeline.assets.inventory_check import NAME, judged
from sitoo_pipeline.assets.published import read_copy_key
from sitoo_pipeline.tables import raw
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.pipeline.test_late import TODAY, sale
from sitoo_pipeline_tests.pipeline.test_locked import held
from sitoo_pipeline_tests.sitoo.server import Answer, Request, Server, refusal

QUIET, SOLD, FAILED, MISSING, UNDELIVERED, RAW_ONLY, YESTERDAY = DATES = [
    TODAY - timedelta(days=back) for back in range(7, 0, -1)
]
NOW = datetime.now(UTC)


@dataclass
class Shop(Script):
    """A Sitoo that answers 500 to whoever asks for orders while it ``is_broken``."""

    is_broken: bool = False

    def __call__(self, request: Request) -> Answer:
        if self.is_broken and request.path == "/orders.json":
            return refusal(500, "Internal error")
        return super().__call__(request)


@dataclass
class Story:
    project: Project
    shop: Shop

    def load(self, *dates: date) -> None:
        """Take dates to the targets without Dagster, step by step."""
        self.project.load_plainly([dates])
        self.project.hand_over(dates)

    def inventory(self, *dates: date, now: datetime = NOW) -> Inventory:
        return take_inventory(self.project.runtime, dates or DATES, now=now)

    def day(self, day: date, *, now: datetime = NOW) -> DayStatus:
        return self.inventory(day, now=now).days[0]

    def judged(self, *, due: bool = True) -> dg.AssetCheckResult:
        """The check as it is at the time by which yesterday is to be ready, or just before."""
        now = self.project.runtime.ready_at(YESTERDAY) - timedelta(seconds=0 if due else 1)
        return judged(self.inventory(now=now), self.project.runtime, now)

    def check(self) -> dg.AssetCheckEvaluation:
        """The check by itself, as a job of its own runs it."""
        account = account_assets(self.project.runtime)
        selection = dg.AssetSelection.checks(dg.AssetCheckKey(read_copy_key(account.name), NAME))
        defs = dg.Definitions(
            assets=account.assets,
            asset_checks=account.checks,
            jobs=[dg.define_asset_job("alone", selection=selection, executor_def=dg.in_process_executor)],
        )
        with self.project.instance() as instance:
            result = defs.resolve_job_def("alone").execute_in_process(instance=instance)
        [evaluation] = result.get_asset_check_evaluations()
        return evaluation


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    objects: dict[str, list[Json]] = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "z_reports": [],
        "orders": [sale(101, SOLD), sale(102, FAILED), sale(103, UNDELIVERED), sale(104, RAW_ONLY), sale(105, TODAY)],
    }
    shop = Shop(objects)
    with Server(shop) as server:
        folder = tmp_path_factory.mktemp("inventory")
        project = Project.make(folder, server, start_date=QUIET, users=1, more="lock_timeout = 1\n")
        story = Story(project, shop)
        story.load(QUIET, SOLD)
        shop.is_broken = True
        assert list(project.run([FAILED]).failed) == [FAILED]
        shop.is_broken = False
        exports = project.account.exports_folder / "weekly_balance"
        exports.rename(exports.with_name("elsewhere"))
        exports.write_text("not a folder")
        with pytest.raises(NotDeliveredError):
            story.load(UNDELIVERED)
        exports.unlink()
        exports.with_name("elsewhere").rename(exports)
        for table in raw.DATED:
            extract_dates(project.runtime, table, [RAW_ONLY], run_id="cut-short")
        yield story


def test_each_date_has_the_state_that_it_was_brought_into(story: Story) -> None:
    assert [day.state.value for day in story.inventory().days] == [
        "done",
        "unreconciled",
        "failed",
        "missing",
        "undelivered",
        "incomplete",
        "missing",
    ]
    assert [state for state, number in story.inventory().counts().items() if number == 2] == [DayState.MISSING]


def test_each_says_what_it_lacks(story: Story) -> None:
    remarks = {day.business_date: day.remarks for day in story.inventory().days}
    assert remarks[QUIET] == remarks[SOLD] == remarks[MISSING] == []
    [why] = remarks[FAILED]
    assert "/orders.json" in why
    assert "500" in why
    assert remarks[UNDELIVERED] == ["weekly_balance_csv: 1 retry"]
    [not_loaded] = remarks[RAW_ONLY]
    assert not_loaded.startswith("not loaded: core.orders, core.order_lines, core.order_payments and ")
    assert story.day(SOLD).reconciliation == {"missing_z_report": 1}


def test_today_is_open_whatever_it_lacks(story: Story) -> None:
    runtime = story.project.runtime
    assert dates_until(runtime, NOW) == [*DATES, TODAY]
    before, after = (runtime.over_at(MISSING) + timedelta(seconds=shift) for shift in (-1, 0))
    assert story.day(MISSING, now=before).state is DayState.OPEN
    assert story.day(MISSING, now=after).state is DayState.MISSING
    assert story.day(RAW_ONLY, now=runtime.over_at(RAW_ONLY) - timedelta(seconds=1)).state is DayState.OPEN
    assert story.day(FAILED, now=runtime.over_at(FAILED) - timedelta(seconds=1)).state is DayState.FAILED


def test_a_date_is_over_when_it_is_over_in_the_last_zone_of_the_settings(story: Story, tmp_path: Path) -> None:
    project = Project.make(
        tmp_path, None, start_date=QUIET, more='[accounts.kedjan.stores.0900]\ntimezone = "America/New_York"\n'
    )
    day = date(2026, 11, 2)
    assert project.runtime.over_at(day) == datetime(2026, 11, 3, 5, tzinfo=UTC)
    assert story.project.runtime.over_at(day) == datetime(2026, 11, 2, 23, tzinfo=UTC)


def test_without_a_warehouse_every_date_is_missing_and_nothing_is_made(tmp_path: Path) -> None:
    project = Project.make(tmp_path, None, start_date=QUIET)
    found = take_inventory(project.runtime, DATES, now=NOW)
    assert found.counts() == {DayState.MISSING: 7}
    assert {path.name for path in tmp_path.iterdir()} == {"sitoo_pipeline.toml"}


def said(check: dg.AssetCheckResult) -> str:
    """The first line of what the UI shows above everything else; below it stands what to do."""
    first, *rest = str(check.description).splitlines()
    assert rest == ["", "```", *str(check.metadata["what_to_do"].value).splitlines(), "```"]
    return first


def test_the_check_lists_the_worst_first_and_the_commands(story: Story) -> None:
    found = story.judged()
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert said(found) == ("6 of 7 dates: 1 failed, 2 missing, 1 incomplete, 1 undelivered, 1 unreconciled")
    table = found.metadata["examples"]
    assert isinstance(table, dg.TableMetadataValue)
    rows = [(record.data["business_date"], record.data["state"]) for record in table.records]
    assert rows == [
        (str(FAILED), "failed"),
        (str(YESTERDAY), "missing"),
        (str(MISSING), "missing"),
        (str(RAW_ONLY), "incomplete"),
        (str(UNDELIVERED), "undelivered"),
        (str(SOLD), "unreconciled"),
    ]
    assert table.records[-1].data["what_it_lacks"] == "z-reports: 1 missing_z_report"
    assert str(found.metadata["what_to_do"].value).splitlines()[0] == (
        f"sitoo-pipeline backfill --account kedjan --from {FAILED} --to {YESTERDAY}"
    )


def test_yesterday_is_late_from_the_time_on_by_which_it_is_to_be_ready(story: Story) -> None:
    early, late = story.judged(due=False), story.judged()
    assert said(early) == "5 of 7 dates: 1 failed, 1 missing, 1 incomplete, 1 undelivered, 1 unreconciled"
    assert early.metadata["yesterday"].value == f"{YESTERDAY} is missing; it is to be done by 05:00"
    assert late.metadata["yesterday"].value == f"{YESTERDAY} is missing"
    assert str(late.metadata["expected"].value).endswith("yesterday by 05:00")
    assert str(YESTERDAY) not in str(early.metadata["what_to_do"].value)


def test_a_run_ends_with_the_check_and_does_not_fail_by_it(story: Story) -> None:
    with story.project.instance() as instance:
        runs = instance.get_runs(filters=dg.RunsFilter(job_name="kedjan_publish"))
        evaluated = [
            record.event_log_entry.dagster_event
            for run in runs
            for record in instance.get_records_for_run(
                run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
            ).records
        ]
    assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS]
    checks = [event.asset_check_evaluation_data for event in evaluated if event]
    assert [(check.check_name, check.passed) for check in checks] == [(NAME, False)]


def test_while_a_load_has_the_warehouse_the_read_copy_answers(story: Story) -> None:
    account = story.project.account
    with held(account.warehouse_path):
        found = story.inventory()
    assert found.as_of == datetime.fromtimestamp(account.read_copy_path.stat().st_mtime, UTC)
    assert [day.state.value for day in found.days][:5] == [day.state.value for day in story.inventory().days][:5]
    assert found.days[5].state is DayState.MISSING  # its bodies came after the copy was published
    assert story.inventory().as_of is None


def test_a_ledger_that_does_not_answer_fails_the_check_and_not_the_run(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = story.project.account.folder / "deliveries.db"
    ledger.rename(ledger.with_name("kept"))
    ledger.mkdir()
    try:
        found = story.check()
    finally:
        ledger.rmdir()
        ledger.with_name("kept").rename(ledger)
    assert (found.passed, found.description) == (False, "the inventory could not be taken")
    assert "deliveries_url" in str(found.metadata["actual"].value)


def test_a_source_that_changed_makes_the_date_incomplete_until_it_is_computed_again(story: Story) -> None:
    story.shop.objects["orders"].append(sale(106, QUIET))
    extract_dates(story.project.runtime, raw.ORDERS, [QUIET], run_id="again")
    day = story.day(QUIET)
    assert (day.state, day.gaps) == (DayState.INCOMPLETE, ["core.orders is older than raw.orders, and 2 more like it"])
    story.load(QUIET)
    assert story.day(QUIET).state is DayState.UNRECONCILED  # it sold, and has no z-report


def test_a_date_that_was_asked_for_before_it_was_over_is_incomplete(story: Story) -> None:
    story.load(TODAY)
    assert story.day(TODAY, now=datetime.now(UTC)).state is DayState.OPEN
    day = story.day(TODAY, now=story.project.runtime.over_at(TODAY))
    assert day.state is DayState.INCOMPLETE
    [gap] = day.gaps
    assert gap.startswith(f"read at {TODAY} ")
    assert gap.endswith(", before the date was over")


def test_the_command_in_the_check_puts_everything_right(story: Story) -> None:
    story.load(FAILED, MISSING, UNDELIVERED, RAW_ONLY, YESTERDAY)
    late = story.judged()
    assert (late.passed, late.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert said(late) == "5 of 7 dates: 5 unreconciled"
    story.shop.objects["orders"].clear()
    story.load(*DATES)
    assert story.judged().passed
    found = story.check()
    assert (found.passed, found.description) == (True, "as expected")
