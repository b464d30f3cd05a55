"""What holding stores back (``held``) means for the weekly balance's sinks: what they read and are made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.assets.held import READS, Held
from sitoo_pipeline.assets.marts import reconciled_with
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline.warehouse.sources import table_frame


@dataclass(frozen=True)
class Balance:
    """The weekly balance of some dates: rows of ``marts.weekly_balance_hourly``, and the stores held back, by date."""

    rows: pl.DataFrame
    held: Mapping[date, Collection[str]]


Make = Callable[[Target, duckdb.DuckDBPyConnection, Dates, Ledger, Balance], Prepared]
Prepare = Callable[[Target, duckdb.DuckDBPyConnection, Dates, Ledger], Prepared]


def from_balance(runtime: Runtime, make: Make) -> Prepare:
    """A sink's ``prepare``: ``make`` is given the weekly balance, and what is held back is noted in what it made."""
    above = runtime.account.targets.weekly_balance.hold_back_above

    def prepare(target: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger) -> Prepared:
        held = Held.of(con, dates, above)
        rows = table_frame(con, marts.WEEKLY_BALANCE_HOURLY, dates=dates)
        return held.noted_in(make(target, con, dates, ledger, Balance(rows, held.stores)))

    return prepare


def held_by(runtime: Runtime) -> tuple[Table, ...]:
    """What else a weekly balance is made from: nothing as long as no store is ever held back."""
    return READS if _is_on(runtime) else ()


def held_with(runtime: Runtime) -> Callable[[duckdb.DuckDBPyConnection, Dates], Dates] | None:
    """The dates on which a store may be held or freed by what a run of other dates brought."""
    return (lambda con, dates: reconciled_with(runtime, con, dates)) if _is_on(runtime) else None


def _is_on(runtime: Runtime) -> bool:
    return runtime.account.targets.weekly_balance.hold_back_above is not None
