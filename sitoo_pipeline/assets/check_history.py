"""A check's result for each date of a range run, filed where Dagster looks for it.

Dagster files the result of a run over several dates under no date, and leaves each date of a partitioned check without
one.
A result counts for a date when it names that date and the materialization that it looked at.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

# The one type of Dagster used here that it does not export; a test pins what the UI makes of it.
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

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


def log_result_of_date(
    context: dg.AssetCheckExecutionContext,
    result: dg.AssetCheckResult,
    day: date,
    *,
    looked_at: Target | None,
    is_blocking: bool,
) -> None:
    """File ``result`` as that of one date of the run, of which it looked at that materialization."""
    assert result.asset_key is not None
    assert result.check_name is not None
    evaluation: Any = dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        severity=result.severity,
        metadata=result.metadata,
        description=result.description,
        blocking=is_blocking,
        partition=day.isoformat(),
        target_materialization_data=looked_at,
    )
    context.op_execution_context.log_event(evaluation)  # takes it, though its type hint does not say so
