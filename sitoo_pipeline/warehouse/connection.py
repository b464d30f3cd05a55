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
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import stamina

from sitoo_pipeline.tables import BY_NAME
from sitoo_pipeline.warehouse import migrations
from sitoo_pipeline.warehouse.migrations import Shape
from sitoo_pipeline.warehouse.opened import Opened
from sitoo_pipeline.warehouse.read_copy import ReadCopy

_CONFIG: dict[str, str | bool | int | float | list[str]] = {"default_block_size": "65536"}
"""Of files that are made anew, and of temporary tables. While rows of a table are not in the file yet, each column
takes whole blocks: with DuckDB's own of 256 KB the columns of raw orders take twice the memory, and longer to write."""

_LOCKED = re.compile(r"Could not set lock|being used by another process", re.IGNORECASE)
_HOLDER = re.compile(r"(?:held|open) in (?P<program>.*?) \(PID (?P<pid>\d+)\)")


class WarehouseLockedError(RuntimeError):
    """The file stayed open in another program for longer than the time allowed. Nothing was written."""

    def __init__(self, path: Path, waited: float, cause: str) -> None:
        found = _HOLDER.search(cause)
        holder = f"{found['program']} (process {found['pid']})" if found else "another program"
        super().__init__(
            f"{path} is open in {holder} and was still after {waited:g} s. Nothing was written. "
            f"Close it there and run again; to look at the figures at any time, open {path.stem}_read{path.suffix}."
        )


@dataclass(frozen=True)
class Warehouse:
    """One account's warehouse at ``path``, and the published copy for readers beside it.

    ``lock_timeout`` is in seconds. ``memory_limit`` is DuckDB's own: what it has read it keeps until so much is full,
    and beyond it spills to disk beside the file; where bodies are read it has more (``staging``). ``personal_in_copy``
    is whether the copy for readers has personal data as it is.
    """

    path: Path
    lock_timeout: float = 60.0
    memory_limit: str = "512MB"
    personal_in_copy: bool = False
    _waits: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    _opened: Opened = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_opened", Opened(self.path))

    @property
    def waiting_for(self) -> str:
        """Which file is open elsewhere, while a connection waits for it; empty where none does."""
        return next(iter(self._waits), "")

    @property
    def read_copy(self) -> Path:
        """Where ``publish`` puts the copy that readers open."""
        return self.path.with_name(f"{self.path.stem}_read{self.path.suffix}")

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in UTC with every table there, closed at the end of the block; an older file is migrated first.

        A folder that is missing is made for its owner alone: the file holds customers' names and addresses.

        Raises:
            WarehouseLockedError: another process held the file for ``lock_timeout`` seconds.
            WarehouseVersionError: a newer pipeline wrote the file, or its columns are others than any version has.
        """
        with self._opened.connection(self._open_and_check) as con:
            self._opened.give_back(con)
            self._set_up(con)
            # Closing moves what was written into the file anyway. Doing so at each commit would rewrite much of it each
            # time; until it is done, the rows are in memory, uncompressed.
            con.execute("SET wal_autocheckpoint = '64MB'")
            # Else DuckDB reads small row groups of every table again each time, to write them as larger ones. After
            # some small changes it may (``raw``, ``read_copy``).
            con.execute("SET max_vacuum_tasks = 0")
            yield con

    def _open_and_check(self, after: ExitStack) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        con = self._open(self.path, patience=self.lock_timeout)
        try:
            self._set_up(con)
            con.execute("SET preserve_insertion_order = false")
            self._bring_up_to_date(con, after)
        except BaseException:
            con.close()
            after.close()
            raise
        return con

    def lingering(self, *, if_large: bool = False) -> AbstractContextManager[None]:
        """Within the block the file stays open for a moment between connections: a large one only ``if_large``.

        For work that opens it again and again. Others who want it may have to wait for the end of the block, or until
        nobody here has wanted it for that moment.
        """
        return self._opened.lingering(if_large=if_large)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else has the file open within the block. Nothing in it is looked at, whatever version it has.

        Raises:
            WarehouseLockedError: another process held the file for ``lock_timeout`` seconds.
            duckdb.Error: it cannot be opened at all.
        """
        with closing(self._open(self.path, patience=self.lock_timeout)):
            yield

    def _bring_up_to_date(self, con: duckdb.DuckDBPyConnection, after: ExitStack) -> None:
        """Every table there, in the shape that is declared; an older file is migrated, a newer one refused."""
        there = migrations.shape_of(con)
        version = self._judged(con, there)
        if version is not None and version < migrations.SCHEMA_VERSION:
            con.execute("CHECKPOINT")
            copy_to(self.path, migrations.copy_path(self.path, version), after)
            with transaction(con):
                migrations.migrate(con, self.path, version)
        elif not BY_NAME.keys() <= there.keys():
            with transaction(con):
                migrations.create_tables(con)
                if version is None:
                    migrations.stamp(con, "a new file")

    def _judged(self, con: duckdb.DuckDBPyConnection, there: Shape) -> int | None:
        """The file's version (None: it has no tables yet), where it is not one that has to be refused."""
        version = migrations.version_of(con, there)
        if version is not None and version > migrations.SCHEMA_VERSION:
            raise migrations.newer(self.path, version)
        if version == migrations.SCHEMA_VERSION and (others := _differing(there)):
            raise migrations.unlike(self.path, others)
        return version

    @contextmanager
    def look(
        self, *, patience: float = 2.0, personal: bool = False
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, datetime | None]]:
        """A connection that only reads, in UTC: of the warehouse, or of the read copy where a load has the warehouse.

        Yields the connection, and the instant at which the read copy was published (None for the warehouse itself).
        ``patience`` is how many seconds the warehouse is waited for; it is never longer than ``lock_timeout``. Whoever
        needs ``personal`` data is not given a copy without it. Tables are not made: a file that is being made for the
        first time may have none.

        Raises:
            WarehouseLockedError: another process held the file, and there is no read copy, or none that would do.
            WarehouseVersionError: its schema has another version.
            duckdb.IOException: there is no file.
        """
        with self._opened.shared() as con:
            if con is not None:
                self._set_up(con)
                yield con, None
                return
        con, as_of = self._open_to_look(patience=min(patience, self.lock_timeout), personal=personal)
        with closing(con):
            self._set_up(con)
            version = self._judged(con, migrations.shape_of(con))
            if version is not None and version < migrations.SCHEMA_VERSION:
                raise migrations.older(self.path, version)
            yield con, as_of

    def _open_to_look(self, *, patience: float, personal: bool) -> tuple[duckdb.DuckDBPyConnection, datetime | None]:
        try:
            return self._open(self.path, patience=patience, read_only=True), None
        except WarehouseLockedError:
            if not self.read_copy.exists() or (personal and not self.personal_in_copy):
                raise
            as_of = datetime.fromtimestamp(self.read_copy.stat().st_mtime, UTC)
            return self._open(self.read_copy, patience=0, read_only=True), as_of

    def _set_up(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET memory_limit = '{self.memory_limit}'")

    def _open(self, path: Path, *, patience: float, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        started = time.monotonic()

        def is_worth_waiting(error: Exception) -> bool:
            if is_locked := _is_locked(error):
                self._waits.append(f"{path}, which is open in another program")
            return is_locked

        try:
            for attempt in stamina.retry_context(
                on=is_worth_waiting,
                attempts=None if patience else 1,
                timeout=patience or None,
                wait_initial=0.05,
                wait_max=1.0,
                wait_jitter=0.2,
            ):
                with attempt:
                    return duckdb.connect(str(path), read_only=read_only, config=_CONFIG)
        except duckdb.IOException as error:
            if _is_locked(error):
                raise WarehouseLockedError(path, round(time.monotonic() - started, 1), str(error)) from None
            raise
        finally:
            self._waits.clear()
        raise AssertionError("the retry loop returns or raises")

    def query(self, sql: str, params: Sequence[object] = ()) -> pl.DataFrame:
        """The rows of one query as a frame."""
        with self.connect() as con:
            return con.sql(sql, params=list(params)).pl()

    def publish(self) -> Path:
        """Put a copy of the file at ``read_copy`` by an atomic rename; readers keep the copy that they have open.

        Personal data is left out of it (``read_copy``) unless ``personal_in_copy`` says otherwise. The file is held
        while it is copied, so that the copy is of one moment. Changes that a reader made to an earlier copy are dropped
        with it.

        Returns:
            The path of the copy.

        Raises:
            WarehouseLockedError: another process held the file; the earlier copy stays.
        """
        with self.connect() as con:
            if self.personal_in_copy:
                con.execute("CHECKPOINT")
                copy_to(self.path, self.read_copy, self._opened.after)
            else:
                ReadCopy(self.read_copy).publish(con)
        return self.read_copy


def _is_locked(error: Exception) -> bool:
    return isinstance(error, duckdb.IOException) and _LOCKED.search(str(error)) is not None


_DECLARED = {name: [column.name for column in table.all_columns] for name, table in BY_NAME.items()}


def _differing(there: Shape) -> list[str]:
    """Tables with other columns than are declared.

    A query of a column that is not there would say so too, but in the words of DuckDB, and late.
    """
    # Sorted, since a column that a migration added stands last in the file.
    return sorted(name for name, columns in there.items() if sorted(columns) != sorted(_DECLARED.get(name, columns)))


def copy_to(path: Path, target: Path, after: ExitStack) -> None:
    """Put a copy of the DuckDB file ``path`` at ``target``, by an atomic rename.

    The caller has the file open and has written everything into it (``CHECKPOINT``). ``after`` is closed after it
    (``Opened.after``).
    """
    source = after.enter_context(path.open("rb"))
    fresh = target.with_name(f".{target.name}.new")
    with fresh.open("wb") as written:
        shutil.copyfileobj(source, written, 2**20)
        written.flush()
        os.fsync(written.fileno())
    # A reader that opened the last copy for writing may have left a log, which DuckDB would add to this copy.
    target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
    fresh.replace(target)


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
