"""``raw.visitors`` as an asset, and the source that it comes from. Only for accounts that have one."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.days import DayMetadata, by_days, run_days
from sitoo_pipeline.assets.extract_visitors import extract_visitors
from sitoo_pipeline.assets.raw import metadata_of_dates, resource_spec, warn_of_dates
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import BACKFILL, key, table_spec, visitors_source_key
from sitoo_pipeline.sitoo import RESOURCES
from sitoo_pipeline.tables import core, raw
from sitoo_pipeline.warehouse import failed_load


def visitors_source(runtime: Runtime) -> dg.AssetSpec:
    """Whoever counts visitors, as an external asset."""
    account, folder = runtime.account.name, runtime.account.visitors_folder
    if folder is None:
        return resource_spec(account, RESOURCES["custom_metric_values"])
    return dg.AssetSpec(
        key=visitors_source_key(runtime.account),
        description=f"Visitors counted at the doors: the CSV files in {folder}",
        group_name=f"{account}_files",
        kinds={"csv"},
        tags={"account": account, "layer": "files"},
    )


def visitors_asset(runtime: Runtime, partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """``raw.visitors``: what was counted on each business date."""
    account, table = runtime.account.name, raw.VISITORS
    is_metric = runtime.account.visitors_folder is None
    spec = table_spec(
        account,
        table,
        deps=[visitors_source_key(runtime.account), key(account, core.STORES)],
        kinds={"duckdb", "api" if is_metric else "csv"},
        partitions_def=partitions_def,
    )

    @dg.multi_asset(
        name=f"{account}__raw__{table.name}", specs=[spec], partitions_def=partitions_def, backfill_policy=BACKFILL
    )
    def counted(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        started_at = datetime.now(UTC)

        def work(dates: Sequence[date]) -> DayMetadata:
            extracted = extract_visitors(runtime, dates, run_id=context.run.run_id)
            warn_of_dates(context, table, extracted, dates, unknown_fields=extracted.unknown_fields, things="counts")
            return {key(account, table): metadata_of_dates(runtime, table, extracted, dates, extracted.notes)}

        yield from run_days(
            context,
            keys=[key(account, table)],
            pieces=by_days(runtime.account.chunk_days),
            work=runtime.activity.counting([table.qualified], work),
            on_failure=lambda dates, why: failed_load(
                runtime.warehouse, table, dates, started_at=started_at, run_id=context.run.run_id, message=why
            ),
        )

    return counted
