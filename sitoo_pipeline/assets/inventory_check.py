"""The inventory as an asset check of the read copy, with which every run ends: what is missing up to yesterday.

It blocks nothing and asks Sitoo for nothing. Where the inventory cannot be taken, it says so and the run goes on.
"""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
from sqlalchemy.exc import OperationalError

from sitoo_pipeline.assets.checks import EXAMPLES, examples
from sitoo_pipeline.assets.day_status import DayState, DayStatus, z_report_remarks
from sitoo_pipeline.assets.inventory import Inventory, dates_until, lacking, take_inventory
from sitoo_pipeline.assets.published import read_copy_key
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.warehouse import WarehouseLockedError, WarehouseVersionError

NAME = "inventory"
EXPECTED = "every date that is over is loaded, reconciled and delivered, yesterday by {ready_by}"


def inventory_check(runtime: Runtime) -> dg.AssetChecksDefinition:
    """The check ``inventory`` of one account: passes when no date lacks anything.

    A warning where figures and z-reports differ and nothing else is wrong; an error where a date is failed, missing,
    incomplete or not delivered. Before the account's ``ready_by``, yesterday counts only where it failed.
    """
    expected = EXPECTED.format(ready_by=runtime.account.ready_by)

    @dg.asset_check(
        asset=read_copy_key(runtime.account.name),
        name=NAME,
        description=f"Expected: {expected}, from the account's start on.",
    )
    def inventory() -> dg.AssetCheckResult:
        now = datetime.now(UTC)
        try:
            # Today is not over; and a zone far in the west may have its yesterday still.
            return judged(take_inventory(runtime, dates_until(runtime, now)[:-1], now=now), runtime, now)
        except (WarehouseLockedError, WarehouseVersionError) as error:
            return _untaken(str(error), expected)
        except OperationalError as error:
            why = f"the ledger of deliveries does not answer ({type(error.orig).__name__}): see deliveries_url"
            return _untaken(why, expected)

    return inventory


def _untaken(why: str, expected: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description="the inventory could not be taken",
        metadata={"expected": expected, "actual": why, "what_to_do": "Put the cause right and run the check again."},
    )


def judged(taken: Inventory, runtime: Runtime, now: datetime) -> dg.AssetCheckResult:
    """The answer of the check for what was found at ``now``."""
    account, expected = runtime.account.name, EXPECTED.format(ready_by=runtime.account.ready_by)
    found = [
        day for day in lacking(taken.days) if day.state is DayState.FAILED or now >= runtime.ready_at(day.business_date)
    ]
    told = [*found, *(day for day in taken.days if day.state is DayState.OPEN)]
    counts = Inventory(tuple(told)).counts()
    actual = "as expected"
    if found:
        said = ", ".join(f"{number} {state}" for state, number in counts.items() if state is not DayState.OPEN)
        actual = f"{len(found)} of {len(taken.days)} dates: {said}"
    metadata: dict[str, Any] = {"expected": expected, "actual": actual, "dates": len(taken.days)}
    if taken.days:
        metadata["yesterday"] = _yesterday(taken.days[-1], runtime, now)
    metadata |= {state.value: number for state, number in counts.items()}
    if taken.as_of:
        metadata["as_of"] = dg.MetadataValue.timestamp(taken.as_of)
    if found:
        metadata |= {"examples": _examples(found), "what_to_do": what_to_do(found, account)}
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.ERROR if _failures(found) else dg.AssetCheckSeverity.WARN,
        # The UI shows it above everything else, as Markdown.
        description=f"{actual}\n\n```\n{metadata['what_to_do']}\n```" if found else actual,
        metadata=metadata,
    )


def _yesterday(day: DayStatus, runtime: Runtime, now: datetime) -> str:
    due = runtime.ready_at(day.business_date)
    said = f"{day.business_date} is {day.state}"
    if now < due:
        return f"{said}; it is to be done by {due.astimezone(ZoneInfo(runtime.account.timezone)):%H:%M}"
    return said


def _failures(days: Sequence[DayStatus]) -> list[DayStatus]:
    return [day for day in days if day.state.is_failure]


def _examples(days: Sequence[DayStatus]) -> dg.TableMetadataValue:
    """The worst first, and of those the latest."""
    order = list(DayState)
    worst = sorted(
        sorted(days, key=lambda day: day.business_date, reverse=True), key=lambda day: order.index(day.state)
    )
    rows = [(str(day.business_date), day.state.value, "; ".join(_remarks(day))) for day in worst[:EXAMPLES]]
    return examples(pl.DataFrame(rows, schema=["business_date", "state", "what_it_lacks"], orient="row"))


def _remarks(day: DayStatus) -> list[str]:
    return [*day.remarks, *z_report_remarks(day.reconciliation)]


def what_to_do(days: Sequence[DayStatus], account: str) -> str:
    """The commands that load and deliver what failed, a line for each run of dates that follow each other.

    Sitoo is asked again for all dates of a line where one of them needs it: one command is better than three.
    """
    spans: list[list[DayStatus]] = []
    for day in _failures(days):
        last = spans[-1][-1] if spans else None
        is_next = last and day.business_date - last.business_date == timedelta(days=1)
        if last and is_next:
            spans[-1].append(day)
        else:
            spans.append([day])
    lines = [_backfill(account, span) for span in spans[:EXAMPLES]]
    if len(spans) > EXAMPLES:
        lines.append(f"and {len(spans) - EXAMPLES} more: sitoo-pipeline status lists them")
    if len(days) > len(_failures(days)):
        lines.append("Unreconciled: look at marts.z_report_reconciliation; load the date again when late data is in.")
    return "\n".join(lines)


def _backfill(account: str, days: Sequence[DayStatus]) -> str:
    period = ["--from", str(days[0].business_date), "--to", str(days[-1].business_date)]
    words = ["sitoo-pipeline", "backfill", "--account", account, *period]
    return shlex.join([*words, "--no-fetch"] if all(day.needs_no_fetch for day in days) else words)
