"""The job that keeps what is kept from growing for ever, and its schedule, stopped at first."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets
from sitoo_pipeline.assets.retention import GIVEN_BACK, forget
from sitoo_pipeline.assets.sqlite_space import give_back
from sitoo_pipeline.automation.run_history import forget_runs, history_files

MOST_RUNS = 2000
"""How many runs are deleted at once. A day makes fewer, so that a long history is gone after some days."""


def retention_name(account: str) -> str:
    """Name of the job, and of its schedule."""
    return f"{account}_retention"


def retention_op(account: str) -> str:
    """Name of its step, whose output says what went."""
    return f"{account}__retention"


def retention_job(account: AccountAssets) -> dg.JobDefinition:
    """Removes what is older than the retention settings of the account say."""
    settings = account.runtime.account

    @dg.op(name=retention_op(account.name), description="Removes what is older than the settings keep it.")
    def retention(context: dg.OpExecutionContext) -> dict[str, int]:
        now = datetime.now(UTC)
        runs = forget_runs(
            context.instance, account.name, before=now - timedelta(days=settings.runs_retention_days), most=MOST_RUNS
        )
        gone = {"runs": runs, **forget(account.runtime, now)}
        gone[GIVEN_BACK] = gone.get(GIVEN_BACK, 0) + sum(map(give_back, history_files(context.instance)))
        context.add_output_metadata(dict(gone))
        return gone

    @dg.job(
        name=retention_name(account.name),
        description="Removes old runs, answers of Sitoo, deliveries and loads, as the retention settings say",
        executor_def=dg.in_process_executor,
        tags={"account": account.name},
    )
    def job() -> None:
        retention()

    return job
