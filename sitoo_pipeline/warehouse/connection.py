"""Connections to the warehouse's file, the wait for its lock, and the copy for readers.

DuckDB lets one process write and then nobody else even read, and refuses at once instead of waiting. So every
connection here is short, and an attempt that finds the file held is repeated until ``lock_timeout`` is over; then the
error names the holder.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import stamina

from sitoo_pipeline.tables import ALL_TABLES, BY_NAME

_LOCKED = re.compile(r"Could not set lock|being used by another process", re.IGNORECASE)
_HOLDER = re.compile(r"(?:held|open) in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
_NAMED = 3
LAYERS = ("raw", "core", "marts", "meta")


class WarehouseLockedError(RuntimeError):
    """The file stayed open in another program for longer than the time allowed. Nothing was written."""

    def __init__(self, path: Path, waited: float, cause: str) -> None:
        found = _HOLDER.search(cause)
        holder = f"{found['program']} (process {found['pid']})" if found else "another program"
        super().__init__(
            f"{path} is open in {holder} and was still after {waited:g} s. Nothing was written. "
            f"Close it there and run again; to look at the figures at any time, open {path.stem}_read{path.suffix}."
        )


class WarehouseVersionError(RuntimeError):
    """The file's tables have other columns than this version of the pipeline declares. Nothing was written."""

    def __init__(self, path: Path, tables: Sequence[str]) -> None:
        named = ", ".join(tables[:_NAMED]) + (f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else "")
        super().__init__(
            f"{path} was made by another version of the pipeline: other columns in {named}. Nothing was written. "
            "Move the file away and load its dates again (sitoo-pipeline backfill); the ledger of deliveries stays "
            "where it is, so that nothing is sent twice."
        )


@dataclass(frozen=True)
class Warehouse:
    """One account's warehouse at ``path``, and the published copy for readers beside it.

    ``lock_timeout`` is in seconds; ``memory_limit`` is DuckDB's own (beyond it, it spills to disk beside the file).
    """

    path: Path
    lock_timeout: float = 60.0
    memory_limit: str = "1GB"

    @property
    def read_copy(self) -> Path:
        """Where ``publish`` puts the copy that readers open."""
        return self.path.with_name(f"{self.path.stem}_read{self.path.suffix}")

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in UTC with every table there, closed at the end of the block.

        A folder that is missing is made for its owner alone: the file holds customers' names and addresses.

        Raises:
            WarehouseLockedError: another process held the file for ``lock_timeout`` seconds.
            WarehouseVersionError: a table has other columns than are declared.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        con = self._open(self.path, patience=self.lock_timeout)
        try:
            self._set_up(con)
            con.execute("SET preserve_insertion_order = false")
            # Closing moves what was written into the file anyway; doing so at a commit would rewrite it date by date.
            con.execute("SET wal_autocheckpoint = '256MB'")
            if not BY_NAME.keys() <= _tables_there(con, self.path):
                _create_tables(con)
            yield con
        finally:
            con.close()

    @contextmanager
    def look(self, *, patience: float = 2.0) -> Iterator[tuple[duckdb.DuckDBPyConnection, datetime | None]]:
        """A connection that only reads, in UTC: of the warehouse, or of the read copy where a load has the warehouse.

        Yields the connection, and the instant at which the read copy was published (None for the warehouse itself).
        ``patience`` is how many seconds the warehouse is waited for; it is never longer than ``lock_timeout``. Tables
        are not made: a file that is being made for the first time may have none.

        Raises:
            WarehouseLockedError: another process held the file, and there is no read copy.
            WarehouseVersionError: a table has other columns than are declared.
            duckdb.IOException: there is no file.
        """
        as_of = None
        try:
            con = self._open(self.path, patience=min(patience, self.lock_timeout), read_only=True)
        except WarehouseLockedError:
            if not self.read_copy.exists():
                raise
            as_of = datetime.fromtimestamp(self.read_copy.stat().st_mtime, UTC)
            con = self._open(self.read_copy, patience=0, read_only=True)
        try:
            self._set_up(con)
            _tables_there(con, self.path)
            yield con, as_of
        finally:
            con.close()

    def _set_up(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET memory_limit = '{self.memory_limit}'")

    def _open(self, path: Path, *, patience: float, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        started = time.monotonic()
        try:
            for attempt in stamina.retry_context(
                on=_is_locked,
                attempts=None if patience else 1,
                timeout=patience or None,
                wait_initial=0.05,
                wait_max=1.0,
                wait_jitter=0.2,
            ):
                with attempt:
                    return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if _is_locked(error):
                raise WarehouseLockedError(path, round(time.monotonic() - started, 1), str(error)) from None
            raise
        raise AssertionError("the retry loop returns or raises")

    def query(self, sql: str, params: Sequence[object] = ()) -> pl.DataFrame:
        """The rows of one query as a frame."""
        with self.connect() as con:
            return con.sql(sql, params=list(params)).pl()

    def publish(self) -> Path:
        """Put a copy of the file at ``read_copy`` by an atomic rename; readers keep the copy that they have open.

        The file is held while it is copied, so that the copy is of one moment. Changes that a reader made to an earlier
        copy are dropped with it.

        Returns:
            The path of the copy.

        Raises:
            WarehouseLockedError: another process held the file; the earlier copy stays.
        """
        fresh = self.read_copy.with_name(f".{self.read_copy.name}.new")
        with ExitStack() as after, self.connect() as con:
            con.execute("CHECKPOINT")
            # Closing any descriptor of a file gives up this process's lock on it, so this one is closed after DuckDB's.
            source = after.enter_context(self.path.open("rb"))
            with fresh.open("wb") as target:
                shutil.copyfileobj(source, target, 2**20)
                target.flush()
                os.fsync(target.fileno())
            # A reader that opened the last copy for writing may have left a log, which DuckDB would add to this copy.
            self.read_copy.with_name(f"{self.read_copy.name}.wal").unlink(missing_ok=True)
            fresh.replace(self.read_copy)
        return self.read_copy


def _is_locked(error: Exception) -> bool:
    return isinstance(error, duckdb.IOException) and _LOCKED.search(str(error)) is not None


_DECLARED = {name: [column.name for column in table.all_columns] for name, table in BY_NAME.items()}


def _tables_there(con: duckdb.DuckDBPyConnection, path: Path) -> set[str]:
    """The tables of the file; those of another version are refused.

    A query of a column that is not there would say so too, but in the words of DuckDB, and late.
    """
    there: dict[str, list[str]] = dict(
        con.execute(
            "SELECT schema_name || '.' || table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            "WHERE database_name = current_database() GROUP BY ALL"
        ).fetchall()
    )
    if others := sorted(name for name, columns in there.items() if columns != _DECLARED.get(name, columns)):
        raise WarehouseVersionError(path, others)
    return set(there)


def _create_tables(con: duckdb.DuckDBPyConnection) -> None:
    with transaction(con):
        for layer in LAYERS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
        for table in ALL_TABLES:
            con.execute(table.ddl)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block or nothing of it."""
    con.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")
