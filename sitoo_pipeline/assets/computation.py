"""What a computation is: tables, what they are made from, and how. ``computed`` makes assets of them.

No dagster here, so that what a table is made from is known without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.assets import pieces
from sitoo_pipeline.assets.moved import Comparison
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.tables import Table

Frames = Mapping[Table, pl.DataFrame]


@dataclass(frozen=True)
class Computation:
    """One step: ``tables`` from ``reads``.

    ``compute`` gets an open connection and the dates (none for tables without partitions), and returns the rows of each
    table. ``also`` names further dates whose rows follow from these; they are written in the same step.
    ``comparison`` says what moved on a date that is loaded again. Dates are computed together that have up to
    ``rows_at_once`` rows of the first table that is read.
    """

    name: str
    tables: tuple[Table, ...]
    reads: tuple[Table, ...]
    compute: Callable[[Runtime, duckdb.DuckDBPyConnection, Sequence[date]], Frames]
    also: Callable[[Runtime, duckdb.DuckDBPyConnection, Sequence[date]], Sequence[date]] | None = None
    comparison: Comparison | None = None
    rows_at_once: int = pieces.ROWS

    @property
    def layer(self) -> str:
        """Layer of the tables that it makes."""
        return self.tables[0].layer
