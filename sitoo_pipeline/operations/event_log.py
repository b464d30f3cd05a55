"""Dagster's event log in SQLite, with its connections kept open: for runs in this process.

Dagster opens and closes the file for each event that it writes, and a backfill writes tens of thousands. Here a file
stays open, and what Dagster hands over together (an event for each date of an asset) is written together. The files and
what is in them are the same, so that the UI and ``dagster dev`` read them as ever.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any, ClassVar

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import StaticPool

from sitoo_pipeline.operations.check_executions import Stored, record_checks
from sitoo_pipeline.operations.run_records import KeptOpenRuns

_MOST_OPEN = 4
"""Shards that are kept open: the index, the run at work, and the one before it."""

_STORED_TOGETHER = ASSET_EVENTS | ASSET_CHECK_EVENTS
"""The types of events of which there are some for each date; of the others a run has a handful."""

_INSERT = SqlEventLogStorageTable.insert()


class KeptOpenEventLog(SqliteEventLogStorage):
    """``SqliteEventLogStorage`` that opens each file once. Closed by ``dispose``."""

    _blank: ClassVar[sqlite3.Connection | None] = None
    """A file as Dagster makes it, in memory, from the first that was made in this process.

    To make one, Dagster reads all of its migrations, which takes a tenth of a second. The index tells it sooner."""

    def __init__(self, base_dir: str) -> None:
        self._connections: dict[str, sa.Connection] = {}
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._own_lock = Lock()
        self._latest: dict[tuple[dg.AssetKey | None, dg.DagsterEventType | None], int] = {}
        super().__init__(base_dir)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store the events of one run that Dagster hands over together, in one transaction per file.

        The same rows as one by one; what is known of an asset as a whole is that of its last event.
        """
        together = [
            self._at_its_own_time(event) if event.dagster_event_type in ASSET_EVENTS else event
            for event in events
            if event.dagster_event_type in _STORED_TOGETHER
        ]
        rows = [self._event_to_row(event) for event in together]
        if rows:
            with self.run_connection(events[0].run_id) as connection:
                connection.execute(_INSERT, rows)
            with self.index_transaction() as connection:
                numbers = connection.scalars(
                    _INSERT.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True), rows
                ).all()
                stored = [Stored(*one) for one in zip(together, rows, numbers, strict=True)]
                self._store_asset_events(connection, [one for one in stored if one.row["asset_key"]])
                left = record_checks(connection, stored)
            for one in left:
                self.store_asset_check_event(one.event, one.number)
        for event in events:
            if event.dagster_event_type not in _STORED_TOGETHER:
                self.store_event(event)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store one event, by a statement that is made once where it goes to the run's file alone."""
        if event.dagster_event_type in _STORED_TOGETHER | EVENT_TYPE_TO_PIPELINE_RUN_STATUS.keys():
            super().store_event(event)
            return
        with self.run_connection(event.run_id) as connection:
            connection.execute(_INSERT, self._event_to_row(event))

    def _at_its_own_time(self, event: dg.EventLogEntry) -> dg.EventLogEntry:
        """The event, no earlier than a millisecond after the asset's last one of its kind.

        The UI lists an asset's events by millisecond, and shows one of those that share it: one date of a whole range.
        """
        kind = (event.get_dagster_event().asset_key, event.dagster_event_type)
        milliseconds = int(event.timestamp * 1000)
        if milliseconds <= self._latest.get(kind, 0):
            milliseconds = self._latest[kind] + 1
            event = event._replace(timestamp=(milliseconds + 0.5) / 1000)
        self._latest[kind] = milliseconds
        return event

    def _store_asset_events(self, connection: sa.Connection, stored: Sequence[Stored]) -> None:
        of_assets = [one for one in stored if one.event.dagster_event_type in ASSET_EVENTS]
        self._store_asset_event_tags(connection, [one.event for one in of_assets], [one.number for one in of_assets])
        last = {(one.row["asset_key"], one.event.dagster_event_type): one for one in of_assets}
        for one in last.values():
            self._store_asset_event(connection, one.event, one.number)

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        """Whether there is that column. Dagster asks so for each event of an asset."""
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def has_table(self, table_name: str) -> bool:
        """Whether there is that table. Dagster asks so for each result of a check, by opening the file once more."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _initdb(self, engine: sa.Engine, for_index_shard: bool = False) -> None:  # noqa: FBT001, FBT002
        """Make the tables of a new file, such as each run has: a copy of what Dagster makes.

        Dagster reads all of its migrations twice for each file, and waits for the disk after each table and index,
        which together take longer than a run of one date writes.
        """
        with _driver(engine) as file:
            tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "alembic_version" in tables:
                return
            if not tables:
                self._copy_blank(file)
                return
        super()._initdb(engine, for_index_shard)

    def _copy_blank(self, file: sqlite3.Connection) -> None:
        if self._blank:
            self._blank.backup(file)  # with its write-ahead log
            return
        with closing(self._empty_index() or self._made_by_dagster()) as made:
            made.backup(file)
        file.execute("PRAGMA journal_mode = WAL")
        KeptOpenEventLog._blank = sqlite3.connect(":memory:", check_same_thread=False)
        file.backup(KeptOpenEventLog._blank)

    def _empty_index(self) -> sqlite3.Connection | None:
        """The tables of the index without their rows, in memory: a run has the same. None where it has none yet."""
        with closing(sqlite3.connect(self.path_for_shard(INDEX_SHARD_NAME), timeout=60)) as index:
            made = dict(index.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"))
            if "alembic_version" not in made:
                return None
            versions = index.execute("SELECT version_num FROM alembic_version").fetchall()
        empty = sqlite3.connect(":memory:")
        for name, sql in made.items():
            if not name.startswith("sqlite_"):  # SQLite's own
                empty.execute(sql)
        with empty:
            empty.executemany("INSERT INTO alembic_version VALUES (?)", versions)
        return empty

    def _made_by_dagster(self) -> sqlite3.Connection:
        in_memory = sa.create_engine("sqlite://", poolclass=StaticPool)
        super()._initdb(in_memory)
        made = sqlite3.connect(":memory:")
        with _driver(in_memory) as by_dagster:
            by_dagster.backup(made)
        in_memory.dispose()
        return made

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._own_lock:
            connection = self._connection(shard)
            with connection.begin():
                yield connection

    def _connection(self, shard: str) -> sa.Connection:
        there = self._connections.pop(shard, None)
        if there is not None and shard in self._initialized_dbs:
            self._connections[shard] = there  # the one used last is closed last
            return there
        if there is not None:
            _close(there)
        while len(self._connections) >= _MOST_OPEN:
            _close(self._connections.pop(next(iter(self._connections))))
        engine = sa.create_engine(
            self.conn_string_for_shard(shard), connect_args={"timeout": 60, "check_same_thread": False}
        )
        sa.event.listen(engine, "connect", _write_ahead)
        self._initdb(engine)
        self._initialized_dbs.add(shard)
        self._connections[shard] = engine.connect()
        return self._connections[shard]

    def dispose(self) -> None:
        """Close every file."""
        for connection in self._connections.values():
            _close(connection)
        self._connections.clear()
        super().dispose()


def _close(connection: sa.Connection) -> None:
    connection.close()
    connection.engine.dispose()


@contextmanager
def _driver(engine: sa.Engine) -> Iterator[sqlite3.Connection]:
    with closing(engine.raw_connection()) as pooled:
        assert isinstance(pooled.driver_connection, sqlite3.Connection)
        yield pooled.driver_connection


def _write_ahead(connection: Any, _: Any) -> None:
    """With Dagster's write-ahead log, a lost process loses nothing; only a lost machine may lose its last events."""
    connection.execute("PRAGMA synchronous = NORMAL")


class KeptOpenStorage(DagsterSqliteStorage):
    """Dagster's storage in SQLite files, with the event log and the records of runs kept open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = KeptOpenEventLog(self._event_log_storage._base_dir)
        self._run_storage = KeptOpenRuns(self._run_storage._conn_string)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> KeptOpenStorage:
        """The storage that an instance's settings describe."""
        return cls(inst_data=inst_data, **config_value)


def kept_open(instance: InstanceRef) -> InstanceRef:
    """The same instance with its event log kept open; as it is where its storage is not in SQLite files.

    Dagster hands over events together only where an environment variable says so; other storages take them one by one.
    """
    storage = instance.storage_data
    if storage is None or storage.class_name != DagsterSqliteStorage.__name__:
        return instance
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")
    return instance._replace(
        storage_data=ConfigurableClassData(__name__, KeptOpenStorage.__name__, storage.config_yaml)
    )
