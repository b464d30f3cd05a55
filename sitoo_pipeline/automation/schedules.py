"""When things run: each night yesterday, each hour today, each night the last days again. All stopped at first.

Dates follow from the time for which a tick was scheduled, not from when it happens to run, so that a late tick does the
right day.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from sitoo_pipeline.assets import AccountAssets
from sitoo_pipeline.automation.jobs import daily_name


def schedules(account: AccountAssets) -> list[dg.ScheduleDefinition]:
    """The schedules of one account, in its zone."""
    return [
        _schedule(account, "nightly", "0 2 * * *", "Yesterday, from Sitoo to the targets", days=1, first=1),
        _schedule(account, "hourly", "15 * * * *", "Today so far, from Sitoo to the targets", days=1, first=0),
        _schedule(
            account,
            "reread",
            "0 3 * * *",
            f"The last {account.runtime.account.reread_days} days again, for what changed or came late",
            days=account.runtime.account.reread_days,
            first=2,
        ),
    ]


def recent_dates(today: date, *, first: int, days: int, start_date: date) -> list[date]:
    """``days`` dates before ``today``, beginning ``first`` days ago (0: today itself), none before ``start_date``."""
    found = [today - timedelta(days=first + number) for number in range(days)]
    return sorted(day for day in found if day >= start_date)


def _schedule(
    account: AccountAssets, name: str, cron: str, description: str, *, days: int, first: int
) -> dg.ScheduleDefinition:
    settings = account.runtime.account

    @dg.schedule(
        name=f"{account.name}_{name}",
        job_name=daily_name(account.name),
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        description=description,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        tags={"account": account.name},
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        scheduled = local_time(context.scheduled_execution_time, settings.timezone)
        dates = recent_dates(scheduled.date(), first=first, days=days, start_date=settings.start_date)
        if not dates:
            yield dg.SkipReason(f"No date yet: the account starts on {settings.start_date}")
        for day in dates:
            yield dg.RunRequest(
                run_key=f"{name}-{scheduled:%Y-%m-%dT%H:%M%z}-{day}",
                partition_key=day.isoformat(),
                tags={"trigger": name},
            )

    return tick


def local_time(instant: datetime, timezone: str) -> datetime:
    """The instant as the account's clock shows it."""
    return instant.astimezone(ZoneInfo(timezone))
