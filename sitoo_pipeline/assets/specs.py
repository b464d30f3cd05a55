"""How a table becomes an asset: its key, description, columns, owner, group and kinds. The same for every layer."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from sitoo_pipeline.assets.metadata import definition_metadata
from sitoo_pipeline.settings import Account
from sitoo_pipeline.tables import Table

OWNER = "team:retail-data"


def key(account: str, table: Table) -> dg.AssetKey:
    """``[account, layer, table]``: the words that DuckDB uses too."""
    return dg.AssetKey([account, table.layer, table.name])


def table_spec(
    account: str,
    table: Table,
    *,
    deps: Iterable[dg.AssetKey],
    kinds: set[str],
    partitions_def: dg.PartitionsDefinition[str] | None,
) -> dg.AssetSpec:
    """The asset of ``table`` for ``account``."""
    before = list(deps)
    return dg.AssetSpec(
        key=key(account, table),
        deps=before,
        description=table.description,
        group_name=f"{account}_{_group(table)}",
        owners=[OWNER],
        kinds=kinds,
        tags={"account": account, "layer": table.layer},
        metadata=definition_metadata(account, table, before),
        partitions_def=partitions_def,
    )


def _group(table: Table) -> str:
    """The layer; reference data of raw and core in one group, as what dates and places everything else."""
    return "reference" if table.layer in ("raw", "core") and table.partition is None else table.layer


def source_key(account: str, resource: str) -> dg.AssetKey:
    """An endpoint of Sitoo, as the asset that it is to us."""
    return dg.AssetKey([account, "sitoo", resource])


def visitors_source_key(account: Account) -> dg.AssetKey:
    """Who counts the account's visitors, as the asset that it is to us: an endpoint of Sitoo, or a folder of files."""
    if account.visitors_folder is None:
        return source_key(account.name, "custom_metric_values")
    return dg.AssetKey([account.name, "files", "visitors"])


def daily_partitions(*, start_date: str, timezone: str) -> dg.DailyPartitionsDefinition:
    """One partition per business date in the account's zone, from its start date, today included."""
    return dg.DailyPartitionsDefinition(start_date=start_date, timezone=timezone, end_offset=1)


BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=31)
"""A range of dates in one run per month of history; every date is committed and reported by itself."""
