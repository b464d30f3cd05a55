"""A check's result for each date of a range run, filed where Dagster looks for it.

Dagster files the result of a run over several dates under no date, and leaves each date of a partitioned check without
one.
A result counts for a date when it names that date and the materialization that it looked at.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

# What Dagster does not export; tests pin what it makes of them.
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import DagsterEventBatchMetadata

Target = AssetCheckEvaluationTargetMaterializationData


def newest_of(instance: dg.DagsterInstance, asset: dg.AssetKey, dates: Sequence[date]) -> dict[date, Target]:
    """The newest materialization of each of the dates that has one."""
    found: dict[date, Target] = {}
    asked = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[day.isoformat() for day in dates])
    cursor: str | None = None
    while len(found) < len(dates):  # once, where no date was made more often than another
        page = instance.fetch_materializations(asked, limit=len(dates), cursor=cursor)
        for record in page.records:
            assert record.partition_key is not None
            made = Target(storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp)
            found.setdefault(date.fromisoformat(record.partition_key), made)
        cursor = page.cursor
        if not page.has_more:
            break
    return found


def log_results_of_dates(
    context: dg.AssetCheckExecutionContext | dg.AssetExecutionContext,
    results: Mapping[date, dg.AssetCheckResult],
    *,
    looked_at: Mapping[date, Target],
    is_blocking: bool,
) -> None:
    """File the results of one check as those of single dates of the run, all together.

    ``looked_at`` has for each date the materialization that the check looked at, where there is one.
    """
    step = context.op_execution_context.get_step_execution_context()
    batch, last = str(uuid.uuid4()), max(results, default=None)
    for day, result in sorted(results.items()):
        assert result.asset_key is not None
        assert result.check_name is not None
        evaluation = dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=result.check_name,
            passed=result.passed,
            severity=result.severity,
            metadata=result.metadata,
            description=result.description,
            blocking=is_blocking,
            partition=day.isoformat(),
            target_materialization_data=looked_at.get(day),
        )
        dg.DagsterEvent.from_step(
            dg.DagsterEventType.ASSET_CHECK_EVALUATION,
            step,
            event_specific_data=evaluation,
            message=f"{day}: {result.check_name} {'passed' if result.passed else 'did not pass'}, {result.description}",
            batch_metadata=DagsterEventBatchMetadata(batch, is_end=day == last),
        )
