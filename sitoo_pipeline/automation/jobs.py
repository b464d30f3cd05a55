"""The jobs of an account: the whole day, each stage by itself, the polls for what came late or changed, the inventory.

``daily`` is what schedules and sensors run. The stages are what ``backfill`` runs, so that a date that fails in one of
them does not hold up the dates that are through it.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from sitoo_pipeline.assets import AccountAssets

PRIORITY = "dagster/priority"
"""Tag of a run by which it goes before others that wait. The night's run has 10, what polls ask and find 5, and a
backfill none (0): it goes on, a month at a time, when nobody else waits."""

_STAGES = {
    "reference": "Sites, stores, warehouses, registers and product groups, as Sitoo has them now",
    "extract": "Orders, z-reports and warehouse transactions of some dates, from Sitoo to raw",
    "transform": "Core tables and marts of some dates, from raw",
    "deliver": "Deliveries of some dates to the targets",
    "publish": "A fresh copy of the warehouse for readers",
}


_POLLS = {
    "hour": "Finds dates with new orders, warehouse transactions and z-reports",
    "night": "Finds dates with orders that were open and changed, and recent days that changed",
    "week": "Finds days that changed after the nightly polls",
}


def daily_name(account: str) -> str:
    """Name of the job that does a whole date."""
    return f"{account}_daily"


def stage_name(account: str, stage: str) -> str:
    """Name of the job of one stage."""
    return f"{account}_{stage}"


def poll_name(account: str, every: str) -> str:
    """Name of the job of the polls that are made each hour, night or week."""
    return f"{account}_changes_each_{every}"


def inventory_name(account: str) -> str:
    """Name of the job that asks whether anything is missing."""
    return f"{account}_inventory"


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
    polls = [
        dg.define_asset_job(
            poll_name(account.name, every),
            selection=dg.AssetSelection.assets(*keys),
            description=_POLLS[every],
            executor_def=dg.in_process_executor,
            tags={"account": account.name},
        )
        for every, keys in account.polls.items()
    ]
    inventory = dg.define_asset_job(
        inventory_name(account.name),
        selection=dg.AssetSelection.checks(account.inventory_check),
        description="Which dates are missing, failed, not reconciled or not delivered",
        executor_def=dg.in_process_executor,
        tags={"account": account.name},
    )
    return [daily, *stages, *polls, inventory]
