"""What ``status`` shows: a line for each account, and below it the dates that lack something, and what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.text import Text

from sitoo_pipeline.assets.day_status import DayState, DayStatus, z_report_remarks
from sitoo_pipeline.operations.console import span
from sitoo_pipeline.operations.status import AccountStatus
from sitoo_pipeline.sinks import State

_STYLES = {DayState.UNRECONCILED: "yellow", DayState.DONE: "green", DayState.OPEN: "cyan"}
_ROW = "  {dates:<24}  {days:>4}  {state:<12}  {z_reports:>9}  {targets:>7}"


def print_status(found: AccountStatus, console: Console, *, every_date: bool) -> None:
    """One account: the summary, and the dates that lack something, or (``every_date``) all of them.

    Dates that follow each other and lack the same share a row, unless every date is asked for.
    """
    days = found.inventory.days
    console.print(Text(summary(found), style="bold"))
    if as_of := found.inventory.as_of:
        console.print(f"A load has the warehouse open: this is the read copy of {as_of:%Y-%m-%d %H:%M} UTC.")
    rows = [[day] for day in days] if every_date else list(_alike(days))
    if rows:
        titles = _ROW.format(dates="dates", days="days", state="state", z_reports="z-reports", targets="targets")
        console.print(Text(titles, style="dim"))
    for row in rows:
        _print_row(row, console)


def _print_row(row: Sequence[DayStatus], console: Console) -> None:
    state = row[0].state
    line = _ROW.format(
        dates=span([day.business_date for day in row]),
        days=len(row),
        state=state,
        z_reports=balanced(day.reconciliation for day in row),
        targets=targets(row[0]),
    )
    console.print(Text(line, style="red" if state.is_failure else _STYLES[state]))
    for remark in [*row[0].remarks, *z_report_remarks(_added(day.reconciliation for day in row))]:
        console.print(f"    {remark}")


def summary(found: AccountStatus) -> str:
    """``main: 211 of 216 dates done; 1 failed, 1 missing, 3 unreconciled; 2026-11-21 is open``."""
    counts = found.inventory.counts()
    open_days = [day.business_date for day in found.inventory.days if day.state is DayState.OPEN]
    number = len(found.inventory.days) - len(open_days)
    if not number:
        return f"{found.account}: no date is over yet" + (f"; {span(open_days)} is open" if open_days else "")
    said = [f"{found.account}: {counts.get(DayState.DONE, 0)} of {number} dates done"]
    others = [f"{many} {state}" for state, many in counts.items() if state not in (DayState.DONE, DayState.OPEN)]
    if others:
        said.append(", ".join(others))
    if open_days:
        said.append(f"{span(open_days)} {'is' if len(open_days) == 1 else 'are'} open")
    return "; ".join(said)


def _alike(days: Sequence[DayStatus]) -> Iterable[list[DayStatus]]:
    """The dates that lack something; those that follow each other and lack the same together."""
    rows: list[list[DayStatus]] = []
    for day in days:
        if day.state in (DayState.DONE, DayState.OPEN) and not day.remarks:
            continue
        last = rows[-1][-1] if rows else None
        if last and day.business_date - last.business_date == timedelta(days=1) and _kind(last) == _kind(day):
            rows[-1].append(day)
        else:
            rows.append([day])
    return rows


def _kind(day: DayStatus) -> tuple[object, ...]:
    return day.state, day.remarks, targets(day)


def _added(counts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter[str]())


def balanced(counts: Iterable[Counter[str]]) -> str:
    """``12/12``: how many of the z-reports (and of the registers without one) balance with the orders."""
    added = _added(counts)
    return f"{added['balanced']}/{added.total()}" if added else "-"


def targets(day: DayStatus) -> str:
    """``3/3``: how many targets have everything of the date; a dash where there is nothing for them yet."""
    if not day.loaded and not any(day.deliveries.values()):
        return "-"
    return f"{sum(day.is_delivered_to(name) for name in day.deliveries)}/{len(day.deliveries)}"


def status_as_json(found: Iterable[AccountStatus]) -> list[dict[str, Any]]:
    """Every date of every account, for other programs. Keys stay as they are; new ones may come.

    An account that cannot be read has one entry, without a date: its state is ``unknown``, and ``trouble`` says why.
    """
    listed = []
    for account in found:
        as_of = account.inventory.as_of and account.inventory.as_of.isoformat()
        listed += [{**day_as_json(day), "as_of": as_of, "trouble": None} for day in account.inventory.days]
        if account.trouble:
            listed.append({**dict.fromkeys(_KEYS), **_UNREAD, "account": account.account, "trouble": account.trouble})
    return listed


_UNREAD = {"state": "unknown", "is_failure": True}
_KEYS = (
    "account", "business_date", "state", "is_failure", "gaps", "z_reports", "deliveries", "not_handed_over", "left_out",
    "refused", "failed", "as_of", "trouble",
)  # fmt: skip


def day_as_json(day: DayStatus) -> dict[str, Any]:
    """One date, for other programs."""
    return {
        "account": day.account,
        "business_date": day.business_date.isoformat(),
        "state": day.state.value,
        "is_failure": day.state.is_failure,
        "gaps": day.gaps if day.loaded and day.is_over else [],
        "z_reports": dict(sorted(day.reconciliation.items())),
        "deliveries": {
            target: {state.value: counts[state] for state in State if counts[state]}
            for target, counts in sorted(day.deliveries.items())
        },
        "not_handed_over": sorted(day.not_handed_over),
        "left_out": {target: said for target, said in sorted(day.left_out.items()) if said},
        "refused": day.refused,
        "failed": dict(sorted(day.failed.items())),
    }
