"""One pass of an account's schedules and sensors, as the daemon makes it: ticks, runs, the runs that follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import dagster as dg

from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline_tests.pipeline.project import Project


@dataclass
class Daemon:
    """Evaluates what is due and executes what it asks for, one run after the other, in this process."""

    project: Project
    instance: dg.DagsterInstance
    cursor: str | None = None
    started: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runtime = self.project.runtime
        self.defs = build_defs(self.project.settings, runtime=lambda account: self.runtime)
        self.repository = self.defs.get_repository_def()

    def tick(self, schedule: str, at: datetime | None = None) -> None:
        """Let a schedule be due at ``at`` (now), and execute its runs."""
        found = self.defs.resolve_schedule_def(f"{self.project.account.name}_{schedule}")
        context = dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=at or datetime.now(UTC), repository_def=self.repository
        )
        data = found.evaluate_tick(context)
        for request in data.run_requests or []:
            self._execute(request, request.job_name or found.job_name)

    def sense(self) -> list[date]:
        """Let the sensor look, and execute its runs; their dates."""
        sensor = self.defs.resolve_sensor_def(f"{self.project.account.name}_changes")
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=self.repository, sensor_name=sensor.name
        )
        data = sensor.evaluate_tick(context)
        self.cursor = data.cursor
        for request in data.run_requests or []:
            self._execute(request, f"{self.project.account.name}_daily")
        return [date.fromisoformat(request.partition_key or "") for request in data.run_requests or []]

    def one_pass(self, schedules: Iterable[str] = ("hourly", "reread", "deep_reread")) -> list[date]:
        """Every schedule that polls, then the sensor; the dates that were run."""
        for schedule in schedules:
            self.tick(schedule)
        return self.sense()

    def _execute(self, request: dg.RunRequest, job: str) -> None:
        self.started.append((job, request.partition_key))
        with self.runtime.warehouse.lingering():
            result = self.defs.resolve_job_def(job).execute_in_process(
                instance=self.instance,
                partition_key=request.partition_key,
                tags=dict(request.tags),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
        failures = [event.event_specific_data for event in result.all_events if event.is_failure]
        assert not failures, (job, request.partition_key, failures)

    def newest(self) -> int:
        """Position of the newest event, to tell what came after it."""
        records = self.instance.fetch_run_status_changes(dg.DagsterEventType.RUN_SUCCESS, limit=1).records
        return records[0].storage_id if records else 0

    def materialized(self, *, since: int) -> set[tuple[str, str]]:
        """The assets and partitions that were materialized after a position."""
        found = set()
        for key in self.instance.get_asset_keys():
            asked = dg.AssetRecordsFilter(asset_key=key, after_storage_id=since)
            for record in self.instance.fetch_materializations(asked, limit=1000).records:
                if record.partition_key:
                    found.add((".".join(key.path[1:]), record.partition_key))
        return found
