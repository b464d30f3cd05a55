"""``deliver``: a period handed to one target again, or only compared with what the target and the ledger hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.console import Console

from sitoo_pipeline.assets.deliveries import Handover, NotLoadedError
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Sink
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.operations.console import progress
from sitoo_pipeline.operations.dates import dates_between
from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.faults import UnknownTargetError
from sitoo_pipeline.operations.report import print_outcomes
from sitoo_pipeline.operations.running import at_work
from sitoo_pipeline.settings import Account, Settings
from sitoo_pipeline.sinks import Report

_LINES = 30
"""Differences of one record that are printed."""

_STATES = ("delivered", "unchanged", "rejected", "held", "retry", "unknown")


@dataclass(frozen=True)
class Compared:
    """One date of one account against a target: what would be sent, and why that cannot be said, or not all of it."""

    account: str
    business_date: date
    report: Report | None = None
    trouble: str | None = None


def accounts_with(accounts: Sequence[Account], target: str) -> dict[str, Sink]:
    """The target of each account that has it, by the account's name.

    Raises:
        UnknownTargetError: no account has it; says which targets there are.
    """
    found: dict[str, Sink] = {}
    known: dict[str, Sink] = {}
    for account in accounts:
        sinks = {sink.name: sink for sink in sinks_of(Runtime.of(account))}
        known |= sinks
        if target in sinks:
            found[account.name] = sinks[target]
    if not found:
        there = ", ".join(known) or "none"
        raise UnknownTargetError(f"--target {target}: there is no such target; the settings switch on: {there}")
    return found


def compare(
    accounts: Sequence[Account], target: str, first: date, last: date, *, force: bool, rejected: bool
) -> Iterator[Compared]:
    """What ``hand_over`` would send, date by date. Nothing is sent or written, and no run is recorded.

    Raises:
        UnknownTargetError: no account has the target.
        RangeError: the period makes no sense for an account.
    """
    sinks = accounts_with(accounts, target)
    wanted = [(each, dates_between(each, first, last)) for each in accounts if each.name in sinks]
    for account, dates in wanted:
        with Handover(Runtime.of(account), sinks[account.name]) as handover:
            for day in dates:
                try:
                    report = handover.compare([day], force=force, rejected=rejected)
                except NotLoadedError as error:
                    yield Compared(account.name, day, trouble=str(error))
                else:
                    why = "; ".join(report.unread)
                    yield Compared(account.name, day, report, f"not compared with the target: {why}" if why else None)


def hand_over(
    settings: Settings,
    accounts: Sequence[Account],
    target: str,
    first: date,
    last: date,
    *,
    force: bool,
    rejected: bool,
    console: Console,
    is_quiet: bool = False,
    verbose: bool = False,
) -> list[Outcome]:
    """Hand a period to the target, as a run that Dagster records. Dates that fail do not hold up the others.

    Progress goes to the console, unless it ``is_quiet``.

    Raises:
        UnknownTargetError: no account has the target.
        RangeError: the period makes no sense for an account.
    """
    sinks = accounts_with(accounts, target)
    dates = {each.name: dates_between(each, first, last) for each in accounts if each.name in sinks}
    shown = Console(quiet=True) if is_quiet else console
    outcomes = []
    for name, execution in at_work(settings, list(dates), trigger="deliver", verbose=verbose):
        with progress(shown, name, len(dates[name]), verbose=verbose) as report:
            execution.progress = report
            outcomes.append(execution.deliver(target, dates[name], force=force, rejected=rejected))
    return outcomes


def print_compared(compared: Compared, target: str, console: Console) -> None:
    """What would be sent of a date, and why, a line per record and below it the differences that the target told."""
    start, report = f"{compared.account}: {compared.business_date}", compared.report
    if report is None:
        console.print(f"{start}: {compared.trouble}")
        return
    console.print(f"{start} {target}: {report.planned} to send, {report.unchanged} unchanged")
    for change in report.changes:
        console.print(f"  {change.key}: {change.reason}")
        for line in change.details[:_LINES]:
            console.print(f"    {line}")
        if len(change.details) > _LINES:
            console.print(f"    and {len(change.details) - _LINES} more")
    for message in (*report.messages, *([compared.trouble] if compared.trouble else [])):
        console.print(f"  {message}")


def print_handed_over(outcome: Outcome, target: str, console: Console) -> None:
    """How many records are in each state, over all dates; then what became of the dates."""
    added = {name: sum(of_date.get(name, 0) for of_date in outcome.figures.values()) for name in _STATES}
    said = ", ".join(f"{number} {name}" for name, number in added.items() if number) or "nothing to hand over"
    console.print(f"{outcome.account}: {target}: {said}")
    print_outcomes([outcome], console)


def compared_as_json(compared: Compared, target: str) -> dict[str, Any]:
    """One date of a dry run, for other programs."""
    report = compared.report
    return {
        "account": compared.account,
        "target": target,
        "business_date": compared.business_date.isoformat(),
        "dry_run": True,
        "trouble": compared.trouble,
        "changes": [
            {"key": change.key, "reason": change.reason, "details": list(change.details)}
            for change in (report.changes if report else ())
        ],
        "unchanged": report.unchanged if report else 0,
        "messages": list(report.messages) if report else [],
    }


def outcome_as_json(outcome: Outcome, target: str) -> list[dict[str, Any]]:
    """Each date that was handed over, for other programs."""

    def states(figures: Mapping[str, int]) -> dict[str, int]:
        return {name: figures.get(name, 0) for name in _STATES}

    return [
        {
            "account": outcome.account,
            "target": target,
            "business_date": day.isoformat(),
            "dry_run": False,
            "trouble": outcome.failed.get(day),
            **states(outcome.figures.get(day, {})),
        }
        for day in sorted([*outcome.done, *outcome.failed])
    ]
