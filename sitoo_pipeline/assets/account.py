"""The factory: one account in, all of its assets and checks out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import dagster as dg

from sitoo_pipeline.assets.changes import change_asset, change_key
from sitoo_pipeline.assets.checks import asset_checks
from sitoo_pipeline.assets.computations import computations_of
from sitoo_pipeline.assets.computed import computed_asset
from sitoo_pipeline.assets.freshness import with_freshness
from sitoo_pipeline.assets.inventory_check import NAME as INVENTORY
from sitoo_pipeline.assets.inventory_check import inventory_check
from sitoo_pipeline.assets.polls import polls_of
from sitoo_pipeline.assets.published import read_copy_asset, read_copy_key
from sitoo_pipeline.assets.raw import dated_asset, reference_asset, source_specs
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sinks import sink_asset, sink_key
from sitoo_pipeline.assets.specs import daily_partitions, key
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.assets.visitors import visitors_asset, visitors_source
from sitoo_pipeline.tables import core as core_tables
from sitoo_pipeline.tables import marts as mart_tables
from sitoo_pipeline.tables import raw


@dataclass(frozen=True)
class AccountAssets:
    """All of one account: what the code location shows, and the stages in which it is run.

    A stage is a set of assets that can be made for some dates once the stages before it are made for them. ``polls``
    are the assets that find out what came late or changed, by how often they are made: each hour, night or week.
    """

    runtime: Runtime
    partitions_def: dg.DailyPartitionsDefinition
    assets: tuple[dg.AssetsDefinition | dg.AssetSpec, ...]
    checks: tuple[dg.AssetChecksDefinition, ...]
    stages: dict[str, tuple[dg.AssetKey, ...]]
    polls: dict[str, tuple[dg.AssetKey, ...]]
    inventory_check: dg.AssetCheckKey

    @property
    def name(self) -> str:
        """Name of the account."""
        return self.runtime.account.name


def account_assets(runtime: Runtime) -> AccountAssets:
    """Build everything of one account from its settings."""
    with warnings.catch_warnings():
        # Both are used on purpose: backfills in a run per month, and a check result per date. Tests pin what they do.
        warnings.filterwarnings("ignore", message=".*backfill_policy", category=dg.BetaWarning)
        warnings.filterwarnings("ignore", message=".*partitions_def on an AssetCheckSpec", category=dg.PreviewWarning)
        return _build(runtime)


def _build(runtime: Runtime) -> AccountAssets:
    account = runtime.account
    daily = daily_partitions(start_date=account.start_date.isoformat(), timezone=account.timezone)
    sinks = sinks_of(runtime)
    computations, polls = computations_of(account), polls_of(account)
    counts_visitors = account.visitors is not None
    dated = [table for c in computations for table in c.tables if table.partition]
    extracted = (*raw.DATED, *([raw.VISITORS] if counts_visitors else []))
    checked = (
        *extracted,
        *core_tables.TABLES,
        *([core_tables.VISITORS] if counts_visitors else []),
        *mart_tables.TABLES,
    )
    made = (
        reference_asset(runtime),
        *(dated_asset(runtime, table, daily) for table in raw.DATED),
        *([visitors_asset(runtime, daily)] if counts_visitors else []),
        *(computed_asset(runtime, computation, daily) for computation in computations),
        read_copy_asset(runtime),
        *(sink_asset(runtime, sink, daily) for sink in sinks),
        *(change_asset(runtime, poll) for poll in polls),
    )
    return AccountAssets(
        runtime=runtime,
        partitions_def=daily,
        assets=(
            *source_specs(account.name),
            *([visitors_source(runtime)] if counts_visitors else []),
            *(with_freshness(account, asset) for asset in made),
        ),
        checks=(
            *(check for table in checked for check in asset_checks(runtime, table, daily)),
            inventory_check(runtime),
        ),
        stages={
            "reference": tuple(key(account.name, table) for table in (*raw.REFERENCE, *core_tables.REFERENCE)),
            "extract": tuple(key(account.name, table) for table in extracted),
            "transform": tuple(key(account.name, table) for table in dated),
            "deliver": tuple(sink_key(account.name, sink.name) for sink in sinks),
            "publish": (read_copy_key(account.name),),
        },
        polls={
            every: tuple(change_key(account.name, poll.name) for poll in polls if poll.every == every)
            for every in ("hour", "night", "week")
        },
        inventory_check=dg.AssetCheckKey(read_copy_key(account.name), INVENTORY),
    )
