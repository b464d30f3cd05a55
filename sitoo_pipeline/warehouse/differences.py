"""What of some landed bodies is other than what is loaded: the dates to load again, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.connection import Warehouse
from sitoo_pipeline.warehouse.raw import Dating, date_objects
from sitoo_pipeline.warehouse.staging import Layout, stage


def differing_dates(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    hints: Sequence[Column],
    dating: Dating,
) -> set[date]:
    """The dates of the objects in ``files`` that ``table`` has not, or has with another content.

    An object that moved to another date gives both dates. Objects that break a rule are left out: they are refused when
    their date is loaded. Arguments as in ``load_dated``; nothing is written.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere.
    """
    key = " AND ".join(f't."{name}" = i."{name}"' for name in table.key)
    same = " AND ".join(f't."{f.name}" IS NOT DISTINCT FROM i."{f.name}"' for f in table.fields)
    with warehouse.connect() as con:
        stage(con, table, files, layout=layout, landing=landing)
        date_objects(con, table, hints, dating, into="incoming")
        rows = con.execute(
            f"SELECT DISTINCT i.business_date, t.business_date FROM incoming AS i LEFT JOIN {table.qualified} AS t "
            f"ON {key} WHERE t.business_date IS DISTINCT FROM i.business_date OR NOT ({same})"
        ).fetchall()
    return {day for row in rows for day in row if day is not None}
