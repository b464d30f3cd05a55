"""A backfill by the pipeline's own command line, and what its clocks, its warehouse and the server say of it."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb

from benchmarks.clocked import Worked
from benchmarks.measure import Measured, clean_environment, measure, size
from benchmarks.period import TIMEZONE, Period
from benchmarks.serving import Server, Watched

ACCOUNT = "bench"
_ASKED_LATE = 0.01  # of the time: more that the server spent on pages that were not ready would be measured with it


@dataclass(frozen=True)
class Backfill:
    """What a backfill took, and what it brought.

    Attributes:
        measured: Time and memory of the whole command.
        watched: What the server saw of it.
        worked: When which work was done.
        events: How many events Dagster keeps of it.
        materializations: How often Dagster recorded that an asset was made, each for a date or a range of dates.
        orders: Orders in the period, whether they count or not.
        gross: Gross of all lines of the orders that count: sales less returns, gift cards included.
        reconciled: How many z-reports have which status.
        warehouse: Bytes of the warehouse's file.
        landing: Bytes of the response bodies.
        history: Bytes of Dagster's home.
        folder: Where everything of it is.
    """

    measured: Measured
    watched: Watched
    worked: Worked
    materializations: int
    events: int
    orders: int
    gross: Decimal
    reconciled: dict[str, int]
    warehouse: int
    landing: int
    history: int
    folder: Path

    def seconds_of(self, *stages: str) -> float:
        """Seconds in which one of these stages was at work; of all where none is named."""
        return union((begin, end) for stage, _, begin, end in self.worked if not stages or stage in stages)

    @property
    def steps(self) -> dict[str, float]:
        """Seconds of each kind of work."""
        found: defaultdict[str, float] = defaultdict(float)
        for _, what, begin, end in self.worked:
            found[what] += end - begin
        return dict(found)


def union(spans: Iterable[tuple[float, float]]) -> float:
    """The length of time that is in at least one of these spans."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def settings(server: Server, first: date, folder: Path, *, users: int = 1) -> dict[str, str]:
    """The environment in which the command line reaches the server, and keeps everything below ``folder``."""
    return clean_environment() | {
        "SITOO_ACCOUNT": ACCOUNT,
        "SITOO_BASE_URL": server.url,
        "SITOO_API_ID": ",".join(f"1500-{number}" for number in range(1, users + 1)),
        "SITOO_API_PASSWORD": ",".join(["not a secret"] * users),
        "SITOO_TIMEZONE": TIMEZONE,
        "SITOO_START_DATE": first.isoformat(),
        "SITOO_PIPELINE_DATA_DIR": str(folder),
    }


def backfill(
    *,
    server: Server,
    period: Period,
    folder: Path,
    sinks: bool = False,
    users: int = 1,
    dates: Period | None = None,
    environ: Mapping[str, str] | None = None,
) -> Backfill:
    """Load ``dates`` (else all of ``period``) into the account below ``folder``; again where it is there already.

    A load during which the server had to make pages is made a second time, with everything ready.

    Raises:
        RuntimeError: it did not succeed.
    """
    is_first = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    first, last = (dates or period).arguments
    clock = folder / "clock.json"
    command = [sys.executable, "-m", "benchmarks.clocked", str(clock), "backfill", "--from", first, "--to", last]
    variables = settings(server, period.first, folder, users=users) | dict(environ or {})
    server.watch()
    measured = measure(command if sinks else [*command, "--no-sinks"], cwd=folder, environ=variables)
    watched = server.watch()
    if watched.making > _ASKED_LATE * measured.seconds:
        if is_first:
            shutil.rmtree(folder)
            folder = folder.with_name(f"{folder.name}_again")
        return backfill(
            server=server, period=period, folder=folder, sinks=sinks, users=users, dates=dates, environ=environ
        )
    account = folder / ACCOUNT
    materializations, events = _history(folder / "dagster_home")
    orders, gross, reconciled = loaded(account)
    return Backfill(
        measured=measured,
        watched=watched,
        worked=[(stage, what, begin, end) for stage, what, begin, end in json.loads(clock.read_text())],
        materializations=materializations,
        events=events,
        orders=orders,
        gross=gross,
        reconciled=reconciled,
        warehouse=size(account / "warehouse.duckdb"),
        landing=size(account / "landing"),
        history=size(folder / "dagster_home"),
        folder=folder,
    )


def loaded(account: Path) -> tuple[int, Decimal, dict[str, int]]:
    """Orders, gross, and z-reports by status in the read copy of an account."""
    with duckdb.connect(str(account / "warehouse_read.duckdb"), read_only=True) as con:
        orders, gross = con.execute(
            "SELECT (SELECT count(*) FROM raw.orders), (SELECT sum(gross_sales - returns + gift_card_sales) "
            "FROM marts.hourly_sales)"
        ).fetchall()[0]
        statuses = con.execute("SELECT status, count(*) FROM marts.z_report_reconciliation GROUP BY ALL ORDER BY ALL")
        return orders, gross, dict(statuses.fetchall())


def _history(home: Path) -> tuple[int, int]:
    """Materializations and events that Dagster has recorded."""
    made = events = 0
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for record in instance.get_run_records():
            run_id = record.dagster_run.run_id
            kinds = Counter(
                entry.dagster_event.event_type for entry in instance.all_logs(run_id) if entry.dagster_event
            )
            made += kinds[dg.DagsterEventType.ASSET_MATERIALIZATION]
            events += sum(kinds.values())
    return made, events
