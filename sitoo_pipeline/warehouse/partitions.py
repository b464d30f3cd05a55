"""Rows of dates into tables: replaced together in one transaction, and each date left alone where nothing changed.

Tables that are computed together are written together, so that a kill never leaves a date whose tables disagree. A date
whose frame has no rows is emptied like any other. Comparison is by a hash of the content, so that a second identical
load rewrites nothing. Frames are validated before they come near the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.content import NOTHING, Content, all_contents, contents
from sitoo_pipeline.warehouse.frames import SchemaMismatchError, insert, validate
from sitoo_pipeline.warehouse.ledger import Load, Loaded, loaded_dates_of, record
from sitoo_pipeline.warehouse.reloads import NO_MOVES, Compare, Frames, moves, record_moves
from sitoo_pipeline.warehouse.sources import of_dates
from sitoo_pipeline.warehouse.threads import one_thread


def replace_partitions(
    warehouse: Warehouse,
    frames: Frames,
    *,
    dates: Sequence[date],
    run_id: str,
    started_at: datetime,
    compare: Compare | None = None,
) -> dict[Table, dict[date, Loaded]]:
    """Make ``frames`` the content of ``dates`` of their tables: each date, in all tables, in one transaction.

    Args:
        warehouse: Where to write.
        frames: For each table, which has a partition column, the rows of all of ``dates`` and of no other date.
        dates: The partitions to replace, also those without rows.
        run_id: The Dagster run, kept with every row.
        started_at: When the work on these partitions began, for ``meta.loads``.
        compare: Says what moved on a date that was loaded before and now differs, for ``meta.reload_diffs``.

    Returns:
        What became of each date of each table; ``unchanged`` where its content was already there.

    Raises:
        SchemaMismatchError: before anything is written.
        WarehouseLockedError: the file stayed open elsewhere.
    """
    for table, frame in frames.items():
        validate(table, frame)
        _refuse_strays(table, frame, dates)
    load = Load(run_id=run_id, started_at=started_at)
    days = sorted(set(dates))
    with warehouse.connect() as con:
        try:
            return _replace_together(con, frames, days, load=load, compare=compare)
        except duckdb.Error:
            if len(days) == 1:
                raise
        done: dict[Table, dict[date, Loaded]] = {table: {} for table in frames}
        for day in days:  # one of them was refused, which leaves the others as they were: each by itself, then
            of_day = {table: _of(table, frame, [day]) for table, frame in frames.items()}
            for table, loaded in _replace_together(con, of_day, [day], load=load, compare=compare).items():
                done[table] |= loaded
    return done


def _replace_together(
    con: duckdb.DuckDBPyConnection, frames: Frames, days: Sequence[date], *, load: Load, compare: Compare | None
) -> dict[Table, dict[date, Loaded]]:
    """All of ``days`` in one transaction: a small transaction costs more than what it writes."""
    moved: dict[date, pl.DataFrame] = {}
    with transaction(con):
        loaded = loaded_dates_of(con, frames, among=days)
        parts = [_Incoming.of(con, table, frame, days, loaded[table]) for table, frame in frames.items()]
        for day in days:
            if compare and all(day in part.known for part in parts):
                unchanged = all(part.is_there(day) for part in parts)
                moved[day] = NO_MOVES if unchanged else moves(con, frames, day, compare)
                record_moves(con, moved[day], run_id=load.run_id)
        for part in parts:
            part.write(con, load)
        done = {part.table: {day: part.result(day, moved.get(day)) for day in days} for part in parts}
        record(con, *(by_date[day] for day in days for by_date in done.values()), load=load)
    return done


@dataclass(frozen=True)
class _Incoming:
    """The rows of one table that are to be written, and by date what stands there and what arrives.

    ``known`` are the dates that were ever loaded. Of the others it is known what arrives when they are written.
    """

    table: Table
    frame: pl.DataFrame
    days: Sequence[date]
    known: set[date]
    there: dict[date, Content]
    arriving: dict[date, Content]

    @classmethod
    def of(
        cls, con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame, days: Sequence[date], loaded: set[date]
    ) -> _Incoming:
        known = loaded & set(days)
        arriving: dict[date, Content] = {}
        if known:
            with _registered(con, _of(table, frame, known)) as relation:
                arriving = dict.fromkeys(known, NOTHING) | all_contents(con, table, relation)
        return cls(table, frame, days, known, contents(con, table, table.qualified, days), arriving)

    def is_there(self, day: date) -> bool:
        return day in self.known and self.there[day] == self.arriving[day]

    def write(self, con: duckdb.DuckDBPyConnection, load: Load) -> None:
        """Replace the dates that are not there as they arrive."""
        new = [day for day in self.days if not self.is_there(day)]
        if gone := [day for day in new if self.there[day] != NOTHING]:
            con.execute(f"DELETE FROM {self.table.qualified} {of_dates(self.table, gone)}")
        rows = _of(self.table, self.frame, new).sort(self.table.partition or "", *self.table.key)
        if not rows.is_empty():
            with _registered(con, rows) as relation, one_thread(con):
                insert(con, self.table, relation, load=load)
        self.arriving.update(contents(con, self.table, self.table.qualified, set(new) - self.known))

    def result(self, day: date, moved: pl.DataFrame | None) -> Loaded:
        rows, content_hash = self.arriving[day]
        return Loaded(
            table=self.table.qualified,
            business_date=day,
            status="unchanged" if self.is_there(day) else "loaded",
            rows=rows,
            content_hash=content_hash,
            moved=moved,
        )


def _of(table: Table, frame: pl.DataFrame, days: Collection[date]) -> pl.DataFrame:
    """The rows of ``days``. DuckDB would be slow to look for them in a frame."""
    day = pl.col(table.partition or "")
    return frame.filter(day.is_in(pl.Series(sorted(days), dtype=pl.Date).implode()))


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> Iterator[str]:
    """The frame under a name that SQL can use."""
    con.register("incoming_rows", frame.to_arrow())
    yield "incoming_rows"
    con.unregister("incoming_rows")


def _refuse_strays(table: Table, frame: pl.DataFrame, dates: Sequence[date]) -> None:
    strays = set(frame[table.partition or ""].unique()) - set(dates)
    if strays:
        raise SchemaMismatchError(
            f"{table.qualified} was given rows of {', '.join(map(str, sorted(strays)))}, which were not asked for"
        )
