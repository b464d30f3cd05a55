"""The code location: settings in, Dagster definitions out. Assembly only.

``build_defs`` is the one seam: production and tests go through it. Without any settings the demo's account is shown, so
that ``dagster dev`` has something to show in a fresh clone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dagster as dg

from sitoo_pipeline.assets.account import AccountAssets, account_assets
from sitoo_pipeline.assets.code_references import with_code
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.automation import jobs, schedules, sensors, use_log_of
from sitoo_pipeline.settings import Account, Settings, is_configured, load_settings
from sitoo_pipeline.settings.demo import demo_settings


def accounts_of(settings: Settings, runtime: Callable[[Account], Runtime] = Runtime.of) -> list[AccountAssets]:
    """All of every account; ``runtime`` may be replaced to run on something else."""
    return [account_assets(runtime(account)) for account in settings.accounts]


def build_defs(settings: Settings, *, runtime: Callable[[Account], Runtime] = Runtime.of) -> dg.Definitions:
    """Everything that the UI shows and the daemon runs.

    Args:
        settings: The accounts, their stores and their targets.
        runtime: Makes what the assets of an account work with.
    """
    return definitions_of(settings, accounts_of(settings, runtime))


def definitions_of(settings: Settings, accounts: Sequence[AccountAssets]) -> dg.Definitions:
    """The same of accounts whose assets are made already."""
    return dg.Definitions(
        assets=[asset for account in accounts for asset in with_code(account.assets, settings.code_url)],
        asset_checks=[check for account in accounts for check in account.checks],
        jobs=[job for account in accounts for job in jobs(account)],
        schedules=[schedule for account in accounts for schedule in schedules(account)],
        sensors=[sensor for account in accounts for sensor in sensors(account)],
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that ``workspace.yaml`` names."""
    settings = load_settings() if is_configured() else demo_settings()
    use_log_of(settings)
    return build_defs(settings)
