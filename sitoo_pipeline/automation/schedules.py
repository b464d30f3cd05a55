"""When things run: each night yesterday, the polls each hour, night and week, then the inventory. All stopped at first.

The date of a night follows from the time for which its tick was scheduled, not from when it happens to run, so that a
late tick does the right day. What the polls find is taken up by the sensor.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets
from sitoo_pipeline.assets.freshness import ready_cron
from sitoo_pipeline.automation.alerts import digest_schedules
from sitoo_pipeline.automation.jobs import PRIORITY, daily_name, inventory_name, poll_name
from sitoo_pipeline.automation.retention import retention_name


def schedules(account: AccountAssets) -> list[dg.ScheduleDefinition]:
    """The schedules of one account, in its zone."""
    settings = account.runtime.account
    return [
        _nightly(account),
        _polling(account, "hourly", "15 * * * *", "hour", "What is new, today so far and late"),
        _polling(
            account,
            "reread",
            "0 3 * * *",
            "night",
            f"What changed: open orders, and the last {settings.reread_days} days",
        ),
        _polling(account, "deep_reread", "0 4 * * 0", "week", f"What changed in {settings.deep_reread_days} days"),
        _plain(
            account, "inventory", ready_cron(settings), inventory_name(account.name), "What is missing, up to yesterday"
        ),
        _plain(account, "retention", "30 5 * * *", retention_name(account.name), "Removes what was kept long enough"),
        *digest_schedules(account),
    ]


def _nightly(account: AccountAssets) -> dg.ScheduleDefinition:
    settings = account.runtime.account

    @dg.schedule(
        name=f"{account.name}_nightly",
        job_name=daily_name(account.name),
        cron_schedule="0 2 * * *",
        execution_timezone=settings.timezone,
        description="Yesterday, from Sitoo to the targets",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        tags={"account": account.name},
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        scheduled = local_time(context.scheduled_execution_time, settings.timezone)
        day = scheduled.date() - timedelta(days=1)
        if day < settings.start_date:
            yield dg.SkipReason(f"No date yet: the account starts on {settings.start_date}")
            return
        yield dg.RunRequest(
            run_key=f"nightly-{scheduled:%Y-%m-%dT%H:%M%z}-{day}",
            partition_key=day.isoformat(),
            tags={"trigger": "nightly", PRIORITY: "10"},
        )

    return tick


def _polling(account: AccountAssets, name: str, cron: str, every: str, description: str) -> dg.ScheduleDefinition:
    return _plain(account, name, cron, poll_name(account.name, every), description)


def _plain(account: AccountAssets, name: str, cron: str, job: str, description: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{account.name}_{name}",
        job_name=job,
        cron_schedule=cron,
        execution_timezone=account.runtime.account.timezone,
        description=description,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        tags={"account": account.name, "trigger": name, PRIORITY: "5"},
    )


def local_time(instant: datetime, timezone: str) -> datetime:
    """The instant as the account's clock shows it."""
    return instant.astimezone(ZoneInfo(timezone))
