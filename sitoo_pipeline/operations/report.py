"""What a person reads when work is done, and about the state of dates. What the demo shows is in ``demo_report``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from sitoo_pipeline.operations.console import span, spans
from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.status import DayStatus
from sitoo_pipeline.sinks import State


def print_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Which dates are done, and which failed and why; dates that follow each other and failed alike share a line."""
    for outcome in outcomes:
        if outcome.done:
            done, number = len(outcome.done), len(outcome.done) + len(outcome.failed)
            console.print(f"{outcome.account}: {done} of {number} dates done")
        for why in dict.fromkeys(outcome.failed[day] for day in sorted(outcome.failed)):
            for dates in spans([day for day in outcome.failed if outcome.failed[day] == why]):
                console.print(f"{outcome.account}: {span(dates)} failed: {why}")
        for note in outcome.notes:
            console.print(f"{outcome.account}: {note}")
        for warning in outcome.warnings:
            console.print(f"{outcome.account}: {warning}")


def print_status(days: Sequence[DayStatus], console: Console) -> None:
    """A row for each run of like dates, and below the table what is not as it should be."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("account", "dates", "days", "state", "z-reports", "targets"):
        is_number = column in ("days", "z-reports", "targets")
        table.add_column(column, no_wrap=True, justify="right" if is_number else "left")
    rows = list(_alike(days))
    for row in rows:
        dates = [day.business_date for day in row]
        table.add_row(
            row[0].account,
            span(dates),
            str(len(dates)),
            row[0].state,
            balanced([day.reconciliation for day in row]),
            targets(row[0]),
        )
    console.print(table)
    for row in rows:
        if said := "; ".join(oddities(row[0])):
            console.print(f"{row[0].account} {span([day.business_date for day in row])}: {said}")


def _alike(days: Sequence[DayStatus]) -> Iterable[list[DayStatus]]:
    """Dates of one account that follow each other in the same state; one that is done but odd is alone."""

    def kind(day: DayStatus) -> tuple[object, ...]:
        return day.account, day.state, tuple(oddities(day)), targets(day)

    for _, group in groupby(days, kind):
        row = list(group)
        is_alone = row[0].state == "done" and bool(oddities(row[0]))
        yield from ([day] for day in row) if is_alone else [row]


def balanced(counts: Iterable[Counter[str]]) -> str:
    """``12/12``: how many of the z-reports (and of the registers without one) balance with the orders."""
    added = sum(counts, Counter[str]())
    return f"{added['balanced']}/{added.total()}" if added else "-"


def targets(day: DayStatus) -> str:
    """``3/3``: how many targets have everything of the date."""
    return f"{sum(day.is_delivered_to(name) for name in day.deliveries)}/{len(day.deliveries)}"


def oddities(day: DayStatus) -> list[str]:
    """What is not as it should be, in words."""
    said = list(day.reasons)
    if day.refused:
        said.append(f"{day.refused} objects refused, see meta.quarantine")
    said += [f"z-reports: {number} {status}" for status, number in sorted(day.reconciliation.items())
             if status != "balanced"]  # fmt: skip
    for target, counts in sorted(day.deliveries.items()):
        others = [f"{counts[state]} {state}" for state in State if state is not State.DELIVERED and counts[state]]
        if others:
            said.append(f"{target}: {', '.join(others)}")
        elif target in day.not_handed_over and day.loaded:
            said.append(f"{target}: nothing handed over")
    return said


def as_json(day: DayStatus) -> dict[str, Any]:
    """The state of a date for other programs."""
    return {
        "account": day.account,
        "business_date": day.business_date.isoformat(),
        "state": day.state,
        "z_reports": dict(sorted(day.reconciliation.items())),
        "deliveries": {
            target: {state.value: counts[state] for state in State if counts[state]}
            for target, counts in sorted(day.deliveries.items())
        },
        "refused": day.refused,
        "failed": dict(sorted(day.failed.items())),
    }
