"""What a check is: a query that finds what must not be, and how its result is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from sitoo_pipeline.tables import Table

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Check:
    """A query that returns the rows which must not be.

    In ``sql``, ``{dates}`` is replaced by the dates of the run, and ``{hold_back_above}`` by that setting (``NULL``
    where it is off). A row in which ``error_if`` (a column) is true makes a result of lower ``severity`` an error.
    ``in_words`` tells rows in a few words, a line or more of them at once, for the result's description. Where the
    values of ``unique`` columns are in one row of the table each, no row must not be, and ``sql`` is not asked: over a
    large table that takes longer.
    """

    name: str
    table: Table
    expected: str
    sql: str
    blocking: bool = False
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    remedy: str = ""
    error_if: str | None = None
    in_words: Callable[[Rows], list[str]] | None = None
    unique: tuple[str, ...] = ()

    @property
    def is_dated(self) -> bool:
        """Whether it looks at single dates; the others look at the whole table."""
        return "{dates}" in self.sql
