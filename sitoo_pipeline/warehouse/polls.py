"""``meta.polls``: one row per poll for late and changed objects, and up to where everything is known.

Orders and z-reports carry no stamp of their last change. What a poll asks for is decided with the assets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from sitoo_pipeline.tables import Table, meta
from sitoo_pipeline.warehouse.ledger import now


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a poll found: the dates to load again, and what it took.

    ``asked_from`` and ``watermark`` are ids, or seconds since 1970 UTC; None for a poll without a bound.
    """

    dates: frozenset[date] = frozenset()
    asked_from: int | None = None
    watermark: int | None = None
    records: int = 0
    requests: int = 0


def record_poll(con: duckdb.DuckDBPyConnection, poll: str, found: Found, *, started_at: datetime, run_id: str) -> None:
    """Append one row to ``meta.polls``."""
    names = ", ".join(meta.POLLS.names)
    values = [
        poll, found.asked_from, found.watermark, found.records, found.requests, sorted(found.dates), started_at, now(),
        run_id,
    ]  # fmt: skip
    con.execute(f"INSERT INTO {meta.POLLS.qualified} ({names}) VALUES ({', '.join('?' * len(values))})", values)


def polled_up_to(con: duckdb.DuckDBPyConnection, poll: str, tables: Iterable[Table]) -> int | None:
    """The watermark from which the next poll has to look on; None where no poll says.

    A poll says so when every date that it found has been loaded since, in all of ``tables``; else what it found would
    be forgotten should a load fail.
    """
    names = [table.qualified for table in tables]
    rows = con.execute(
        """
        WITH loads AS (
            SELECT business_date, table_name, max(started_at) AS started_at FROM meta.loads
            WHERE status != 'failed' AND list_contains($tables, table_name) AND business_date IS NOT NULL GROUP BY ALL
        ), dates AS (SELECT watermark, started_at, unnest(found_dates) AS day FROM meta.polls WHERE poll = $poll),
        pending AS (
            SELECT d.watermark FROM dates AS d
            LEFT JOIN loads AS l ON l.business_date = d.day AND l.started_at >= d.started_at
            GROUP BY d.watermark, d.started_at, d.day HAVING count(l.table_name) < len($tables)
        )
        SELECT max(watermark) FROM meta.polls WHERE poll = $poll AND watermark NOT IN (SELECT watermark FROM pending)
        """,
        {"poll": poll, "tables": names},
    ).fetchall()
    found: int | None = rows[0][0]
    return found


def loaded_up_to(con: duckdb.DuckDBPyConnection, table: Table, column: str) -> int | None:
    """The lowest of the marks that the loads of the dates of ``table`` left: what is above may be missing from one.

    Args:
        con: A connection to the warehouse.
        table: A raw table with dates.
        column: Of ``meta.loads``: ``newest_id``, or ``started_at`` in seconds since 1970.

    Returns:
        None where no date is loaded; 0 where a load left no mark.
    """
    mark = "newest_id" if column == "newest_id" else f"epoch({column})::BIGINT"
    rows = con.execute(
        f"""
        SELECT min(coalesce(mark, 0)) FROM (
            SELECT max({mark}) AS mark FROM meta.loads
            WHERE table_name = ? AND status != 'failed' AND business_date IS NOT NULL GROUP BY business_date
        )
        """,
        [table.qualified],
    ).fetchall()
    found: int | None = rows[0][0]
    return found
