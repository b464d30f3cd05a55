"""What the assets know of a target: what its records are made from, and who takes them. No dagster here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

import duckdb

from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.tables import Table

Dates = Sequence[date]


@dataclass(frozen=True)
class Sink:
    """One target. ``name`` is the target's in the ledger.

    ``is_one_per_date`` says that every date has a record, also one without sales: a date without is not delivered.
    ``is_at_most_once`` says that a record in doubt waits for a person, as the target cannot be asked.
    ``is_optional`` says that a date with sales may have none, and ``start_date`` that no date before it has any.
    ``also`` names further dates that a run of some dates can have changed for this target, though they were not asked
    for: what is held back on one date may follow from the z-reports and orders of another.
    """

    name: str
    description: str
    kinds: frozenset[str]
    reads: tuple[Table, ...]
    is_one_per_date: bool
    open: Callable[[], AbstractContextManager[Target]]
    prepare: Callable[[Target, duckdb.DuckDBPyConnection, Dates, Ledger], Prepared]
    is_at_most_once: bool = False
    is_optional: bool = False
    start_date: date | None = None
    also: Callable[[duckdb.DuckDBPyConnection, Dates], Dates] | None = None

    def expects_records(self, day: date, *, has_sales: bool) -> bool:
        """Whether something is missing where nothing of the date was handed over."""
        if self.is_optional or (self.start_date is not None and day < self.start_date):
            return False
        return self.is_one_per_date or has_sales
