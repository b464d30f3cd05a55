"""What Dagster keeps of each check and date, written together for the events that it hands over together.

One by one, the plan of a range is serialized once for each date, and each result opens a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

_WHICH = ("asset_key", "check_name", "run_id", "partition")


class Stored(NamedTuple):
    """An event with the row that was stored of it, and the row's number in the index."""

    event: dg.EventLogEntry
    row: Mapping[str, Any]
    number: int


def record_checks(connection: sa.Connection, stored: Sequence[Stored]) -> Sequence[Stored]:
    """Record which checks are planned, and what they found.

    Returns:
        The results of checks where one of them is not planned exactly once: Dagster has to judge these one by one.
    """
    planned = [row for one in stored if one.event.dagster_event_type == _PLANNED for row in _planned(one)]
    if planned:
        connection.execute(AssetCheckExecutionsTable.insert(), planned)
    found = [one for one in stored if one.event.dagster_event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION]
    if not found:
        return []
    updated = connection.execute(_FOUND, [_found(one) for one in found]).rowcount
    return [] if updated == len(found) else found


_PLANNED = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED


def _planned(one: Stored) -> list[dict[str, Any]]:
    plan: Any = one.event.get_dagster_event().event_specific_data
    partitions = plan.partitions_subset.get_partition_keys() if plan.partitions_subset else [None]
    return [
        _execution(one, plan, Status.PLANNED) | {"asset_key": plan.asset_key.to_string(), "partition": partition}
        for partition in partitions
    ]


def _found(one: Stored) -> dict[str, Any]:
    result: Any = one.event.get_dagster_event().event_specific_data
    looked_at = result.target_materialization_data
    values = _execution(one, result, Status.SUCCEEDED if result.passed else Status.FAILED) | {
        "asset_key": result.asset_key.to_string(),
        "partition": result.partition,
        "materialization_event_storage_id": looked_at.storage_id if looked_at else None,
    }
    return {f"its_{name}" if name in _WHICH else name: value for name, value in values.items()}


def _execution(one: Stored, said: Any, status: Status) -> dict[str, Any]:
    return {
        "check_name": said.check_name,
        "run_id": one.event.run_id,
        "execution_status": status.value,
        "evaluation_event": one.row["event"],
        "evaluation_event_timestamp": one.row["timestamp"],
        "evaluation_event_storage_id": one.number,
    }


_FOUND = (
    sa.update(AssetCheckExecutionsTable)
    .where(*(AssetCheckExecutionsTable.c[name].is_not_distinct_from(sa.bindparam(f"its_{name}")) for name in _WHICH))
    .values(
        {
            name: sa.bindparam(name)
            for name in (
                "execution_status",
                "evaluation_event",
                "evaluation_event_timestamp",
                "evaluation_event_storage_id",
                "materialization_event_storage_id",
            )
        }
    )
)
