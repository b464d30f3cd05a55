"""``deliver``: a period handed to one target again, or only compared with what the target and the ledger hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from getpass import getuser
from typing import Any

from rich.console import Console

from sitoo_pipeline.assets.deliveries import Handover, NotLoadedError
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Sink
from sitoo_pipeline.assets.sinks import overwriting
from sitoo_pipeline.assets.targets import as_wanted, sinks_of
from sitoo_pipeline.operations.dates import dates_between
from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.faults import NothingInDoubtError, SettlementError, UnknownTargetError
from sitoo_pipeline.operations.progress import progress
from sitoo_pipeline.operations.report import print_outcomes
from sitoo_pipeline.operations.running import at_work
from sitoo_pipeline.settings import Account, Settings
from sitoo_pipeline.sinks import VERDICTS, Report, Settlement, State
from sitoo_pipeline.sinks.settling import InDoubt

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
    accounts: Sequence[Account],
    target: str,
    first: date,
    last: date,
    *,
    force: bool,
    rejected: bool,
    overwrite_approved: bool | None = None,
) -> Iterator[Compared]:
    """What ``hand_over`` would send, date by date. Nothing is sent or written, and no run is recorded.

    Raises:
        UnknownTargetError: no account has the target.
        RangeError: the period makes no sense for an account.
    """
    sinks = accounts_with(accounts, target)
    wanted = [(each, dates_between(each, first, last)) for each in accounts if each.name in sinks]
    for account, dates in wanted:
        runtime = Runtime.of(account)
        with Handover(runtime, as_wanted(runtime, sinks[account.name], overwrite_approved)) as handover:
            for day in dates:
                try:
                    report = handover.compare([day], force=force, rejected=rejected)
                except NotLoadedError as error:
                    yield Compared(account.name, day, trouble=error.not_compared)
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
    settlement: Settlement | None = None,
    is_quiet: bool = False,
    verbose: bool = False,
    overwrite_approved: bool | None = None,
) -> list[Outcome]:
    """Hand a period to the target, as a run that Dagster records. Dates that fail do not hold up the others.

    Progress goes to the console, unless it ``is_quiet``. A ``settlement`` is noted first, and then only the dates are
    handed over of which something was in doubt. ``overwrite_approved`` is that of SameSystem for this period, instead
    of the settings'.

    Raises:
        UnknownTargetError: no account has the target.
        RangeError: the period makes no sense for an account.
        NothingInDoubtError: a settlement is about nothing, or comes too early.
    """
    sinks = accounts_with(accounts, target)
    dates = {each.name: dates_between(each, first, last) for each in accounts if each.name in sinks}
    how: dict[str, Any] = {"force": force, "rejected": rejected}
    doubtful: dict[str, InDoubt] = {}
    strays: list[str] = []
    if settlement:
        doubtful = {each.name: _doubtful(each, sinks, dates, settlement) for each in accounts if each.name in sinks}
        dates = {
            name: sorted({e.partition for e in found.settled}) for name, found in doubtful.items() if found.settled
        }
        if not dates:
            asked = f" with the key {', '.join(settlement.keys)}" if settlement.keys else ""
            early = [line for found in doubtful.values() for line in found.messages]
            nothing = f"{target}: from {first} to {last} no record{asked} is in doubt (unknown or pending)"
            raise NothingInDoubtError("; ".join(early) or nothing)
        there = {entry.key for found in doubtful.values() for entry in (*found.settled, *found.too_early)}
        strays = [f"{key} is not in doubt: nothing was settled" for key in settlement.keys if key not in there]
        how |= {"settle": settlement.verdict.value, "settle_keys": list(settlement.keys)}
        how |= {"settle_by": settlement.who, "settle_why": settlement.why}
    shown = Console(quiet=True) if is_quiet else console
    outcomes = []
    tags = overwriting(overwrite_approved)
    for name, execution in at_work(settings, list(dates), trigger="deliver", verbose=verbose, tags=tags):
        steps = [f"sinks.{target}"]
        with progress(shown, execution.account.runtime, steps, len(dates[name]), verbose=verbose) as report:
            execution.progress = report
            outcomes.append(execution.deliver(target, dates[name], **how))
        if name in doubtful:
            for entry in doubtful[name].settled:
                outcomes[-1].settled.setdefault(entry.partition, []).append(entry.key)
            outcomes[-1].notes += doubtful[name].messages
    if outcomes:
        outcomes[-1].notes += strays
    return outcomes


def settlement(verdict: str, *, why: str, keys: Sequence[str]) -> Settlement:
    """What the user of this process says of records in doubt.

    Raises:
        SettlementError: the verdict is none, or it is not said how it was found out.
    """
    if verdict not in VERDICTS:
        raise SettlementError(f"--settle {verdict}: say one of {', '.join(VERDICTS)}")
    if not why.strip():
        raise SettlementError("--settle needs --why: how it was found out, in a few words; they are kept")
    try:
        who = getuser()
    except (OSError, KeyError):  # a container's user may have no name
        who = "an unnamed user"
    return Settlement(State(verdict), who, why.strip(), tuple(keys))


def _doubtful(
    account: Account, sinks: Mapping[str, Sink], dates: Mapping[str, Sequence[date]], said: Settlement
) -> InDoubt:
    with Handover(Runtime.of(account), sinks[account.name]) as handover:
        return handover.in_doubt(dates[account.name], said)


def print_compared(compared: Compared, target: str, console: Console) -> None:
    """What would be sent of a date, and why, a line per record and below it the differences that the target told."""
    start, report = f"{compared.account}: {compared.business_date}", compared.report
    if report is None:
        console.print(f"{start}: {compared.trouble}")
        return
    unsure = f", {report.unsure} not compared" if report.unsure else ""
    console.print(f"{start} {target}: {report.planned} to send, {report.unchanged} unchanged{unsure}")
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
    for keys in outcome.settled.values():
        console.print(f"{outcome.account}: {target}: settled {', '.join(keys)}")
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
        "not_compared": report.unsure if report else 0,
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
            "settled": outcome.settled.get(day, []),
            **states(outcome.figures.get(day, {})),
        }
        for day in sorted([*outcome.done, *outcome.failed])
    ]
