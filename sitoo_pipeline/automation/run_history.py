"""How long Dagster remembers: old runs go with their events, check results and logs, and what is shown stays.

Deleting a run deletes its asset events too, and with them that a partition was ever made. So a run stays, however old,
while it is the latest to have made, observed or tried some partition of an asset, or to have answered a check.
"""

from datetime import datetime
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME

from sitoo_pipeline.automation.failures import is_of_account

_SHOWN = (
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_OBSERVATION,
)
_PAGE = 200


def forget_runs(instance: dg.DagsterInstance, account: str, *, before: datetime, most: int) -> int:
    """Delete finished runs of an account that were created before this instant, but for those still shown.

    Args:
        instance: Dagster's instance.
        account: Name of the account.
        before: Younger runs stay.
        most: How many are deleted at most, so that the database is never busy for long; the next time does more.

    Returns:
        How many were deleted.
    """
    kept = _shown(instance)
    old = dg.RunsFilter(statuses=list(FINISHED_STATUSES), created_before=before)
    gone, last = 0, None
    while gone < most:
        page = instance.get_run_records(old, limit=_PAGE, ascending=True, cursor=last)
        if not page:
            break
        for record in page:
            run_id = record.dagster_run.run_id
            if run_id in kept or gone == most or not is_of_account(record.dagster_run, account):
                last = run_id
            else:
                _forget(instance, run_id)
                gone += 1
    return gone


def _shown(instance: dg.DagsterInstance) -> set[str]:
    """The runs that hold the latest event of each kind of a partition, or the latest result of a check."""
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    latest_events = (
        sa.select(sa.func.max(events.id))
        .where(events.asset_key.is_not(None), events.dagster_event_type.in_([kind.value for kind in _SHOWN]))
        .group_by(events.asset_key, events.partition, events.dagster_event_type)
    )
    latest_checks = sa.select(sa.func.max(checks.id)).group_by(checks.asset_key, checks.check_name, checks.partition)
    with _storage(instance).index_connection() as connection:
        return {
            *connection.scalars(sa.select(events.run_id.distinct()).where(events.id.in_(latest_events))),
            *connection.scalars(sa.select(checks.run_id.distinct()).where(checks.id.in_(latest_checks))),
        }


def _forget(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.delete_run(run_id)
    storage = _storage(instance)
    with storage.index_connection() as connection:
        connection.execute(AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id))
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    if isinstance(storage, SqliteEventLogStorage):
        # A file per run, which stays where its events are deleted.
        file = Path(storage.path_for_shard(run_id))
        for path in (file, *(file.with_name(file.name + log) for log in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)


def history_files(instance: dg.DagsterInstance) -> list[Path]:
    """The SQLite files that grow with the history: events of assets, runs, ticks; none where it is in PostgreSQL."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        return []
    index = Path(storage.path_for_shard(INDEX_SHARD_NAME))
    history = index.parent.parent
    return [index, history / "runs.db", history.parent / "schedules" / "schedules.db"]


def _storage(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    """Where the events are, in SQLite or PostgreSQL."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"runs cannot be forgotten in a {type(storage).__name__}: keep Dagster's history in a database")
    return storage
