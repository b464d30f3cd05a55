"""Dagster's event log in SQLite, with its connections kept open: for runs in this process.

Dagster opens and closes the file for each event that it writes, and a backfill writes tens of thousands. The files and
what is in them are the same, so that the UI and ``dagster dev`` read them as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import sqlalchemy as sa
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import QueuePool

_MOST_OPEN = 4
"""Shards that are kept open: the index, the run at work, and the one before it."""


class KeptOpenEventLog(SqliteEventLogStorage):
    """``SqliteEventLogStorage`` that opens each file once. Closed by ``dispose``."""

    _engines: dict[str, sa.Engine] | None = None
    _own_lock = Lock()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._own_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> sa.Engine:
        engines = self._engines = {} if self._engines is None else self._engines
        if shard in engines:
            engines[shard] = engines.pop(shard)  # the one used last is closed last
            return engines[shard]
        while len(engines) >= _MOST_OPEN:
            engines.pop(next(iter(engines))).dispose()
        engines[shard] = engine = sa.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            connect_args={"timeout": 60, "check_same_thread": False},
        )
        sa.event.listen(engine, "connect", _write_ahead)
        return engine

    def dispose(self) -> None:
        """Close every file."""
        for engine in (self._engines or {}).values():
            engine.dispose()
        self._engines = None
        super().dispose()


def _write_ahead(connection: Any, _: Any) -> None:
    """With Dagster's write-ahead log, a lost process loses nothing; only a lost machine may lose its last events."""
    connection.execute("PRAGMA synchronous = NORMAL")


class KeptOpenStorage(DagsterSqliteStorage):
    """Dagster's storage in SQLite files, with the event log kept open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = KeptOpenEventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> KeptOpenStorage:
        """The storage that an instance's settings describe."""
        return cls(inst_data=inst_data, **config_value)


def kept_open(instance: InstanceRef) -> InstanceRef:
    """The same instance with its event log kept open; as it is where its storage is not in SQLite files."""
    storage = instance.storage_data
    if storage is None or storage.class_name != DagsterSqliteStorage.__name__:
        return instance
    return instance._replace(
        storage_data=ConfigurableClassData(__name__, KeptOpenStorage.__name__, storage.config_yaml)
    )
