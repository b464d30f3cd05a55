"""Landed bodies into a raw table that is kept: its rows are replaced by newer ones, and none is ever taken away.

For long lists of which only what changed is read again, and whose deleted objects still matter to old sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.content import content
from sitoo_pipeline.warehouse.ledger import Load, Loaded, now, record
from sitoo_pipeline.warehouse.quarantine import drift, quarantine_objects
from sitoo_pipeline.warehouse.staging import Layout, stage


def merge_site(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    site: int,
    layout: Layout,
    landing: Path,
    folder: Path,
    run_id: str,
    started_at: datetime,
    requests: int = 0,
    unknown_fields: Iterable[str] = (),
) -> Loaded:
    """Add the objects of ``files`` to ``table``, one that is ``kept``, in one transaction.

    An object that is there in other words replaces its row; one that is the same leaves it alone, with the landing file
    and the time of loading that it has. All other rows stay.

    Args:
        warehouse: Where to write.
        table: The raw table.
        files: Landed bodies, in the order of the pages.
        site: The site that answered; it begins the key.
        layout: How the bodies hold their objects.
        landing: The account's landing folder.
        folder: The folder of this fetch, which may have no files; ``last_merge`` finds the load by it.
        run_id: The Dagster run.
        started_at: When the fetch began.
        requests: Requests that the fetch took.
        unknown_fields: Dotted paths that nobody documented, for ``meta.drift``.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    landed = folder.relative_to(landing)
    load = Load(run_id=run_id, started_at=started_at, landing_folder=landed.as_posix(), requests=requests)
    names = ", ".join(f'"{name}"' for name in table.names if name != "_landing_file")
    key = ", ".join(f'"{name}"' for name in table.key)
    with warehouse.connect() as con, stage(con, table, files, layout=layout, landing=landing) as staged:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE incoming AS "
            f'SELECT {site} AS "{table.key[0]}", * EXCLUDE (_object) FROM {staged.rows}'
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE news AS FROM incoming SEMI JOIN "
            f"(SELECT {names} FROM incoming EXCEPT SELECT {names} FROM {table.qualified}) USING ({key})"
        )
        with transaction(con):
            same = " AND ".join(f't."{name}" = n."{name}"' for name in table.key)
            con.execute(f"DELETE FROM {table.qualified} AS t USING news AS n WHERE {same}")
            [(count,)] = con.execute(
                f"INSERT INTO {table.qualified} BY NAME SELECT {names}, _landing_file, "
                f"?::TIMESTAMPTZ AS _loaded_at, ? AS _run_id FROM news ORDER BY {key}",
                [now(), run_id],
            ).fetchall()
            rows, content_hash = content(con, table, table.qualified, None)
            loaded = Loaded(
                table=table.qualified,
                business_date=None,
                status="loaded" if count else "unchanged",
                rows=rows,
                quarantined=len(staged.refused),
                content_hash=content_hash,
                landing_folder=load.landing_folder,
                requests=requests,
            )
            record(con, loaded, load=load)
            quarantine_objects(con, table, staged.refused, within=f"{landed.parent.as_posix()}/", run_id=run_id)
            drift(con, table, unknown_fields, run_id=run_id)
    return loaded


def last_merge(con: duckdb.DuckDBPyConnection, table: RawTable, folder: str) -> datetime | None:
    """When the last load of ``table`` began whose bodies came into ``folder`` of the landing folder; None without."""
    found: list[tuple[datetime | None]] = con.execute(
        "SELECT max(started_at) FROM meta.loads "
        "WHERE table_name = ? AND status != 'failed' AND starts_with(landing_folder, ?)",
        [table.qualified, f"{folder}/"],
    ).fetchall()
    return found[0][0]
