"""The dates that are computed at once: as many as have so many rows, so that memory goes with neither period nor chain.

To begin and to commit costs each piece something whatever it holds, so pieces of single dates would take longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import duckdb

from sitoo_pipeline.assets.runtime import chunks
from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.sources import rows_by_date

DAYS, ROWS = 31, 50_000


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
