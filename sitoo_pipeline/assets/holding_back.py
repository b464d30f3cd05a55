"""What holding stores back (``held``) means for a sink: what it reads, and which further dates it takes."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from sitoo_pipeline.assets.held import READS
from sitoo_pipeline.assets.marts import reconciled_with
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates
from sitoo_pipeline.tables import Table


def held_by(runtime: Runtime) -> tuple[Table, ...]:
    """What else a weekly balance is made from: nothing as long as no store is ever held back."""
    return READS if _is_on(runtime) else ()


def held_with(runtime: Runtime) -> Callable[[duckdb.DuckDBPyConnection, Dates], Dates] | None:
    """The dates on which a store may be held or freed by what a run of other dates brought."""
    return (lambda con, dates: reconciled_with(runtime, con, dates)) if _is_on(runtime) else None


def _is_on(runtime: Runtime) -> bool:
    return runtime.account.targets.weekly_balance.hold_back_above is not None
