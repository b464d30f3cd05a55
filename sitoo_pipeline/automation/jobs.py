"""The jobs of an account: the whole day in one, and each stage by itself.

``daily`` is what the schedules run. The stages are what ``backfill`` runs, so that a date that fails in one of them
does not hold up the dates that are through it.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from sitoo_pipeline.assets import AccountAssets

_STAGES = {
    "reference": "Sites, stores, warehouses, registers and product groups, as Sitoo has them now",
    "extract": "Orders, z-reports and warehouse transactions of some dates, from Sitoo to raw",
    "transform": "Core tables and marts of some dates, from raw",
    "deliver": "Deliveries of some dates to the targets",
    "publish": "A fresh copy of the warehouse for readers",
}


def daily_name(account: str) -> str:
    """Name of the job that does a whole date."""
    return f"{account}_daily"


def stage_name(account: str, stage: str) -> str:
    """Name of the job of one stage."""
    return f"{account}_{stage}"


def jobs(account: AccountAssets) -> list[Any]:
    """Every job of one account. Steps run one after the other: one file, and one request at a time to Sitoo."""
    whole = [key for keys in account.stages.values() for key in keys]
    daily = dg.define_asset_job(
        daily_name(account.name),
        selection=dg.AssetSelection.assets(*whole),
        description="One business date from Sitoo to the targets",
        executor_def=dg.in_process_executor,
        tags={"account": account.name},
    )
    stages = [
        dg.define_asset_job(
            stage_name(account.name, stage),
            selection=dg.AssetSelection.assets(*keys),
            description=_STAGES[stage],
            executor_def=dg.in_process_executor,
            tags={"account": account.name},
        )
        for stage, keys in account.stages.items()
        if keys
    ]
    return [daily, *stages]
