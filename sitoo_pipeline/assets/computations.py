"""What is computed for an account, in the order in which one follows from the other. No dagster here."""

from __future__ import annotations

from dataclasses import replace

from sitoo_pipeline.assets import core, marts
from sitoo_pipeline.assets.computation import Computation
from sitoo_pipeline.settings import Account
from sitoo_pipeline.tables import core as core_tables
from sitoo_pipeline.tables import marts as mart_tables

_WITH_VISITORS = (mart_tables.HOURLY_SALES, mart_tables.DAILY_SALES)


def computations_of(account: Account) -> tuple[Computation, ...]:
    """The computations of an account: with visitors where it has a source of them."""
    return all_computations(counts_visitors=account.visitors is not None)


def all_computations(*, counts_visitors: bool) -> tuple[Computation, ...]:
    """The computations of an account that has a source of visitors, or none."""
    if not counts_visitors:
        return (*core.COMPUTATIONS, *marts.COMPUTATIONS)
    return (*core.COMPUTATIONS, core.VISITORS, *(_with_visitors(one) for one in marts.COMPUTATIONS))


def _with_visitors(computation: Computation) -> Computation:
    if computation.tables[0] not in _WITH_VISITORS:
        return computation
    return replace(computation, reads=(*computation.reads, core_tables.VISITORS, core_tables.STORES))
