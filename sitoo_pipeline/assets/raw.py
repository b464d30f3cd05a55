"""``raw``: Sitoo's objects as they were sent, and the endpoints that they come from."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.days import DayMetadata, run_days
from sitoo_pipeline.assets.extract import Extracted, load_fetched
from sitoo_pipeline.assets.extract_reference import extract_reference
from sitoo_pipeline.assets.fetching import Fetcher
from sitoo_pipeline.assets.metadata import NOTES, load_metadata, table_rows
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import BACKFILL, key, source_key, table_spec
from sitoo_pipeline.assets.windows import pieces_of
from sitoo_pipeline.sitoo import RESOURCES, Resource
from sitoo_pipeline.tables import Table, raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.warehouse import failed_load


def source_specs(account: str) -> list[dg.AssetSpec]:
    """Sitoo's endpoints as external assets, so that the lineage begins where the figures do."""
    return [resource_spec(account, RESOURCES[table.name]) for table in raw.TABLES]


def resource_spec(account: str, resource: Resource) -> dg.AssetSpec:
    """One endpoint of Sitoo."""
    return dg.AssetSpec(
        key=source_key(account, resource.name),
        description=f"{resource.description}. Sitoo REST API v2, {resource.path}",
        group_name=f"{account}_sitoo",
        kinds={"api"},
        tags={"account": account, "layer": "sitoo"},
        metadata={"documentation": dg.MetadataValue.url(resource.documentation)},
    )


def reference_asset(runtime: Runtime) -> dg.AssetsDefinition:
    """Sites, stores, warehouses, registers, product groups and products, as they are now."""
    account = runtime.account.name

    @dg.multi_asset(
        name=f"{account}__raw__reference",
        specs=[
            table_spec(
                account, table, deps=[source_key(account, table.name)], kinds={"duckdb", "api"}, partitions_def=None
            )
            for table in raw.REFERENCE
        ],
    )
    def reference(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        for table in raw.REFERENCE:
            extracted = extract_reference(runtime, table, run_id=context.run.run_id)
            if extracted.unknown_fields:
                context.log.warning(drift_text(table, extracted.unknown_fields))
            for note in extracted.notes:
                context.log.warning(f"{table.qualified}: {note}.")
            with runtime.warehouse.connect() as con:
                rows = table_rows(con, table)
            metadata: dict[str, Any] = {"dagster/row_count": rows, "requests": extracted.requests}
            if extracted.notes:
                metadata[NOTES] = "; ".join(extracted.notes)
            yield dg.MaterializeResult(asset_key=key(account, table), metadata=metadata)

    return reference


def warn_of_dates(
    context: dg.AssetExecutionContext,
    table: Table,
    extracted: Extracted,
    dates: Sequence[date],
    *,
    unknown_fields: Collection[str],
    things: str,
) -> None:
    """Warn in the run's log of what was new, left out or refused of ``dates``; ``things`` is what was refused."""
    if unknown_fields:
        context.log.warning(drift_text(table, unknown_fields))
    for note in extracted.notes:
        context.log.warning(f"{table.qualified} {min(dates)} to {max(dates)}: {note}.")
    if refused := sum(loaded.quarantined for loaded in extracted.loaded.values()):
        context.log.warning(f"{refused} {things} of {table.qualified} went to meta.quarantine")


def metadata_of_dates(
    runtime: Runtime, table: Table, extracted: Extracted, dates: Sequence[date], notes: Sequence[str]
) -> dict[date, dict[str, Any]]:
    """What the UI shows of each date that was loaded, with the ``notes`` on the first of ``dates``."""
    with runtime.warehouse.connect() as con:
        total = table_rows(con, table)
    said = {day: load_metadata(loaded, total) for day, loaded in extracted.loaded.items()}
    if notes:
        said[min(dates)][NOTES] = "; ".join(notes)
    return said


def dated_asset(runtime: Runtime, table: RawTable, partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """One dated raw table: the objects of each business date."""
    account = runtime.account.name
    # The reference tables tell where a register stands, and with that the zone in which its sales are dated.
    deps = [source_key(account, table.name), *(dg.AssetKey([account, "core", name]) for name in _PLACES)]

    @dg.multi_asset(
        name=f"{account}__raw__{table.name}",
        specs=[table_spec(account, table, deps=deps, kinds={"duckdb", "api"}, partitions_def=partitions_def)],
        partitions_def=partitions_def,
        backfill_policy=BACKFILL,
    )
    def dated(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        started_at = datetime.now(UTC)
        named: set[str] = set()

        days = [date.fromisoformat(day) for day in context.partition_keys]

        def work(dates: Sequence[date]) -> DayMetadata:
            extracted = load_fetched(runtime, table, fetcher.take(dates), run_id=context.run.run_id)
            new = extracted.unknown_fields - named
            named.update(new)
            warn_of_dates(context, table, extracted, dates, unknown_fields=new, things="objects")
            context.log.info(
                f"{table.qualified} {min(dates)} to {max(dates)}: "
                f"{extracted.records} objects in {extracted.requests} requests"
            )
            drift = [f"fields that nobody documented: {', '.join(sorted(new))}; see meta.drift"] if new else []
            return {
                key(account, table): metadata_of_dates(runtime, table, extracted, dates, [*drift, *extracted.notes])
            }

        with Fetcher(runtime, table, pieces_of(runtime, table, days)) as fetcher:
            yield from run_days(
                context,
                keys=[key(account, table)],
                pieces=lambda _: nullcontext(fetcher.pieces()),
                work=runtime.activity.counting([table.qualified], work),
                on_failure=lambda dates, why: failed_load(
                    runtime.warehouse, table, dates, started_at=started_at, run_id=context.run.run_id, message=why
                ),
            )

    return dated


_PLACES = ("stores", "warehouses", "registers")


def drift_text(table: Table, paths: Collection[str]) -> str:
    """What is said of fields that nobody documented."""
    return (
        f"{table.qualified}: Sitoo sent fields that nobody documented: {', '.join(sorted(paths))}. "
        "They are kept in the landing files and listed in meta.drift; everything else was loaded."
    )
