"""What follows from something else: the dates that polls found are run, from Sitoo to the targets. Stopped at first."""

import json
from datetime import date

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets
from sitoo_pipeline.assets.changes import found_dates
from sitoo_pipeline.automation.alerts import alert_sensors
from sitoo_pipeline.automation.jobs import PRIORITY, daily_name


def sensors(account: AccountAssets) -> list[dg.SensorDefinition]:
    """The sensors of one account."""
    keys = [key for of_time in account.polls.values() for key in of_time]

    @dg.sensor(
        name=f"{account.name}_changes",
        job_name=daily_name(account.name),
        minimum_interval_seconds=30,
        description="Runs each date that a poll found, from Sitoo to the targets, and no other",
        default_status=dg.DefaultSensorStatus.STOPPED,
        tags={"account": account.name},
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen: dict[str, int] = json.loads(context.cursor) if context.cursor else {}
        dates: set[date] = set()
        before = dict(seen)
        for key in keys:
            dates |= _found_since(context.instance, key, seen)
        requests = [
            dg.RunRequest(
                run_key=f"changes-{max(seen.values())}-{day}",
                partition_key=day.isoformat(),
                tags={"trigger": "changes", PRIORITY: "5"},
            )
            for day in sorted(dates)
            if day >= account.runtime.account.start_date  # the settings may have moved it since the poll
        ]
        quiet = "No poll since the last look" if seen == before else "The polls since the last look found no date"
        return dg.SensorResult(
            run_requests=requests, skip_reason=None if requests else quiet, cursor=json.dumps(seen, sort_keys=True)
        )

    return [changes, *alert_sensors(account)]


def _found_since(instance: dg.DagsterInstance, key: dg.AssetKey, seen: dict[str, int]) -> set[date]:
    """The dates that one poll has found since it was last seen; ``seen`` is brought up to date.

    A poll that was never seen is looked at once: what older ones found has been loaded, or is found again.
    """
    name, dates = key.path[-1], set[date]()
    asked = dg.AssetRecordsFilter(asset_key=key, after_storage_id=seen.get(name))
    for record in instance.fetch_materializations(asked, limit=1000 if name in seen else 1).records:
        seen[name] = max(seen.get(name, 0), record.storage_id)
        if record.asset_materialization:
            dates |= found_dates(dict(record.asset_materialization.metadata))
    return dates
