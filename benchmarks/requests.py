"""How many requests are made against the fewest possible, and in how much of the time one is in flight."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from datetime import date, datetime, time, timedelta
from math import ceil
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import duckdb

from benchmarks.measure import measure
from benchmarks.period import TIMEZONE, Period
from benchmarks.pipeline import ACCOUNT, Backfill, backfill, settings
from benchmarks.result import Bar, Result, Table
from benchmarks.serving import Server, Wanted, serving
from benchmarks.workshop import Workshop, say

PART = "requests"
LATENCY = 0.1
_DAYS, _REREAD = 14, 7
_IN_FLIGHT, _FASTER, _HOURLY = 0.95, 2.7, 3
_REFERENCE_LISTS = 6
_PAGE, _Z_PAGE, _IDS = 1000, 500, 100


def requests(workshop: Workshop) -> Result:
    """Count the requests of a young account's life, then wait for answers with one API user and with three."""
    counted, rewritten = _counted(workshop)
    sizes = workshop.sizes
    one, three = (_waiting(workshop, sizes.small, users) for users in (1, 3))
    alone = {users: _fetching(workshop, sizes.small, users) for users in (1, 3)}
    large = _waiting(workshop, sizes.large, 1)
    waited = {(sizes.small, 1): one, (sizes.small, 3): three, (sizes.large, 1): large}
    shares = {which: run.watched.orders_in_flight / _orders_seconds(run) for which, run in waited.items()}
    faster = alone[1] / alone[3]
    hourly = counted["hourly refresh, nothing new"][0].total()
    rows = [(name, f"{made.total():,}", f"{fewest:,}", _by_path(made)) for name, (made, fewest) in counted.items()]
    return Result(
        PART,
        "Requests",
        tables=[
            Table(
                f"An account of {_DAYS} days of {workshop.sizes.per_day:,} orders that goes on selling:",
                ("", "requests", "fewest possible", "which"),
                rows,
            ),
            Table(
                f"Fetching and loading orders at {LATENCY * 1000:.0f} ms latency:",
                ("orders", "API users", "seconds", "with a request in flight", "share", "requests"),
                [
                    (
                        f"{run.orders:,}",
                        f"{users}",
                        f"{_orders_seconds(run):.1f}",
                        f"{run.watched.orders_in_flight:.1f}",
                        f"{shares[orders, users]:.0%}",
                        f"{run.watched.requests['/orders']:,}",
                    )
                    for (orders, users), run in waited.items()
                ],
            ),
            Table(
                f"Fetching {sizes.small:,} orders at {LATENCY * 1000:.0f} ms latency, without loading them:",
                ("API users", "seconds"),
                [(f"{users}", f"{seconds:.1f}") for users, seconds in alone.items()],
            ),
        ],
        bars=[
            Bar(
                f"an hourly refresh with nothing new: at most {_HOURLY} requests, no partition rewritten",
                f"{hourly} requests, {rewritten} rewritten",
                hourly <= _HOURLY and not rewritten,
            ),
            *(
                Bar(
                    f"at {LATENCY * 1000:.0f} ms latency a request is in flight {_IN_FLIGHT:.0%} of the time, "
                    f"{orders:,} orders",
                    f"{shares[orders, 1]:.0%}",
                    shares[orders, 1] >= _IN_FLIGHT,
                )
                for orders in (sizes.small, sizes.large)
            ),
            Bar(
                f"three API users fetch at least {_FASTER:g} times as fast as one",
                f"{faster:.2f} times ({_orders_seconds(one) / _orders_seconds(three):.2f} with loading)",
                faster >= _FASTER,
            ),
        ],
        notes=[
            "Fewest possible: each order, z-report and warehouse transaction once in pages as large as Sitoo gives "
            "them, and each reference list once. The share is of the time in which orders are fetched and loaded. With "
            "three API users loading takes longer than fetching, on two cores."
        ],
        figures={
            "requests": {name: [made.total(), fewest] for name, (made, fewest) in counted.items()},
            "in_flight": {f"{orders:,} orders, {users} users": share for (orders, users), share in shares.items()},
            "faster": faster,
        },
        sizes=f"{sizes.in_words} for the waiting",
    )


def _counted(workshop: Workshop) -> tuple[dict[str, tuple[Counter[str], int]], int]:
    """Requests made and fewest possible of each occasion, and how many partitions the hourly refresh rewrote."""
    today = datetime.now(ZoneInfo(TIMEZONE)).date()
    period = Period.of(_DAYS, today)
    folder = workshop.new_folder("requests")
    found: dict[str, tuple[Counter[str], int]] = {}
    say("counting the requests of a young account")
    wanted = Wanted.of(_DAYS * workshop.sizes.per_day, period, now=_noon(today))
    with serving(wanted) as server:
        loaded = backfill(server=server, period=period, folder=folder)
        found[f"backfill of {_DAYS} days"] = (
            loaded.watched.requests,
            _REFERENCE_LISTS + _fewest(folder, period.first, today),
        )
        found["first hourly refresh after it"] = (_poll(server, period, folder, "hour"), 3)
        before = _loads(folder)
        made = _poll(server, period, folder, "hour")
        rewritten = _loads(folder) - before
        found["hourly refresh, nothing new"] = (made, 3)
        open_orders = ceil(_query(folder, "SELECT count(*) FROM core.orders WHERE order_state_id = 0") / _IDS)
        since = today - timedelta(days=_REREAD)
        found[f"nightly re-read of {_REREAD} days"] = (
            _poll(server, period, folder, "night"),
            open_orders + _fewest(folder, since, today - timedelta(days=1)),
        )
        server.set(now=_noon(today) + 3600)
        found["tail: an hour later"] = (_poll(server, period, folder, "hour"), 3)
        again = backfill(server=server, period=period, folder=folder, dates=Period(today, today))
        found["the date it found"] = (again.watched.requests, _REFERENCE_LISTS + _fewest(folder, today, today))
    return found, rewritten


def _noon(day: date) -> int:
    return int(datetime.combine(day, time(12), tzinfo=ZoneInfo(TIMEZONE)).timestamp())


def _fewest(folder: Path, first: date, last: date) -> int:
    """The fewest requests for everything dated in a period."""
    between = f"BETWEEN DATE '{first}' AND DATE '{last}'"
    tables = {"raw.orders": _PAGE, "raw.z_reports": _Z_PAGE, "raw.warehouse_transactions": _PAGE}
    counts = {table: _query(folder, f"SELECT count(*) FROM {table} WHERE business_date {between}") for table in tables}
    return sum(max(1, ceil(counts[table] / page)) for table, page in tables.items())


def _loads(folder: Path) -> int:
    return _query(folder, "SELECT count(*) FROM meta.loads")


def _query(folder: Path, sql: str) -> int:
    with duckdb.connect(str(folder / ACCOUNT / "warehouse.duckdb"), read_only=True) as con:
        return int(con.execute(sql).fetchall()[0][0])


def _poll(server: Server, period: Period, folder: Path, every: str) -> Counter[str]:
    server.watch()
    command = [sys.executable, "-m", "benchmarks.poll", every]
    said = measure(command, cwd=folder, environ=settings(server, period.first, folder))
    json.loads(said.output.strip().splitlines()[-1])
    return server.watch().requests


def _waiting(workshop: Workshop, orders: int, users: int) -> Backfill:
    period = Period.of(workshop.sizes.days)
    server = workshop.server(orders, period)
    say(f"{orders:,} orders at {LATENCY * 1000:.0f} ms latency with {users} API users")
    server.set(latency=LATENCY)
    try:
        return backfill(server=server, period=period, folder=workshop.new_folder("waiting"), users=users)
    finally:
        server.set(latency=0)


def _fetching(workshop: Workshop, orders: int, users: int) -> float:
    """Seconds of fetching alone, the median of several."""
    period = Period.of(workshop.sizes.days)
    server = workshop.server(orders, period)
    say(f"{orders:,} orders at {LATENCY * 1000:.0f} ms latency with {users} API users, fetched alone")
    command = [sys.executable, "-m", "benchmarks.fetch", *period.arguments]
    found = []
    server.set(latency=LATENCY)
    try:
        for _ in range(workshop.sizes.repeats):
            folder = workshop.new_folder("fetching")
            folder.mkdir(parents=True)
            said = measure(command, cwd=folder, environ=settings(server, period.first, folder, users=users))
            shutil.rmtree(folder)
            found.append(float(json.loads(said.output.strip().splitlines()[-1])["seconds"]))
    finally:
        server.set(latency=0)
    return median(found)


def _orders_seconds(run: Backfill) -> float:
    return run.steps["raw orders"]


def _by_path(made: Counter[str]) -> str:
    return ", ".join(f"{path.rpartition('/')[2]} {number}" for path, number in sorted(made.items()))
