"""Landed bodies into ``raw``: staged, checked, dated, and each date replaced whole or left as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.content import Content, content, contents, hashed_contents
from sitoo_pipeline.warehouse.dating import Dating, date_objects, refused_by_date
from sitoo_pipeline.warehouse.frames import replace
from sitoo_pipeline.warehouse.ledger import Load, Loaded, loaded_dates, now, record, runs_of
from sitoo_pipeline.warehouse.quarantine import drift, quarantine, quarantine_dates
from sitoo_pipeline.warehouse.staging import PAGE, Bodies, Layout, Refused, stage

_TOGETHER = 50_000
"""Objects that one transaction writes, unless a single date has more: until it ends they are in memory."""

_FEW_DATES, _FEW_OBJECTS = 3, 10_000
"""A load of no more than both leaves row groups that are too small to stay as they are."""

_MERGES_EVERY = 8
"""Of so many runs one merges them, if it is such a load. Merging begins with what stands first in a table, which may be
what a backfill left, and writes up to three full row groups of each: few loads shall wait for that."""


def load_dated(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    dates: Sequence[date],
    hints: Sequence[Column],
    dating: Dating,
    run_id: str,
    started_at: datetime,
    requests: int = 0,
    newest_id: int | None = None,
    unknown_fields: Iterable[str] = (),
    is_part: bool = False,
) -> dict[date, Loaded]:
    """Replace ``dates`` of ``table`` by the objects of ``files`` that belong to them, each date whole or not at all.

    Dates are written together up to a number of objects; where that fails, each by itself, so that the earlier ones
    stay and the error is that of the date that cannot be written.

    Every object belongs to the date that ``dating`` says, from ``hints``: columns with a ``source`` over the raw object
    ``o``. Objects of other dates in the same bodies are left alone: they belong to other partitions. An object that
    stood with another date before is taken away there, and that date is recorded as loaded anew.

    Args:
        warehouse: Where to write.
        table: The raw table, partitioned by ``business_date``.
        files: Landed bodies, in the order of the pages.
        layout: How the bodies hold their objects.
        landing: The account's landing folder; ``_landing_file`` is relative to it.
        dates: The partitions to replace; at least one.
        hints: What ``dating`` needs of an object.
        dating: Gives each object its business date.
        run_id: The Dagster run.
        started_at: When the fetch began.
        requests: Requests that the fetch took.
        newest_id: Highest id that Sitoo had when the fetch began, for ``meta.loads``.
        unknown_fields: Dotted paths that nobody documented, for ``meta.drift``.
        is_part: Whether other dates are loaded in the same run. Then small row groups are left as they are.

    Returns:
        What became of each date, with the number of refused objects. A refused object without a date stands with the
        first of ``dates``, unless an earlier load has entered it elsewhere.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    load = Load(
        run_id=run_id,
        started_at=started_at,
        landing_folder=files[0].parent.relative_to(landing).as_posix() if files else None,
        requests=requests,
        newest_id=newest_id,
    )
    days = sorted(set(dates))
    with warehouse.connect() as con, stage(con, table, files, layout=layout, landing=landing, hints=hints) as staged:
        date_objects(con, hints, dating)
        refused = refused_by_date(con, table, hints, dating, staged.refused, days)
        drift(con, table, unknown_fields, run_id=run_id)
        arriving = _Arriving.of(con, staged.bodies, days, refused, load, is_part=is_part)
        done: dict[date, Loaded] = {}
        for together in arriving.groups():
            try:
                done |= arriving.replace(con, together)
            except duckdb.Error:
                for day in together:
                    done |= arriving.replace(con, [day])
        return done


def load_reference(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    run_id: str,
    started_at: datetime,
    unknown_fields: Iterable[str] = (),
) -> Loaded:
    """Make the objects of ``files`` the whole content of ``table``, one without a date. Arguments as in ``load_dated``.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    load = Load(run_id=run_id, started_at=started_at)
    with warehouse.connect() as con, stage(con, table, files, layout=layout, landing=landing) as staged:
        con.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT * EXCLUDE (_object) FROM {staged.rows}")
        with transaction(con):
            loaded = replace(con, table, "incoming", None, load=load, quarantined=len(staged.refused))
            quarantine(con, table, None, staged.refused, run_id=run_id)
            drift(con, table, unknown_fields, run_id=run_id)
    return loaded


@dataclass(frozen=True)
class _Arriving:
    """Objects that are to become the content of ``days``, and what stands there.

    ``left`` has for each date the other dates at which some of its objects stand now.
    """

    bodies: Bodies
    days: Sequence[date]
    refused: Mapping[date, Sequence[Refused]]
    load: Load
    is_part: bool
    contents: Mapping[date, Content]
    there: Mapping[date, Content]
    left: Mapping[date, Sequence[date]]

    @classmethod
    def of(
        cls,
        con: duckdb.DuckDBPyConnection,
        bodies: Bodies,
        days: Sequence[date],
        refused: Mapping[date, Sequence[Refused]],
        load: Load,
        *,
        is_part: bool,
    ) -> _Arriving:
        table = bodies.table
        there = contents(con, table, table.qualified, loaded_dates(con, table, among=days))
        arriving = hashed_contents(con, "incoming", days)
        return cls(bodies, days, refused, load, is_part, arriving, there, _dates_left(con, table))

    def groups(self) -> list[list[date]]:
        """The dates that are written together: a transaction for each would cost small dates more than their rows."""
        groups: list[list[date]] = []
        room = 0
        for day in self.days:
            rows, _ = self.contents[day]
            if not groups or rows > room:
                groups.append([])
                room = _TOGETHER
            groups[-1].append(day)
            room -= rows
        return groups

    def _merges(self, con: duckdb.DuckDBPyConnection) -> bool:
        """Whether small row groups are to be merged with its commit, once for each table.

        A backfill's are large enough, and merging them takes as long as writing them, and more memory.
        """
        rows = sum(rows for rows, _ in self.contents.values())
        if self.is_part or len(self.days) > _FEW_DATES or rows > _FEW_OBJECTS:
            return False
        return (runs_of(con, self.bodies.table) + 1) % _MERGES_EVERY == 0

    def replace(self, con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, Loaded]:
        """Make the objects of ``days`` the content of these dates, in one transaction."""
        table = self.bodies.table
        with transaction(con):
            for day in days:
                for other in set(self.left.get(day, ())).difference(days):
                    _leave(con, table, other, day, load=self.load, recorded=other not in self.days)
            done = {day: self._loaded(day) for day in days}
            self._rewrite(con, [day for day, loaded in done.items() if loaded.changed])
            record(con, *done.values(), load=self.load)
            quarantine_dates(con, table, {day: self.refused.get(day, ()) for day in days}, run_id=self.load.run_id)
        return done

    def _loaded(self, day: date) -> Loaded:
        rows, content_hash = self.contents[day]
        return Loaded(
            table=self.bodies.table.qualified,
            business_date=day,
            status="unchanged" if self.there.get(day) == self.contents[day] else "loaded",
            rows=rows,
            quarantined=len(self.refused.get(day, ())),
            content_hash=content_hash,
            landing_folder=self.load.landing_folder,
            requests=self.load.requests,
        )

    def _rewrite(self, con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
        table = self.bodies.table
        if not days:
            return
        listed = ", ".join(f"DATE '{day}'" for day in days)
        of_days = f"WHERE business_date IN ({listed})"
        con.execute(f"DELETE FROM {table.qualified} {of_days}")
        pages = con.execute(f"SELECT DISTINCT _object // {PAGE} FROM incoming {of_days}").fetchall()
        if not pages:
            return
        # In no order: sorting whole objects costs half as much as reading them, and keeping them in that of the bodies
        # doubles the memory. Into the file with the commit, which spares the log and frees the memory.
        con.execute("SET wal_autocheckpoint = '0B'")
        con.execute(f"SET max_vacuum_tasks = {int(self._merges(con))}")
        con.execute(
            f"INSERT INTO {table.qualified} BY NAME "
            "SELECT o.* EXCLUDE (_object), business_date, ?::TIMESTAMPTZ AS _loaded_at, ? AS _run_id "
            f"FROM {self.bodies.objects(page for (page,) in pages)} AS o "
            f"JOIN (SELECT _object, business_date FROM incoming {of_days}) USING (_object)",
            [now(), self.load.run_id],
        )


def _dates_left(con: duckdb.DuckDBPyConnection, table: RawTable) -> dict[date, list[date]]:
    """For each date of ``incoming`` the other dates at which some of its objects stand now."""
    rows = con.execute(
        f"SELECT DISTINCT i.business_date, t.business_date FROM incoming AS i JOIN {table.qualified} AS t "
        f"ON {_same_key(table)} WHERE i.business_date != t.business_date ORDER BY ALL"
    ).fetchall()
    left: dict[date, list[date]] = {}
    for day, other in rows:
        left.setdefault(day, []).append(other)
    return left


def _leave(
    con: duckdb.DuckDBPyConnection, table: RawTable, other: date, day: date, *, load: Load, recorded: bool
) -> None:
    """Take the objects of ``day`` away from the date ``other``: a key stands once in the table."""
    con.execute(
        f"DELETE FROM {table.qualified} AS t USING incoming AS i "
        f"WHERE {_same_key(table)} AND i.business_date = ? AND t.business_date = ?",
        [day, other],
    )
    if recorded:
        rows, content_hash = content(con, table, table.qualified, other)
        moved = Loaded(
            table=table.qualified,
            business_date=other,
            status="loaded",
            rows=rows,
            content_hash=content_hash,
            message=f"objects moved to {day}",
        )
        record(con, moved, load=load)


def _same_key(table: RawTable) -> str:
    return " AND ".join(f't."{name}" = i."{name}"' for name in table.key)
