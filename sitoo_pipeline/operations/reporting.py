"""``report``: the accounts and dates that were asked for, how far they can be trusted, and the page of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from sitoo_pipeline.assets.day_status import DayStatus, z_report_remarks
from sitoo_pipeline.assets.inventory import take_inventory
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.dates import dates_between
from sitoo_pipeline.operations.faults import NothingLoadedError
from sitoo_pipeline.reporting.figures import read_figures
from sitoo_pipeline.reporting.files import check_place, write_whole
from sitoo_pipeline.reporting.page import AccountPart, render
from sitoo_pipeline.reporting.standing import DateStanding
from sitoo_pipeline.settings import Account


@dataclass(frozen=True)
class Period:
    """The accounts that were asked for, and the dates, both ends included."""

    accounts: Sequence[Account]
    first: date
    last: date

    def dates(self) -> dict[str, list[date]]:
        """The business dates of each account.

        Raises:
            RangeError: they make no sense for an account.
        """
        return {account.name: dates_between(account, self.first, self.last) for account in self.accounts}


@dataclass(frozen=True)
class Look:
    """A connection that only reads an account's figures."""

    con: duckdb.DuckDBPyConnection
    account: Account
    dates: Sequence[date]


def write_report(period: Period, output: Path) -> list[AccountPart]:
    """Write the page of the period.

    Returns:
        What is on it, account by account.

    Raises:
        RangeError: the period makes no sense for an account.
        NothingLoadedError: there is nothing to show. No file was written.
        OutputError: the file cannot be written.
        WarehouseLockedError: a load has a warehouse, and there is no read copy of it yet.
    """
    check_place(output)
    parts = read_parts(period)
    page = render(parts)
    write_whole(output, lambda path: path.write_text(page, encoding="utf-8"))
    return parts


def read_parts(period: Period, also: Callable[[Look], object] | None = None) -> list[AccountPart]:
    """The figures of each account and how far they can be trusted; ``also`` reads more from the same connection.

    Raises:
        RangeError: the period makes no sense for an account.
        NothingLoadedError: there is nothing to show.
        WarehouseLockedError: a load has a warehouse, and there is no read copy of it yet.
    """
    dates, parts = period.dates(), []
    for account in period.accounts:
        part = _part(account, dates[account.name], also)
        parts += [part] if part else []
    if not any(part.figures.present for part in parts):
        names = ", ".join(account.name for account in period.accounts)
        raise NothingLoadedError(
            f"nothing of {period.first} to {period.last} is loaded for {names}, so nothing was written; load it first: "
            f"sitoo-pipeline backfill --from {period.first} --to {period.last}"
        )
    return parts


def _part(account: Account, dates: Sequence[date], also: Callable[[Look], object] | None) -> AccountPart | None:
    runtime = Runtime.of(account)
    if not account.warehouse_path.exists():
        return None
    with runtime.warehouse.look() as (con, as_of):
        if not con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()[0][0]:
            return None  # the first load is making it
        figures = read_figures(con, account.name, dates, as_of=as_of)
        if also:
            also(Look(con, account, dates))
    inventory = take_inventory(runtime, dates, now=datetime.now(UTC))
    return AccountPart(figures, [standing(day) for day in inventory.days], account.timezone)


def standing(day: DayStatus) -> DateStanding:
    """What the inventory says of a date, as the page takes it."""
    deliveries = {
        name: {state.value: number for state, number in counts.items()} for name, counts in day.deliveries.items()
    }
    return DateStanding(
        day.business_date,
        day.state.value,
        remarks=tuple(day.remarks),
        unreconciled=tuple(z_report_remarks(day.reconciliation)) if day.unreconciled else (),
        deliveries=deliveries,
        whole=frozenset(name for name in day.deliveries if day.loaded and day.is_delivered_to(name)),
    )


def as_json_text(parts: Sequence[AccountPart], written: Sequence[Path], rows: Mapping[str, int] | None = None) -> str:
    """What was written, for other programs. Amounts are texts, exact; keys stay as they are, new ones may come."""
    said = {
        "written": [str(path) for path in written],
        **({"rows": dict(rows)} if rows is not None else {}),
        "accounts": [
            {
                "account": part.name,
                "loaded": [day.isoformat() for day in part.figures.present],
                "states": {one.business_date.isoformat(): one.state for one in part.standings},
                "as_of": part.figures.as_of and part.figures.as_of.isoformat(),
                "totals": part.figures.totals(),
            }
            for part in parts
        ],
    }
    return json.dumps(said, indent=2, ensure_ascii=False)


def remarks(parts: Sequence[AccountPart]) -> list[str]:
    """A line for each state of dates that whoever reads the figures should know of."""
    return [f"{part.name}: {notice.number} {notice.state}: {notice.dates}" for part in parts for notice in part.notices]
