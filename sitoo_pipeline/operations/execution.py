"""Dates through the stages of an account, in this process, recorded by Dagster like any run of the UI.

Each stage runs for the dates that are through the one before. A date that fails in a stage is out, with its reason; the
others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets
from sitoo_pipeline.assets.changes import found_dates
from sitoo_pipeline.assets.metadata import NOTES
from sitoo_pipeline.assets.runtime import chunks
from sitoo_pipeline.assets.sinks import sink_key, sink_op
from sitoo_pipeline.automation import poll_name, stage_name
from sitoo_pipeline.automation.failures import RANGE_END, RANGE_START, failed_dates, reason
from sitoo_pipeline.operations.stages import STAGES, Progress

DATES_PER_RUN = 92
"""Dates that go through a stage together. Each run costs a second or more whatever it does, and fetches every z-report
from its first date to now. But the first dates are through all stages only when the last ones of their group are, and a
date that fails in a computation has the others of its run looked through once more."""

_FEW_DATES = 8
"""As many as a night may have to run: of so few even a large warehouse stays open between steps. To open it takes
longer than what most steps do, but over many dates what DuckDB keeps of it would add up."""


@dataclass
class Outcome:
    """What became of the dates of one account.

    ``figures`` are the counts of a delivery that stands by itself, ``settled`` the keys of its records that were in
    doubt before.
    """

    account: str
    done: list[date] = field(default_factory=list)
    failed: dict[date, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[date, dict[str, int]] = field(default_factory=dict)
    settled: dict[date, list[str]] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether every date is through every stage, and the read copy is published."""
        return not self.failed and not self.warnings


class StageError(RuntimeError):
    """A stage that is not about single dates failed."""


@dataclass
class Execution:
    """Runs the jobs of one account on an instance of Dagster."""

    account: AccountAssets
    defs: dg.Definitions
    instance: dg.DagsterInstance
    progress: Progress = lambda stage, dates: None
    log_level: str = "CRITICAL"
    tags: dict[str, str] = field(default_factory=dict)
    _notes: list[str] = field(default_factory=list, init=False)

    def steps(self, *, sinks: bool = True, fetch: bool = True) -> list[str]:
        """The tables and targets that each date goes through in ``run``, such as ``raw.orders``."""
        stages = [stage for stage in STAGES if (sinks or stage != "deliver") and (fetch or stage != "extract")]
        return [".".join(asset.path[1:]) for stage in stages for asset in self.account.stages[stage]]

    def poll(self, every: Iterable[str]) -> set[date]:
        """Find out what came late or changed, as the schedules do; returns the dates to load again.

        Raises:
            StageError: not everything could be asked for; what was found is found again the next time.
        """
        dates: set[date] = set()
        failures = []
        for name in every:
            result = self._job(poll_name(self.account.name, name), [])
            failures += [reason(event, result.run_id) for event in _step_failures(result)]
            for event in result.all_events:
                if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
                    dates |= found_dates(dict(event.step_materialization_data.materialization.metadata))
        if failures:
            raise StageError("; ".join(dict.fromkeys(failures)))
        return dates

    def run(self, dates: Iterable[date], *, sinks: bool = True, fetch: bool = True) -> Outcome:
        """Take ``dates`` from Sitoo to the targets (or to the marts only).

        Without ``fetch``, Sitoo is asked for nothing: they are computed again from what ``raw`` has.
        """
        good = sorted(set(dates))
        with self.account.runtime.warehouse.lingering(if_large=len(good) <= _FEW_DATES):
            return self._run(good, sinks=sinks, fetch=fetch)

    def _run(self, good: list[date], *, sinks: bool, fetch: bool) -> Outcome:
        outcome = Outcome(self.account.name)
        stages = [stage for stage in STAGES if (fetch or stage != "extract") and (sinks or stage != "deliver")]
        reference = self.account.stages["reference"]
        try:
            self._whole("reference", reference if fetch else [key for key in reference if key.path[1] != "raw"])
        except StageError as error:
            outcome.failed.update(dict.fromkeys(good, str(error)))
            return outcome
        for group in chunks(good, DATES_PER_RUN):
            outcome.done += self._group(group, outcome, stages)
        try:
            self._whole("publish")
        except StageError as error:
            outcome.warnings.append(f"the read copy was not published: {error}")
        outcome.notes = self._notes
        return outcome

    def deliver(self, target: str, dates: Sequence[date], **how: Any) -> Outcome:
        """Hand ``dates`` to one target, which decides nothing about others; ``how``: fields of ``DeliveryConfig``."""
        outcome = Outcome(self.account.name)
        asset = sink_key(self.account.name, target)
        config = {sink_op(self.account.name, target): {"config": how}}
        for group in chunks(list(dates), DATES_PER_RUN):
            self.progress("deliver", group)
            result = self._job(stage_name(self.account.name, "deliver"), group, assets=[asset], config=config)
            named, unnamed = self._failures(result)
            outcome.failed.update(named or (dict.fromkeys(group, unnamed) if unnamed else {}))
            outcome.done += [day for day in group if day not in outcome.failed]
            # Of a step that failed, what it told before stands only where Dagster keeps it.
            kept = self.instance.get_records_for_run(result.run_id, of_type=_SHOWN_WITH_DATES).records
            told = [event for record in kept if (event := record.event_log_entry.dagster_event)]
            outcome.notes += [note for event in told for note in _notes_of(event)]
            outcome.figures |= dict(_figures(told))
        return outcome

    def _group(self, dates: Sequence[date], outcome: Outcome, stages: Sequence[str]) -> list[date]:
        good = list(dates)
        for stage in stages:
            if good and self.account.stages[stage]:
                failed = self._stage(stage, good)
                outcome.failed.update(failed)
                good = [day for day in good if day not in failed]
        return good

    def _stage(self, stage: str, dates: Sequence[date]) -> dict[date, str]:
        """Run one stage and return the dates that failed in it, each with its reason."""
        failed: dict[date, str] = {}
        queue = chunks(list(dates), DATES_PER_RUN)
        while queue:
            group = queue.pop(0)
            self.progress(stage, group)
            named, unnamed = self._execute(stage, group)
            failed.update(named)
            rest = [day for day in group if day not in named]
            if unnamed and len(group) == 1:
                failed.setdefault(group[0], unnamed)
            elif unnamed:
                queue[:0] = [[day] for day in rest]
            elif named and stage == "transform":
                # Steps behind the one that failed were left out for every date of the run.
                queue[:0] = chunks(rest, DATES_PER_RUN)
        return failed

    def _whole(self, stage: str, assets: Sequence[dg.AssetKey] = ()) -> None:
        self.progress(stage, [])
        named, unnamed = self._execute(stage, [], assets)
        if named or unnamed:
            raise StageError(unnamed or "; ".join(named.values()))

    def _execute(
        self, stage: str, dates: Sequence[date], assets: Sequence[dg.AssetKey] = ()
    ) -> tuple[dict[date, str], str | None]:
        """One run. Returns the dates that its steps named as failed, and the reason of a failure that named none."""
        result = self._job(stage_name(self.account.name, stage), dates, assets=assets)
        self._notes += [note for event in result.all_events for note in _notes_of(event)]
        return self._failures(result)

    def _failures(self, result: dg.ExecuteInProcessResult) -> tuple[dict[date, str], str | None]:
        reasons: dict[date, list[str]] = {}
        unnamed: str | None = None
        for event in _step_failures(result):
            if of_dates := failed_dates(event):
                for day, why in of_dates.items():
                    reasons.setdefault(day, []).append(why)
            else:
                unnamed = reason(event, result.run_id)
        named = {day: "; ".join(dict.fromkeys(why)) for day, why in reasons.items()}
        return named, None if named else unnamed

    def _job(
        self,
        name: str,
        dates: Sequence[date],
        *,
        assets: Sequence[dg.AssetKey] = (),
        config: Mapping[str, Any] | None = None,
    ) -> dg.ExecuteInProcessResult:
        tags = dict(self.tags)
        if len(dates) > 1:
            tags |= {RANGE_START: dates[0].isoformat(), RANGE_END: dates[-1].isoformat()}
        result = self.defs.resolve_job_def(name).execute_in_process(
            instance=self.instance,
            tags=tags,
            partition_key=dates[0].isoformat() if len(dates) == 1 else None,
            run_config={"loggers": {"console": {"config": {"log_level": self.log_level}}}, "ops": config or {}},
            asset_selection=list(assets) or None,
            raise_on_error=False,
        )
        if any(_is_interrupt(event) for event in result.all_events):
            raise KeyboardInterrupt  # Dagster took it for a failure of the run, and has recorded it as one
        return result


def _step_failures(result: dg.ExecuteInProcessResult) -> list[dg.DagsterEvent]:
    return [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]


_SHOWN_WITH_DATES = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION}


def _figures(events: Sequence[dg.DagsterEvent]) -> Iterator[tuple[date, dict[str, int]]]:
    """The counts that deliveries show with each date, also with one that failed."""
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            shown: dg.AssetMaterialization | dg.AssetObservation = event.step_materialization_data.materialization
        else:
            shown = event.asset_observation_data.asset_observation
        if shown.partition:
            values = {name: said.value for name, said in shown.metadata.items()}
            yield (
                date.fromisoformat(shown.partition),
                {name: value for name, value in values.items() if isinstance(value, int)},
            )


def _notes_of(event: dg.DagsterEvent) -> list[str]:
    """What a materialization says that a person should see: refused objects, and the notes of its step."""
    if event.event_type != dg.DagsterEventType.ASSET_MATERIALIZATION:
        return []
    made = event.step_materialization_data.materialization
    said = {name: made.metadata[name].value for name in ("quarantined", NOTES) if name in made.metadata}
    table = ".".join(made.asset_key.path[1:])
    where = f"{made.partition} {table}" if made.partition else table
    notes = [f"{where}: {said['quarantined']} objects refused, see meta.quarantine"] if said.get("quarantined") else []
    return [*notes, f"{where}: {said[NOTES]}"] if NOTES in said else notes


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    if event.event_type != dg.DagsterEventType.RUN_FAILURE:
        return False
    why = event.job_failure_data.failure_reason
    return why is not None and why.value == "UNEXPECTED_TERMINATION"
