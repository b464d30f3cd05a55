"""How long ``meta`` remembers: old loads, polls and moved figures go, and what still tells something stays."""

from __future__ import annotations

from datetime import datetime

import duckdb

from sitoo_pipeline.tables import meta
from sitoo_pipeline.warehouse.connection import transaction

# Of each partition: its last attempt, its last load, its last change, when it was last asked for, and up to which id.
# A table without dates is fetched into several folders, each with a newest fetch of its own.
_TELLING = """
    SELECT unnest([
        arg_max(rowid, finished_at),
        arg_max(rowid, finished_at) FILTER (status != 'failed'),
        arg_max(rowid, finished_at) FILTER (status = 'loaded'),
        arg_max(rowid, started_at) FILTER (status != 'failed'),
        arg_max(rowid, started_at) FILTER (status != 'failed' AND message IS NULL),
        arg_max(rowid, newest_id) FILTER (status != 'failed')
    ]) AS kept
    FROM meta.loads
    GROUP BY table_name, business_date, CASE WHEN business_date IS NULL THEN parse_dirpath(landing_folder) END
"""
_NEWEST_POLLS = "SELECT arg_max(rowid, finished_at) FROM meta.polls GROUP BY poll"


def forget_history(con: duckdb.DuckDBPyConnection, *, before: datetime) -> dict[str, int]:
    """Remove what ``meta`` remembers from before this instant and nothing follows from any more.

    Returns:
        How many rows went, by table.
    """
    statements = {
        meta.LOADS: f"finished_at < ? AND rowid NOT IN (SELECT kept FROM ({_TELLING}) WHERE kept IS NOT NULL)",
        meta.POLLS: f"finished_at < ? AND rowid NOT IN ({_NEWEST_POLLS})",
        meta.RELOAD_DIFFS: "seen_at < ?",
    }
    gone = {}
    with transaction(con):
        for table, condition in statements.items():
            [(count,)] = con.execute(f"DELETE FROM {table.qualified} WHERE {condition}", [before]).fetchall()
            gone[table.qualified] = count
    return gone
