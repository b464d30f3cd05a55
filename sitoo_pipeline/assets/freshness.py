"""By when each asset is to be made: the badge that the UI shows of it.

A badge is about an asset as a whole: loading an old date makes it look fresh. Whether yesterday is there, reconciled
and delivered is asked date by date, by the inventory.
"""

from __future__ import annotations

from datetime import time, timedelta

import dagster as dg

from sitoo_pipeline.settings import Account

_OF_THE_NIGHT = ("marts", "published", "sinks")
_REFERENCE_DAYS = timedelta(hours=36)
"""Reference data comes with every run, so once a night; a night that is late is not worth a badge."""


def ready_cron(account: Account, *, minutes_later: int = 0) -> str:
    """When the account's day is to be ready, each day, as cron says it."""
    hour, minute = divmod(_minutes(account) + minutes_later, 60)
    return f"{minute} {hour} * * *"


def with_freshness(account: Account, asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The same asset with its badge: figures, read copy and deliveries since midnight by the account's ``ready_by``."""
    return asset.map_asset_specs(lambda spec: _judged(account, spec))


def _judged(account: Account, spec: dg.AssetSpec) -> dg.AssetSpec:
    policy = _policy(account, spec)
    return dg.apply_freshness_policy(spec, policy) if policy else spec


def _policy(account: Account, spec: dg.AssetSpec) -> dg.FreshnessPolicy | None:
    layer = spec.tags.get("layer")
    if layer in _OF_THE_NIGHT:
        since_midnight = timedelta(minutes=_minutes(account))
        return dg.FreshnessPolicy.cron(ready_cron(account), since_midnight, account.timezone)
    if layer in ("raw", "core") and spec.partitions_def is None:
        return dg.FreshnessPolicy.time_window(fail_window=_REFERENCE_DAYS)
    return None


def _minutes(account: Account) -> int:
    at = time.fromisoformat(account.ready_by)
    return at.hour * 60 + at.minute
