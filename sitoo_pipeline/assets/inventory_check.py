"""The inventory as an asset check of the read copy, with which every run ends: what is missing up to yesterday.

It blocks nothing and asks Sitoo for nothing. Where the inventory cannot be taken, it says so and the run goes on.
"""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

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
EXPECTED = "every date that is over is loaded, reconciled and delivered"


def inventory_check(runtime: Runtime) -> dg.AssetChecksDefinition:
    """The check ``inventory`` of one account: passes when no date lacks anything.

    A warning where figures and z-reports differ and nothing else is wrong; an error where a date is failed, missing,
    incomplete or not delivered.
    """

    @dg.asset_check(
        asset=read_copy_key(runtime.account.name),
        name=NAME,
        description=f"Expected: {EXPECTED}, from the account's start to yesterday.",
    )
    def inventory() -> dg.AssetCheckResult:
        now = datetime.now(UTC)
        try:
            # Today is not over; and a zone far in the west may have its yesterday still.
            return _result(take_inventory(runtime, dates_until(runtime, now)[:-1], now=now), runtime.account.name)
        except (WarehouseLockedError, WarehouseVersionError) as error:
            return _untaken(str(error))
        except OperationalError as error:
            return _untaken(
                f"the ledger of deliveries does not answer ({type(error.orig).__name__}): see deliveries_url"
            )

    return inventory


def _untaken(why: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description="the inventory could not be taken",
        metadata={"expected": EXPECTED, "actual": why, "what_to_do": "Put the cause right and run the check again."},
    )


def _result(taken: Inventory, account: str) -> dg.AssetCheckResult:
    found = lacking(taken.days)
    counts = {state: number for state, number in taken.counts().items() if state is not DayState.DONE}
    actual = "as expected"
    if found:
        said = ", ".join(f"{number} {state}" for state, number in counts.items() if state is not DayState.OPEN)
        actual = f"{len(found)} of {len(taken.days)} dates: {said}"
    metadata: dict[str, Any] = {"expected": EXPECTED, "actual": actual, "dates": len(taken.days)}
    metadata |= {state.value: number for state, number in counts.items()}
    if taken.as_of:
        metadata["as_of"] = dg.MetadataValue.timestamp(taken.as_of)
    if found:
        metadata |= {"examples": _examples(found), "what_to_do": what_to_do(found, account)}
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.ERROR if _failures(found) else dg.AssetCheckSeverity.WARN,
        description=actual,
        metadata=metadata,
    )


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
