"""``run`` and ``backfill``: which dates of which accounts, checked beforehand, then taken through the stages."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.definitions import accounts_of, build_defs
from sitoo_pipeline.operations.console import progress
from sitoo_pipeline.operations.execution import Execution, Outcome
from sitoo_pipeline.operations.faults import RangeError
from sitoo_pipeline.operations.home import dagster_home, open_instance
from sitoo_pipeline.operations.late import touched_dates
from sitoo_pipeline.operations.preflight import unreachable
from sitoo_pipeline.settings import Account, Settings
from sitoo_pipeline.sitoo.errors import SitooError
from sitoo_pipeline.warehouse import WarehouseLockedError


def today(account: Account) -> date:
    """The business date that the account's clock shows."""
    return datetime.now(ZoneInfo(account.timezone)).date()


def dates_between(account: Account, first: date, last: date, *, option: str = "") -> list[date]:
    """The business dates from ``first`` to ``last``, both included; ``option`` is what a single date was given by.

    Raises:
        RangeError: the period is empty, begins before the account does, or lies in the future.
    """
    begin, end = option or "--from", option or "--to"
    if last < first:
        raise RangeError(f"{end} {last} is before {begin} {first}")
    if first < account.start_date:
        raise RangeError(f"{begin} {first} is before {account.start_date}, on which {account.name} starts")
    if last > today(account):
        raise RangeError(f"{end} {last} is in the future: for {account.name} it is {today(account)}")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def run_dates(
    settings: Settings,
    dates: Mapping[str, Sequence[date]],
    *,
    console: Console,
    sinks: bool = True,
    trigger: str,
    verbose: bool = False,
) -> list[Outcome]:
    """Take the dates of each account through the stages, and say what became of them.

    Nothing is written, not even Dagster's home, for an account whose Sitoo system does not answer.
    """
    refused = {account.name: unreachable(account) for account in settings.accounts if dates.get(account.name)}
    reachable = [name for name, why in refused.items() if why is None]
    outcomes = {name: Outcome(name, failed=dict.fromkeys(dates[name], why)) for name, why in refused.items() if why}
    if reachable:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dagster's beta notices are for those who write assets
            home = dagster_home(settings.data_dir)
            defs = build_defs(settings)
            accounts = {account.name: account for account in accounts_of(settings)}
            with open_instance(home) as instance:
                for name in reachable:
                    with progress(console, name, len(dates[name]), verbose=verbose) as report:
                        execution = Execution(accounts[name], defs, instance, report, tags={"trigger": trigger})
                        execution.log_level = "INFO" if verbose else execution.log_level
                        outcomes[name] = execution.run(dates[name], sinks=sinks)
    return [outcomes.get(name, Outcome(name)) for name in dates]


def run_recent(settings: Settings, *, console: Console, verbose: bool = False) -> list[Outcome]:
    """What ``run`` does without a date; an account of which the dates cannot be found out does not hold up others."""
    dates: dict[str, list[date]] = {}
    refused: dict[str, Outcome] = {}
    for account in settings.accounts:
        try:
            why = unreachable(account)
            dates[account.name] = [] if why else recent_and_touched(account)
        except (SitooError, WarehouseLockedError) as error:
            why = str(error)
        if why:
            refused[account.name] = Outcome(account.name, warnings=[why])
        elif not dates[account.name]:
            console.print(f"{account.name}: starts on {account.start_date}; no date is over yet")
    wanted = {name: found for name, found in dates.items() if found}
    outcomes = run_dates(settings, wanted, console=console, trigger="run", verbose=verbose)
    return [*refused.values(), *outcomes]


def recent_and_touched(account: Account) -> list[date]:
    """The dates of a run without a date: yesterday, the days that are read again, and those that late orders touch.

    Raises:
        SitooError: Sitoo could not be asked; nothing was changed.
        WarehouseLockedError: the warehouse stayed open in another program.
    """
    newest = today(account) - timedelta(days=1)
    recent = [newest - timedelta(days=number) for number in range(max(1, account.reread_days))]
    touched = touched_dates(Runtime.of(account)) if account.warehouse_path.exists() else set()
    return sorted(day for day in {*recent, *touched} if account.start_date <= day <= newest)
