"""The state of each date: loaded, reconciled, delivered, failed or missing. Read from the warehouse and the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import duckdb

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks import Ledger, State
from sitoo_pipeline.tables import core, marts, raw

LOADED_TABLES = (*raw.DATED, core.ORDERS, core.Z_REPORTS, core.STOCK_MOVEMENTS, *marts.TABLES)

_LATEST = """
    SELECT business_date, table_name, status, message FROM meta.loads
    WHERE list_contains(?, business_date)
    QUALIFY row_number() OVER (PARTITION BY business_date, table_name ORDER BY finished_at DESC) = 1
"""
_REFUSED = "SELECT business_date, count(*) FROM meta.quarantine WHERE list_contains(?, business_date) GROUP BY ALL"
_RECONCILED = """
    SELECT business_date, status, count(*) FROM marts.z_report_reconciliation
    WHERE list_contains(?, business_date) GROUP BY ALL
"""
_SOLD = """
    SELECT business_date, store_id, store_name, channel, currency, gross_sales FROM marts.daily_sales
    WHERE list_contains(?, business_date) ORDER BY ALL
"""


Place = tuple[str, str, str]
"""A store's id, the channel and the currency: what an amount is about."""


@dataclass
class DayStatus:
    """One business date of one account."""

    account: str
    business_date: date
    loaded: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    reconciliation: Counter[str] = field(default_factory=Counter)
    deliveries: dict[str, Counter[State]] = field(default_factory=dict)
    not_handed_over: set[str] = field(default_factory=set)
    sold: dict[Place, Decimal] = field(default_factory=dict)
    store_names: dict[str, str | None] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """What the date lacks.

        ``failed``: the last attempt at one of its tables failed. ``missing``: never loaded. ``incomplete``: loaded in
        part. ``undelivered``: a target lacks something that it did not refuse. ``done``: nothing.
        """
        if self.failed:
            return "failed"
        if not self.loaded:
            return "missing"
        if len(self.loaded) < len(LOADED_TABLES):
            return "incomplete"
        return "done" if self.is_delivered else "undelivered"

    @property
    def is_delivered(self) -> bool:
        """Whether every target has everything of the date, or has refused some of it for a reason."""
        return all(self.is_delivered_to(target) for target in self.deliveries)

    def is_delivered_to(self, target: str) -> bool:
        """Whether the target has everything of the date, or has refused some of it for a reason."""
        return target not in self.not_handed_over and set(self.deliveries[target]) <= {State.DELIVERED, State.REJECTED}

    @property
    def reasons(self) -> list[str]:
        """What failed, each once."""
        return list(dict.fromkeys(self.failed.values()))


def statuses(account: Account, dates: Sequence[date]) -> list[DayStatus]:
    """The state of ``dates`` of one account.

    Raises:
        WarehouseLockedError: the warehouse stayed open in another program.
    """
    found = {day: DayStatus(account.name, day) for day in dates}
    runtime = Runtime.of(account)
    if account.warehouse_path.exists():
        with runtime.warehouse.connect() as con:
            _read_loads(con, found)
            _read_figures(con, found)
    _read_deliveries(runtime, found)
    return [found[day] for day in sorted(found)]


def _read_loads(con: duckdb.DuckDBPyConnection, found: dict[date, DayStatus]) -> None:
    for day, count in con.execute(_REFUSED, [list(found)]).fetchall():
        found[day].refused = count
    wanted = {table.qualified for table in LOADED_TABLES}
    for day, table, status, message in con.execute(_LATEST, [list(found)]).fetchall():
        if status == "failed":
            found[day].failed[table] = message
        elif table in wanted:
            found[day].loaded.add(table)


def _read_figures(con: duckdb.DuckDBPyConnection, found: dict[date, DayStatus]) -> None:
    for day, status, count in con.execute(_RECONCILED, [list(found)]).fetchall():
        found[day].reconciliation[status] = count
    for day, store, name, channel, currency, gross in con.execute(_SOLD, [list(found)]).fetchall():
        found[day].sold[store, channel, currency] = gross
        found[day].store_names[store] = name


def _read_deliveries(runtime: Runtime, found: dict[date, DayStatus]) -> None:
    sinks = sinks_of(runtime)
    if not runtime.account.folder.exists():
        for status in found.values():
            status.deliveries = {sink.name: Counter() for sink in sinks}
            status.not_handed_over.update(sink.name for sink in sinks)
        return
    with Ledger(runtime.account.deliveries_url.get_secret_value()) as ledger:
        for sink in sinks:
            counts = ledger.counts(runtime.account.name, sink.name, list(found))
            for day, status in found.items():
                status.deliveries[sink.name] = Counter(counts.get(day, {}))
                if sink.is_one_per_date and not status.deliveries[sink.name]:
                    status.not_handed_over.add(sink.name)
