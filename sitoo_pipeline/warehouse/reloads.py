"""``meta.reload_diffs``: what moved when dates were loaded again.

What is compared, and what of it counts as moved, is decided elsewhere (``transforms.changes``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table, meta
from sitoo_pipeline.warehouse.ledger import now
from sitoo_pipeline.warehouse.sources import table_frame

Frames = Mapping[Table, pl.DataFrame]

Compare = Callable[[Frames, Frames], pl.DataFrame]
"""Takes a date's rows per table, before and after, and gives the rows of ``meta.reload_diffs`` (``NO_MOVES``)."""

AUDIT = ("seen_at", "run_id")
NO_MOVES = meta.RELOAD_DIFFS.empty().drop(AUDIT)
"""The columns that a comparison gives; when and by which run is added here."""


def moves(con: duckdb.DuckDBPyConnection, frames: Frames, day: date, compare: Compare) -> pl.DataFrame:
    """What ``compare`` says of the date as it stands now, and as ``frames`` have it."""
    before = {table: table_frame(con, table, dates=[day]) for table in frames}
    after = {table: frame.filter(pl.col(table.partition or "") == day) for table, frame in frames.items()}
    return compare(before, after).select(NO_MOVES.columns)


def record_moves(con: duckdb.DuckDBPyConnection, moved: pl.DataFrame, *, run_id: str) -> None:
    """Append ``moved`` to ``meta.reload_diffs``; call it in the transaction that writes the partition."""
    if moved.is_empty():
        return
    con.register("moved", moved.to_arrow())
    con.execute(
        f"INSERT INTO {meta.RELOAD_DIFFS.qualified} BY NAME "
        "SELECT *, ?::TIMESTAMPTZ AS seen_at, ? AS run_id FROM moved",
        [now(), run_id],
    )
    con.unregister("moved")
