"""What of some landed bodies is other than what is loaded: the dates to load again, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.connection import Warehouse
from sitoo_pipeline.warehouse.raw import Dating
from sitoo_pipeline.warehouse.rules import typed
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
    """
    names = [field.name for field in table.fields]
    key = " AND ".join(f't."{name}" = o."{name}"' for name in table.key)
    same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM o."{name}"' for name in names)
    with warehouse.connect() as con:
        stage(con, table, files, layout=layout, landing=landing)
        casts = ", ".join(typed(f.type, f'"{f.name}"') + f' AS "{f.name}"' for f in table.fields)
        con.execute(f"CREATE OR REPLACE TEMP TABLE objects AS SELECT {casts}, _object FROM staged")
        asked = ", ".join(f'{column.source} AS "{column.name}"' for column in hints)
        con.register("dates_of_rows", dating(con.sql(f"SELECT {asked}, o._object FROM objects AS o").pl()).to_arrow())
        rows = con.execute(
            f"SELECT DISTINCT d.business_date, t.business_date FROM objects AS o JOIN dates_of_rows AS d USING (_object) "
            f"LEFT JOIN {table.qualified} AS t ON {key} "
            f"WHERE t.business_date IS DISTINCT FROM d.business_date OR NOT ({same})"
        ).fetchall()
    return {day for row in rows for day in row if day is not None}
