"""A check's result for each date of a range run, filed where Dagster looks for it.

Dagster files the result of a run over several dates under no date, and leaves each date of a partitioned check without
one.
A result counts for a date when it names that date and the materialization that it looked at.
"""

from datetime import date
from typing import Any

import dagster as dg

# The one type of Dagster used here that it does not export; a test pins what the UI makes of it.
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData


def log_result_of_date(
    context: dg.AssetCheckExecutionContext, result: dg.AssetCheckResult, day: date, *, is_blocking: bool
) -> None:
    """File ``result`` as that of one date of the run."""
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
        target_materialization_data=_target(context.instance, result.asset_key, day),
    )
    context.op_execution_context.log_event(evaluation)  # takes it, though its type hint does not say so


def _target(
    instance: dg.DagsterInstance, asset: dg.AssetKey, day: date
) -> AssetCheckEvaluationTargetMaterializationData | None:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[day.isoformat()]), limit=1
    ).records
    if not records:
        return None
    [newest] = records
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
    )
