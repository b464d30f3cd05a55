"""Assets that are computed from other tables: read, transform, write, for the dates of the run.

``core`` and ``marts`` list what is computed from what; here it becomes assets.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.computation import Computation
from sitoo_pipeline.assets.days import DayMetadata, run_days
from sitoo_pipeline.assets.metadata import day_totals, load_metadata, table_rows
from sitoo_pipeline.assets.pieces import pieces
from sitoo_pipeline.assets.previews import shown
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import BACKFILL, key, table_spec
from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse import failed_load, loaded_dates_of, replace_partitions, replace_whole


class NotLoadedError(RuntimeError):
    """What a date is computed from has not been loaded for it. Nothing was written for that date."""

    safe_to_show = True

    def __init__(self, table: Table, dates: Sequence[date]) -> None:
        named = ", ".join(str(day) for day in dates)
        super().__init__(f"{table.qualified} is not loaded for {named}: materialize {table.qualified} for it first")


def computed_asset(
    runtime: Runtime, computation: Computation, partitions_def: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """The assets of one computation, partitioned where its tables are."""
    account = runtime.account.name
    dated = computation.tables[0].partition is not None
    specs = [
        table_spec(
            account,
            table,
            deps=[key(account, read) for read in computation.reads],
            kinds={"duckdb", "polars"},
            partitions_def=partitions_def if dated else None,
        )
        for table in computation.tables
    ]
    name = f"{account}__{computation.layer}__{computation.name}"
    if not dated:

        @dg.multi_asset(name=name, specs=specs)
        def whole(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
            for asset, metadata in compute_whole(runtime, computation, context.run.run_id).items():
                yield dg.MaterializeResult(asset_key=asset, metadata=metadata)

        return whole

    @dg.multi_asset(name=name, specs=specs, partitions_def=partitions_def, backfill_policy=BACKFILL)
    def by_date(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        started_at = datetime.now(UTC)
        of_run = [date.fromisoformat(day) for day in context.partition_keys]
        yield from run_days(
            context,
            keys=[key(account, table) for table in computation.tables],
            pieces=lambda dates: _pieces(runtime, computation, dates),
            work=runtime.activity.counting(
                [table.qualified for table in computation.tables],
                lambda dates: compute_dates(runtime, computation, dates, context.run.run_id, all_dates=of_run),
            ),
            on_failure=lambda dates, why: failed_load(
                runtime.warehouse,
                computation.tables[0],
                dates,
                started_at=started_at,
                run_id=context.run.run_id,
                message=why,
            ),
        )

    return by_date


@contextmanager
def _pieces(runtime: Runtime, computation: Computation, dates: list[date]) -> Iterator[Iterator[Sequence[date]]]:
    """The dates in pieces, and the warehouse open until the last is done: to open it takes longer than a day's work."""
    with runtime.warehouse.connect() as con:
        yield pieces(con, computation.reads[0], dates, rows=computation.rows_at_once)


def compute_dates(
    runtime: Runtime, computation: Computation, dates: Sequence[date], run_id: str, *, all_dates: Collection[date] = ()
) -> DayMetadata:
    """Compute and write ``dates``, and say what each became.

    Further dates whose rows follow from ``dates`` are computed too, but for those of ``all_dates``, which are computed
    anyway. They are told of where their content changed: the others were not touched.

    Raises:
        NotLoadedError: a date lacks what it is computed from.
        SchemaMismatchError: the transform gave what its table does not allow; nothing was written.
    """
    started_at = datetime.now(UTC)
    comparison = computation.comparison
    with runtime.warehouse.connect() as con:
        for read, there in loaded_dates_of(con, computation.reads, among=dates).items():
            if missing := sorted(set(dates) - there):
                raise NotLoadedError(read, missing)
        tied = set(computation.also(runtime, con, dates) if computation.also else ()).difference(all_dates)
        frames = computation.compute(runtime, con, every := sorted({*dates, *tied}))
        # Written while this connection is open: the file is opened once, and closed (which tidies it) once.
        done = replace_partitions(
            runtime.warehouse,
            frames,
            dates=every,
            run_id=run_id,
            started_at=started_at,
            compare=comparison.moved if comparison else None,
        )
        found: dict[dg.AssetKey, dict[date, dict[str, Any]]] = {}
        for table, loaded in done.items():
            told = {day: part for day, part in loaded.items() if day in dates or part.changed}
            totals, rows = day_totals(table, frames[table]), table_rows(con, table)
            figures = {day: {**load_metadata(part, rows), **totals.get(day, {})} for day, part in told.items()}
            found[key(runtime.account.name, table)] = shown(con, table, frames[table], figures)
        if comparison:
            first = computation.tables[0]
            for day, said in found[key(runtime.account.name, first)].items():
                if (moved := done[first][day].moved) is not None:
                    said |= comparison.metadata(moved)
    return found


def compute_whole(runtime: Runtime, computation: Computation, run_id: str) -> dict[dg.AssetKey, dict[str, Any]]:
    """Compute and write tables without dates, and say what each became.

    Raises:
        SchemaMismatchError: the transform gave what its table does not allow; nothing of that table was written.
    """
    started_at = datetime.now(UTC)
    found: dict[dg.AssetKey, dict[str, Any]] = {}
    with runtime.warehouse.connect() as con:
        for table, frame in computation.compute(runtime, con, []).items():
            loaded = replace_whole(runtime.warehouse, table, frame, run_id=run_id, started_at=started_at)
            asset = key(runtime.account.name, table)
            found[asset] = {"dagster/row_count": loaded.rows or 0, "changed": loaded.changed}
    return found
