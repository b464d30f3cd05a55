"""When things run: the dates of a tick follow from the time it was scheduled for, on the account's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from sitoo_pipeline.assets.changes import FOUND_DATES, change_key
from sitoo_pipeline.assets.polls import POLLS
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


SCHEDULES = ("nightly", "hourly", "reread", "deep_reread", "inventory")


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
    ("name", "polls"),
    [
        ("hourly", {"new_orders", "new_transactions", "late_z_reports"}),
        ("reread", {"open_orders", "recent_days"}),
        ("deep_reread", {"many_days"}),
    ],
)
def test_what_each_schedule_polls(
    name: str, polls: set[str], defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    [request] = tick(defs, instance, name, utc("2026-10-26T02:00"))
    assert request.partition_key is None
    job = defs.resolve_job_def(defs.resolve_schedule_def(f"kedjan_{name}").job_name)
    assert {key.path[-1] for key in job.asset_layer.selected_asset_keys} == polls


def test_nothing_before_the_start_date(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    assert tick(defs, instance, "nightly", utc("2026-03-20T01:00")) == []


def test_a_date_before_the_start_does_not_stop_the_sensor(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """A poll found it, and then the settings moved the start: Dagster has no such partition any more."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            change_key("kedjan", "recent_days"),
            metadata={FOUND_DATES: dg.MetadataValue.json(["2026-03-19", "2026-03-20"])},
        )
    )
    sensor = defs.resolve_sensor_def("kedjan_changes")
    context = dg.build_sensor_context(
        instance=instance, repository_def=defs.get_repository_def(), sensor_name=sensor.name
    )
    assert dates(list(sensor.evaluate_tick(context).run_requests or [])) == ["2026-03-20"]


def test_what_each_poll_finds_is_run(defs: dg.Definitions) -> None:
    found = {poll.name: f"2026-05-0{number}" for number, poll in enumerate(POLLS, 1)}
    sensor = defs.resolve_sensor_def("kedjan_changes")
    with dg.DagsterInstance.ephemeral() as instance:
        for poll, day in found.items():
            said = {FOUND_DATES: dg.MetadataValue.json([day, "2026-05-20"])}
            instance.report_runless_asset_event(dg.AssetMaterialization(change_key("kedjan", poll), metadata=said))
        context = dg.build_sensor_context(
            instance=instance, repository_def=defs.get_repository_def(), sensor_name=sensor.name
        )
        asked = dates(list(sensor.evaluate_tick(context).run_requests or []))
    assert asked == [*found.values(), "2026-05-20"]


def test_run_keys_differ_between_nights(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    nights = [utc("2026-10-23T00:00") + timedelta(days=number) for number in range(5)]
    keys = [request.run_key for time in nights for request in tick(defs, instance, "nightly", time)]
    assert len(keys) == 5
    assert len(set(keys)) == len(keys)


def test_everything_is_stopped_until_it_is_switched_on(defs: dg.Definitions) -> None:
    schedules, sensors = list(defs.schedules or []), list(defs.sensors or [])
    assert {schedule.name for schedule in schedules} == {f"kedjan_{name}" for name in (*SCHEDULES, "retention")}
    assert [sensor.name for sensor in sensors] == ["kedjan_changes"]
    assert {one.default_status.value for one in [*schedules, *sensors]} == {"STOPPED"}


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


def test_the_night_goes_before_what_was_found_and_both_before_a_backfill(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    [night] = tick(defs, instance, "nightly", utc("2026-06-10T00:00"))
    [poll] = tick(defs, instance, "hourly", utc("2026-06-10T00:15"))
    priorities = [int(request.tags["dagster/priority"]) for request in (night, poll)]
    by_hand = defs.resolve_job_def("kedjan_daily").tags.get("dagster/priority", "0")
    assert priorities[0] > priorities[1] > int(by_hand)
