"""``run`` and ``backfill``: which dates of which accounts, checked beforehand, then taken through the stages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import structlog
from rich.console import Console

from sitoo_pipeline.assets.sinks import overwriting
from sitoo_pipeline.automation import use_log_of
from sitoo_pipeline.definitions import accounts_of, definitions_of
from sitoo_pipeline.operations.dates import yesterday
from sitoo_pipeline.operations.execution import Execution, Outcome, StageError
from sitoo_pipeline.operations.home import dagster_home, open_instance
from sitoo_pipeline.operations.preflight import never_fetched, unreachable
from sitoo_pipeline.operations.progress import progress
from sitoo_pipeline.settings import Settings


def run_dates(
    settings: Settings,
    dates: Mapping[str, Sequence[date]],
    *,
    console: Console,
    sinks: bool = True,
    fetch: bool = True,
    trigger: str,
    verbose: bool = False,
    overwrite_approved: bool | None = None,
) -> list[Outcome]:
    """Take the dates of each account through the stages, and say what became of them.

    Nothing is written, not even Dagster's home, for an account whose Sitoo system does not answer. Without ``fetch`` it
    is asked for nothing, and the dates are computed again from ``raw``. ``overwrite_approved`` is that of SameSystem
    for these dates, instead of the settings'.
    """
    cannot = unreachable if fetch else never_fetched
    refused = {account.name: cannot(account) for account in settings.accounts if dates.get(account.name)}
    reachable = [name for name, why in refused.items() if why is None]
    outcomes = {name: Outcome(name, failed=dict.fromkeys(dates[name], why)) for name, why in refused.items() if why}
    tags = overwriting(overwrite_approved)
    for name, execution in at_work(settings, reachable, trigger=trigger, verbose=verbose, tags=tags):
        steps = execution.steps(sinks=sinks, fetch=fetch)
        with progress(console, execution.account.runtime, steps, len(dates[name]), verbose=verbose) as report:
            execution.progress = report
            outcomes[name] = execution.run(dates[name], sinks=sinks, fetch=fetch)
    return [outcomes.get(name, Outcome(name)) for name in dates]


def run_recent(settings: Settings, *, console: Console, verbose: bool = False) -> list[Outcome]:
    """What ``run`` does without a date: yesterday, and every earlier date of which something came late or changed.

    Where it cannot be found out what did, yesterday is run all the same, and the outcome says so.
    """
    refused = {account.name: unreachable(account) for account in settings.accounts}
    outcomes = [Outcome(name, warnings=[why]) for name, why in refused.items() if why]
    accounts = {account.name: account for account in settings.accounts}
    reachable = []
    for name in (name for name, why in refused.items() if why is None):
        if yesterday(accounts[name]) < accounts[name].start_date:
            console.print(f"{name}: starts on {accounts[name].start_date}; no date is over yet")
        else:
            reachable.append(name)
    for name, execution in at_work(settings, reachable, trigger="run", verbose=verbose):
        account, newest, unknown = accounts[name], yesterday(accounts[name]), []
        found: set[date] = set()
        if account.warehouse_path.exists():
            console.print(f"{name}: asking what came late or changed")
            try:
                found = execution.poll(("hour", "night"))
            except StageError as error:
                unknown = [f"what came late or changed is not known: {error}"]
        dates = sorted(day for day in {newest, *found} if account.start_date <= day <= newest)
        with progress(console, execution.account.runtime, execution.steps(), len(dates), verbose=verbose) as report:
            execution.progress = report
            outcome = execution.run(dates)
        outcome.warnings = [*unknown, *outcome.warnings]
        outcomes.append(outcome)
    return outcomes


def at_work(
    settings: Settings, names: Sequence[str], *, trigger: str, verbose: bool, tags: Mapping[str, str] | None = None
) -> Iterator[tuple[str, Execution]]:
    """Dagster at work on each account in turn; ``tags`` are put on its runs."""
    if not names:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's beta notices are for those who write assets
        home = dagster_home(settings.data_dir)
        use_log_of(settings)
        is_logged = verbose or settings.log_format == "json"
        accounts = {each.name: each for each in accounts_of(settings)}
        defs = definitions_of(settings, list(accounts.values()))
        with open_instance(home) as instance:
            for name in names:
                execution = Execution(accounts[name], defs, instance, tags={"trigger": trigger, **(tags or {})})
                execution.log_level = "INFO" if is_logged else execution.log_level
                with structlog.contextvars.bound_contextvars(account=name):
                    yield name, execution
