"""Who is told: an alert at once for a run that failed, and a digest each morning. Only where the settings have alerts.

A target of notices that does not answer is told of in the log, and fails nothing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets
from sitoo_pipeline.assets.digest import digest, failure, tell
from sitoo_pipeline.assets.freshness import ready_cron
from sitoo_pipeline.assets.told import Told
from sitoo_pipeline.automation.failures import dates_of, failed_dates, is_of_account, reason

_FILE = "alerts.json"
_ENOUGH = 10


def alerts_name(account: str) -> str:
    """Name of the sensor."""
    return f"{account}_alerts"


def digest_name(account: str) -> str:
    """Name of the job, and of its schedule."""
    return f"{account}_digest"


def alert_sensors(account: AccountAssets) -> list[dg.SensorDefinition]:
    """The sensor that tells of each run of the account that failed; none where nobody is to be told."""
    settings = account.runtime.account
    if settings.alerts is None:
        return []
    told = Told(settings.folder / _FILE, timedelta(hours=settings.alerts.repeat_hours))

    @dg.run_failure_sensor(
        name=alerts_name(account.name),
        description="Tells of each run that failed, once for the same reasons",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alerts(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run, now = context.dagster_run, datetime.now(UTC)
        if not is_of_account(run, account.name):
            return dg.SkipReason(f"Not a run of {account.name}")
        by_date: dict[str, list[str]] = {}
        failed = set()
        for event in context.get_step_failure_events():
            for day, why in failed_dates(event).items():
                failed.add(day)
                by_date.setdefault(why, []).append(str(day))
            if not failed_dates(event):
                by_date.setdefault(reason(event, run.run_id).replace(f" {run.run_id}", ""), [])
        reasons = _shortened(list(by_date) or ["the run ended before a step could say why"])
        if not told.is_new(reasons, now):
            return dg.SkipReason("Told of already")
        notice = failure(
            account.name, dates=sorted(failed) or dates_of(run), reasons=reasons, job=run.job_name, run_id=run.run_id
        )
        problems = tell(account.runtime, notice)
        for problem in problems:
            context.log.warning(f"{notice.subject}: nobody was told, because {problem}")
        if not problems:
            told.note(reasons, now)
        return None

    return [alerts]


def _shortened(reasons: Sequence[str]) -> list[str]:
    more = len(reasons) - _ENOUGH
    return [*reasons[:_ENOUGH], f"and {more} more"] if more > 0 else list(reasons)


def digest_jobs(account: AccountAssets) -> list[dg.JobDefinition]:
    """The job that tells how the dates are; none where nobody is to be told."""
    if account.runtime.account.alerts is None:
        return []

    @dg.op(name=f"{account.name}__digest", description="Tells how yesterday is, and which dates lack something.")
    def tell_digest(context: dg.OpExecutionContext) -> None:
        notice = digest(account.runtime, datetime.now(UTC))
        context.log.info(notice.text)
        for problem in tell(account.runtime, notice):
            context.log.warning(f"the digest was not told, because {problem}")

    @dg.job(
        name=digest_name(account.name),
        description="Tells people how yesterday is, and which dates lack something",
        executor_def=dg.in_process_executor,
        tags={"account": account.name},
    )
    def job() -> None:
        tell_digest()

    return [job]


def digest_schedules(account: AccountAssets) -> list[dg.ScheduleDefinition]:
    """Each morning after the inventory."""
    if account.runtime.account.alerts is None:
        return []
    return [
        dg.ScheduleDefinition(
            name=digest_name(account.name),
            job_name=digest_name(account.name),
            cron_schedule=ready_cron(account.runtime.account, minutes_later=15),
            execution_timezone=account.runtime.account.timezone,
            description="How yesterday is, to whom the settings name",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            tags={"account": account.name, "trigger": "digest"},
        )
    ]
