"""``run`` and ``backfill``: which dates of which accounts, checked beforehand, then taken through the stages."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from rich.console import Console

from sitoo_pipeline.assets import AccountAssets
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.definitions import accounts_of, build_defs
from sitoo_pipeline.operations.console import progress
from sitoo_pipeline.operations.execution import Execution, Outcome
from sitoo_pipeline.operations.home import dagster_home
from sitoo_pipeline.operations.late import touched_dates
from sitoo_pipeline.settings import Account, Settings
from sitoo_pipeline.sitoo import RetryPolicy
from sitoo_pipeline.sitoo.errors import SitooError


class RangeError(ValueError):
    """A period that makes no sense."""


def today(account: Account) -> date:
    """The business date that the account's clock shows."""
    return datetime.now(ZoneInfo(account.timezone)).date()


def dates_between(account: Account, first: date, last: date) -> list[date]:
    """The business dates from ``first`` to ``last``, both included.

    Raises:
        RangeError: the period is empty, begins before the account does, or lies in the future.
    """
    if last < first:
        raise RangeError(f"--to {last} is before --from {first}")
    if first < account.start_date:
        raise RangeError(f"{account.name} starts on {account.start_date}; --from {first} is before that")
    if last > today(account):
        raise RangeError(f"{last} is in the future: {account.name} is at {today(account)}")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def unreachable(account: Account) -> str | None:
    """Why the account's Sitoo system cannot be used, or None: one small request, before anything is written."""
    runtime = Runtime.of(account)
    patience = RetryPolicy(attempts=min(4, account.http.attempts), wait_initial=account.http.wait_initial)
    try:
        with runtime.sitoo(retry=patience) as client:
            client.get("/sites.json", {"num": 1}, expect="envelope")
    except SitooError as error:
        return str(error)
    return None


def run_dates(
    settings: Settings, dates: dict[str, list[date]], *, console: Console, sinks: bool = True, trigger: str
) -> list[Outcome]:
    """Take the dates of each account through the stages, and say what became of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's beta notices are for those who write assets
        dagster_home(settings.data_dir)
        defs = build_defs(settings)
        accounts = {account.name: account for account in accounts_of(settings)}
        outcomes = []
        with dg.DagsterInstance.get() as instance:
            for name, wanted in dates.items():
                outcomes.append(_run_account(accounts[name], wanted, defs, instance, console, sinks, trigger))
    return outcomes


def _run_account(
    account: AccountAssets,
    dates: Sequence[date],
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    console: Console,
    sinks: bool,  # noqa: FBT001
    trigger: str,
) -> Outcome:
    if why := unreachable(account.runtime.account):
        return Outcome(account.name, failed=dict.fromkeys(dates, why))
    with progress(console, account.name, len(dates)) as report:
        execution = Execution(account, defs, instance, progress=report, tags={"trigger": trigger})
        return execution.run(dates, sinks=sinks)


def recent_and_touched(account: Account) -> list[date]:
    """The dates of a run without a date: yesterday, the days that are read again, and those that late orders touch."""
    newest = today(account) - timedelta(days=1)
    recent = [newest - timedelta(days=number) for number in range(max(1, account.reread_days))]
    touched = touched_dates(Runtime.of(account))
    return sorted(day for day in {*recent, *touched} if account.start_date <= day <= newest)
