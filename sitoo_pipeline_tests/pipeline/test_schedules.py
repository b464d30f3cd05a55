"""When things run: the dates of a tick follow from the time it was scheduled for, on the account's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline_tests.pipeline.project import Project


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    project = Project.make(
        tmp_path_factory.mktemp("schedules"), None, start_date=date(2026, 3, 20), more="reread_days = 3\n"
    )
    return build_defs(project.settings)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path_factory.mktemp("ephemeral"))) as made:
        yield made


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tick(defs: dg.Definitions, instance: dg.DagsterInstance, name: str, scheduled: datetime) -> list[dg.RunRequest]:
    schedule = defs.resolve_schedule_def(f"kedjan_{name}")
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=scheduled, repository_def=defs.get_repository_def()
    )
    return list(schedule.evaluate_tick(context).run_requests or [])


def dates(requests: list[dg.RunRequest]) -> list[str]:
    return [str(request.partition_key) for request in requests]


@pytest.mark.parametrize(
    ("scheduled", "yesterday"),
    [
        ("2026-06-10T00:00", "2026-06-09"),  # 02:00 in summer
        ("2026-12-10T01:00", "2026-12-09"),  # 02:00 in winter
        ("2026-03-29T01:00", "2026-03-28"),  # 02:00 is missing: 03:00
        ("2026-03-30T00:00", "2026-03-29"),  # the day of 23 hours
        ("2026-10-25T00:00", "2026-10-24"),  # the first 02:00 of two
        ("2026-10-26T01:00", "2026-10-25"),  # the day of 25 hours
        ("2027-01-01T01:00", "2026-12-31"),
    ],
)
def test_nightly_does_yesterday(
    scheduled: str, yesterday: str, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    assert dates(tick(defs, instance, "nightly", utc(scheduled))) == [yesterday]


@pytest.mark.parametrize(
    ("scheduled", "today"),
    [
        ("2026-06-09T21:15", "2026-06-09"),  # 23:15
        ("2026-06-09T22:15", "2026-06-10"),  # 00:15
        ("2026-10-25T00:15", "2026-10-25"),
        ("2026-10-25T22:15", "2026-10-25"),  # 23:15 of the day of 25 hours
        ("2026-10-25T23:15", "2026-10-26"),
    ],
)
def test_hourly_does_today(scheduled: str, today: str, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    assert dates(tick(defs, instance, "hourly", utc(scheduled))) == [today]


def test_reread_does_the_days_before_yesterday_one_by_one(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    found = dates(tick(defs, instance, "reread", utc("2026-10-26T02:00")))
    assert found == ["2026-10-22", "2026-10-23", "2026-10-24"]


def test_nothing_before_the_start_date(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    assert dates(tick(defs, instance, "reread", utc("2026-03-23T02:00"))) == ["2026-03-20", "2026-03-21"]
    assert tick(defs, instance, "nightly", utc("2026-03-20T01:00")) == []


def test_run_keys_differ_between_nights_and_hours(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    nights = [utc("2026-10-23T00:00") + timedelta(days=number) for number in range(5)]
    hours = [utc("2026-10-24T22:15") + timedelta(hours=number) for number in range(25)]
    keys = [
        request.run_key
        for name, times in (("nightly", nights), ("reread", nights), ("hourly", hours))
        for time in times
        for request in tick(defs, instance, name, time)
    ]
    assert len(keys) == 5 + 15 + 25
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_partition_is_a_local_day(day: str, hours: int, defs: dg.Definitions) -> None:
    asset = dg.AssetKey(["kedjan", "marts", "hourly_sales"])
    partitions_def = defs.resolve_asset_graph().get(asset).partitions_def
    assert isinstance(partitions_def, dg.DailyPartitionsDefinition)
    window = partitions_def.time_window_for_partition_key(day)
    assert window.end.timestamp() - window.start.timestamp() == hours * 3600


def test_today_is_a_partition(defs: dg.Definitions) -> None:
    asset = dg.AssetKey(["kedjan", "raw", "orders"])
    partitions_def = defs.resolve_asset_graph().get(asset).partitions_def
    assert isinstance(partitions_def, dg.DailyPartitionsDefinition)
    at = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # 23:30 in Stockholm
    keys = partitions_def.get_partition_keys(current_time=at)
    assert (keys[0], keys[-1]) == ("2026-03-20", "2026-10-25")
