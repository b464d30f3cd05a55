"""The dates that are fetched or computed at once: as many as have so many rows.

So memory goes with neither period nor chain.
To begin and to commit costs each piece something whatever it holds, so pieces of single dates would take longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import ceil

import duckdb

from sitoo_pipeline.assets.runtime import chunks
from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.sources import rows_by_date

DAYS, ROWS = 31, 50_000

_FETCHED = 150_000
"""Objects that are fetched at once. Each piece looks through the day around it as well, whose objects it passes on, so
that pieces of single days would take twice as long."""

_WORTH_A_REQUEST = 5_000
"""Objects whose load takes longer than the request that another piece costs."""


def days_at_once(pieces: Sequence[Sequence[date]], per_day: float | None) -> int:
    """How many days of the first of ``pieces`` to fetch at once, of a source that has so many objects ``per_day``.

    While nobody knows how many those are (None), one day tells, unless there is no other piece. Towards the end they
    become fewer: the last days are loaded while nothing is left to be fetched.
    """
    days, left = len(pieces[0]), sum(map(len, pieces))
    if per_day is None:
        return 1 if len(pieces) > 1 else days
    if per_day * left > _WORTH_A_REQUEST:
        days = min(days, ceil(left / 2))
    return min(days, max(1, int(_FETCHED / per_day))) if per_day else days


def pieces(
    con: duckdb.DuckDBPyConnection, table: Table, dates: Sequence[date], *, rows: int = ROWS
) -> Iterator[Sequence[date]]:
    """``dates`` in order, in pieces of at most so many ``rows`` of ``table``; a date that has more is one by itself.

    The dates of a piece follow each other without a gap.
    """
    known = rows_by_date(con, table, dates)
    for following in chunks(list(dates), DAYS):
        piece: list[date] = []
        for day in following:
            if piece and sum(known.get(one, 0) for one in (*piece, day)) > rows:
                yield piece
                piece = []
            piece.append(day)
        yield piece
