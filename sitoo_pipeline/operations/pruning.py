"""``prune``: each account's retention job, in this process, for those who run without Dagster's daemon."""

from __future__ import annotations

from collections.abc import Sequence

from sitoo_pipeline.automation import retention_name, retention_op
from sitoo_pipeline.operations.running import at_work
from sitoo_pipeline.settings import Account, Settings


def prune(settings: Settings, accounts: Sequence[Account], *, verbose: bool = False) -> dict[str, dict[str, int]]:
    """What went of each account, by kind.

    Raises:
        Whatever kept the job from its end, as the first account met it.
    """
    gone: dict[str, dict[str, int]] = {}
    for name, execution in at_work(settings, [account.name for account in accounts], trigger="prune", verbose=verbose):
        result = execution.defs.resolve_job_def(retention_name(name)).execute_in_process(
            instance=execution.instance,
            tags=execution.tags,
            run_config={"loggers": {"console": {"config": {"log_level": execution.log_level}}}},
        )
        gone[name] = result.output_for_node(retention_op(name))
    return gone
