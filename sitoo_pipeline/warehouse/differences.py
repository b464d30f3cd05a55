"""What of some landed bodies is other than what is loaded: the dates to load again, before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.connection import Warehouse
from sitoo_pipeline.warehouse.content import row_hash
from sitoo_pipeline.warehouse.dating import Dating, date_objects, dates_of_refused
from sitoo_pipeline.warehouse.quarantine import quarantined
from sitoo_pipeline.warehouse.staging import Layout, stage


@dataclass(frozen=True)
class Differences:
    """The dates whose objects are others than those that are loaded, and the highest mark among the objects given.

    ``highest`` is an id, or seconds since 1970; None where no object has a mark.
    """

    dates: frozenset[date]
    highest: int | None


def differences(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    hints: Sequence[Column],
    dating: Dating,
    mark: str,
    whole: Collection[date] = (),
) -> Differences:
    """Compare the objects in ``files`` with those that ``table`` has.

    An object that moved to another date gives both dates. One that breaks a rule gives its date where
    ``meta.quarantine`` does not have it yet, so that it is refused there and seen; it has no mark. ``mark`` is the
    field in whose order Sitoo gives them. ``whole`` are dates of which ``files`` hold every object, so that one that is
    loaded and not among them makes a difference too. Other arguments as in ``load_dated``; nothing is written.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere.
    """
    key = ", ".join(f'"{name}"' for name in table.key)
    listed = ", ".join(f"DATE '{day}'" for day in sorted(whole)) or "NULL"
    marked = Column("_mark", table.column(mark).type, source=f'o."{mark}"')
    with (
        warehouse.connect() as con,
        stage(con, table, files, layout=layout, landing=landing, hints=[*hints, marked]) as staged,
    ):
        seen = quarantined(con, table) if staged.refused else set()
        unseen = [item for item in staged.refused if item.payload not in seen]
        of_refused = dates_of_refused(con, table, hints, dating, unseen) if unseen else []
        date_objects(con, hints, dating)
        content = row_hash((f.name, f.type) for f in table.fields)
        rows = con.execute(
            f"WITH there AS (SELECT {key}, business_date, {content} AS _hash "
            f"FROM {table.qualified} SEMI JOIN incoming USING ({key})) "
            f"SELECT DISTINCT i.business_date, t.business_date FROM incoming AS i LEFT JOIN there AS t USING ({key}) "
            "WHERE t.business_date IS DISTINCT FROM i.business_date OR t._hash != i._hash "
            f"UNION SELECT DISTINCT NULL, t.business_date FROM {table.qualified} AS t ANTI JOIN incoming USING ({key}) "
            f"WHERE t.business_date IN ({listed})"
        ).fetchall()
        highest = con.execute('SELECT max("hint _mark") FROM incoming').fetchall()[0][0]
    dates = frozenset(day for row in [*rows, of_refused] for day in row if day is not None)
    return Differences(dates, int(highest.timestamp()) if isinstance(highest, datetime) else highest)
