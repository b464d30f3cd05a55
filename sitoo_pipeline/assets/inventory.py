"""The inventory of an account: what each business date has and lacks, from the warehouse and the ledger.

The one place that decides it, for the command ``status`` and for the daily check. Whatever the number of dates, it is a
handful of queries. What the words mean is in ``day_status``. No dagster here.

The warehouse itself is read, since a failure stands there before any read copy has it. While a load has it open, the
read copy answers, and the inventory says of when that is; the ledger of deliveries is always as it is now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import duckdb

from sitoo_pipeline.assets.computations import all_computations
from sitoo_pipeline.assets.day_status import DayState, DayStatus
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.tables import OPTIONAL, raw

_OPTIONAL = {table.qualified for table in OPTIONAL}


@cache
def _sources_of(*, counts_visitors: bool) -> dict[str, tuple[str, ...]]:
    """Every table that has a part of each date, with the dated tables that it is made from."""
    extracted = (*raw.DATED, raw.VISITORS) if counts_visitors else raw.DATED
    return {
        **{table.qualified: () for table in extracted},
        **{
            table.qualified: tuple(read.qualified for read in computation.reads if read.partition)
            for computation in all_computations(counts_visitors=counts_visitors)
            for table in computation.tables
            if table.partition
        },
    }


# An object that moved to another date is recorded as a load of the date that it left, with a message; nothing of that
# date was asked for then.
_LOADS = """
    SELECT business_date, table_name,
        arg_max({'status': status, 'message': message}, finished_at) AS newest,
        epoch_us(max(finished_at) FILTER (status = 'loaded')) AS changed,
        epoch_us(max(finished_at) FILTER (status != 'failed')) AS made,
        epoch_us(max(started_at) FILTER (status != 'failed' AND message IS NULL)) AS asked
    FROM meta.loads WHERE business_date BETWEEN ? AND ? GROUP BY ALL ORDER BY ALL
"""
_REFUSED = "SELECT business_date, count(*) FROM meta.quarantine WHERE business_date BETWEEN ? AND ? GROUP BY ALL"
_RECONCILED = """
    SELECT business_date, status, count(*) FROM marts.z_report_reconciliation
    WHERE business_date BETWEEN ? AND ? GROUP BY ALL
"""
_SOLD = """
    SELECT business_date, store_id, store_name, channel, currency, gross_sales, transactions FROM marts.daily_sales
    WHERE business_date BETWEEN ? AND ? ORDER BY ALL
"""


@dataclass(frozen=True)
class Inventory:
    """The dates of one account, in order. ``as_of`` is when the read copy was published, where that was read."""

    days: tuple[DayStatus, ...]
    as_of: datetime | None = None

    def counts(self) -> dict[DayState, int]:
        """How many dates are in each state that occurs, the worst first."""
        found = Counter(day.state for day in self.days)
        return {state: found[state] for state in DayState if found[state]}


def dates_until(runtime: Runtime, now: datetime) -> list[date]:
    """Every business date from the account's start to the one that its clock shows at ``now``."""
    start = runtime.account.start_date
    today = now.astimezone(ZoneInfo(runtime.account.timezone)).date()
    return [start + timedelta(days=number) for number in range((today - start).days + 1)]


def take_inventory(runtime: Runtime, dates: Sequence[date], *, now: datetime) -> Inventory:
    """What each of ``dates`` has and lacks at ``now``.

    Raises:
        WarehouseLockedError: the warehouse is open in another program, and there is no read copy yet.
        DatabaseUrlError: the ledger's URL cannot be used.
        sqlalchemy.exc.OperationalError: the ledger does not answer.
    """
    found = {day: DayStatus(runtime.account.name, day, is_over=now >= runtime.over_at(day)) for day in sorted(dates)}
    as_of = None
    if found and runtime.account.warehouse_path.exists():
        with runtime.warehouse.look() as (con, as_of):
            if con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()[0][0]:
                _read_loads(con, found, runtime)
                _read_figures(con, found)
    if found:
        _read_deliveries(runtime, found, now.date() - timedelta(days=runtime.account.deliveries_retention_days))
    return Inventory(tuple(found.values()), as_of)


def _read_loads(con: duckdb.DuckDBPyConnection, found: dict[date, DayStatus], runtime: Runtime) -> None:
    between = [min(found), max(found)]
    sources = _sources_of(counts_visitors=runtime.account.visitors is not None)
    for day, count in con.execute(_REFUSED, between).fetchall():
        if day in found:
            found[day].refused = count
    loads: dict[date, dict[str, tuple[int, int, int]]] = {}
    for day, table, newest, changed, made, asked in con.execute(_LOADS, between).fetchall():
        if day not in found or table not in sources:
            continue
        if newest["status"] == "failed":
            found[day].failed[table] = newest["message"]
        if made:
            loads.setdefault(day, {})[table] = (changed or 0, made, asked or made)
    for day, of_day in loads.items():
        _judge_loads(found[day], of_day, runtime, sources)


def _judge_loads(
    status: DayStatus, loads: dict[str, tuple[int, int, int]], runtime: Runtime, sources: Mapping[str, tuple[str, ...]]
) -> None:
    """Whether the tables of a date are all there, made after their sources, and asked for after the date was over."""
    status.loaded = set(loads)
    status.absent = [table for table in sources if table not in loads and table not in _OPTIONAL]
    for table, made_from in sources.items():
        for source in made_from:
            if table in loads and source in loads and loads[source][0] > loads[table][1]:
                status.outdated.setdefault(table, source)
    asked = min((loads[table.qualified][2] for table in raw.DATED if table.qualified in loads), default=None)
    if asked and (at := datetime.fromtimestamp(asked / 1e6, UTC)) < runtime.over_at(status.business_date):
        status.read_early = at.astimezone(ZoneInfo(runtime.account.timezone))


def _read_figures(con: duckdb.DuckDBPyConnection, found: dict[date, DayStatus]) -> None:
    between = [min(found), max(found)]
    for day, status, count in con.execute(_RECONCILED, between).fetchall():
        if day in found:
            found[day].reconciliation[status] = count
    for day, store, name, channel, currency, gross, transactions in con.execute(_SOLD, between).fetchall():
        if day in found:
            found[day].sold[store, channel, currency] = gross
            found[day].store_names[store] = name
            found[day].transactions += transactions


def _read_deliveries(runtime: Runtime, found: dict[date, DayStatus], forgotten_before: date) -> None:
    account, sinks = runtime.account, sinks_of(runtime)
    with Ledger.to_look_at(account.deliveries_url.get_secret_value()) as ledger:
        for sink in sinks:
            counts = ledger.counts(account.name, sink.name, found)
            left_out = ledger.left_out(account.name, sink.name, found)
            for day, status in found.items():
                status.deliveries[sink.name] = Counter(counts.get(day, {}))
                status.left_out[sink.name] = left_out.get(day, [])
                if sink.is_at_most_once and any(state.is_uncertain for state in status.deliveries[sink.name]):
                    status.in_doubt.add(sink.name)
                is_expected = sink.expects_records(day, has_sales=bool(status.transactions))
                if is_expected and day >= forgotten_before and not status.deliveries[sink.name]:
                    status.not_handed_over.add(sink.name)


def lacking(days: Iterable[DayStatus]) -> list[DayStatus]:
    """The dates that lack something: failed, missing, incomplete, not delivered or not reconciled."""
    return [day for day in days if day.state not in (DayState.DONE, DayState.OPEN)]
