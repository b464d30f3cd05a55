"""The jobs of an account: the whole day, each stage by itself, the polls for what came late or changed, the inventory.

``daily`` is what schedules and sensors run. The stages are what ``backfill`` runs, so that a date that fails in one of
them does not hold up the dates that are through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets
from sitoo_pipeline.automation.alerts import digest_jobs
from sitoo_pipeline.automation.retention import retention_job

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

_INVENTORY = "Which dates are missing, failed, not reconciled or not delivered"


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
    stages = {stage: keys for stage, keys in account.stages.items() if keys}
    whole = [key for keys in stages.values() for key in keys]
    inventory = dg.AssetSelection.checks(account.inventory_check)
    return [
        _job(account, daily_name(account.name), _assets(whole), "One business date from Sitoo to the targets"),
        *(_job(account, stage_name(account.name, one), _assets(keys), _STAGES[one]) for one, keys in stages.items()),
        *(
            _job(account, poll_name(account.name, one), _assets(keys), _POLLS[one])
            for one, keys in account.polls.items()
        ),
        _job(account, inventory_name(account.name), inventory, _INVENTORY),
        retention_job(account),
        *digest_jobs(account),
    ]


def _assets(keys: Iterable[dg.AssetKey]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*keys)


def _job(account: AccountAssets, name: str, selection: dg.AssetSelection, description: str) -> Any:
    return dg.define_asset_job(
        name,
        selection=selection,
        description=description,
        executor_def=dg.in_process_executor,
        tags={"account": account.name},
    )
