"""What the assets of one account work with: its settings, its warehouse, the way to its Sitoo system.

No dagster here, so that every step can be tried in a plain Python prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb

from sitoo_pipeline.assets.activity import Activity
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sitoo import ApiUser, RetryPolicy, Scope, SitooClient
from sitoo_pipeline.tables import core, raw
from sitoo_pipeline.transforms import Places
from sitoo_pipeline.warehouse import Warehouse
from sitoo_pipeline.warehouse.sources import table_frame


@dataclass(frozen=True)
class Runtime:
    """One account at work."""

    account: Account
    warehouse: Warehouse
    _absent: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Paths that Sitoo does not have for this account, remembered for the life of the process."""
    activity: Activity = field(default_factory=Activity, init=False, repr=False, compare=False)
    """What is being done with it in this process."""

    @classmethod
    def of(cls, account: Account) -> Runtime:
        """The runtime that production uses."""
        warehouse = Warehouse(
            account.warehouse_path, lock_timeout=account.lock_timeout, personal_in_copy=account.read_copy_personal_data
        )
        return cls(account, warehouse)

    @contextmanager
    def sitoo(self, retry: RetryPolicy | None = None) -> Iterator[SitooClient]:
        """A client of the account's Sitoo system, closed at the end of the block; as patient as the settings say."""
        http = self.account.http
        patience = RetryPolicy(attempts=http.attempts, wait_initial=http.wait_initial, wait_max=http.wait_max)
        with (
            SitooClient(
                base_url=self.account.base_url,
                users=tuple(
                    ApiUser(api_id=user.api_id, password=user.password.get_secret_value())
                    for user in self.account.users
                ),
                retry=retry or patience,
                connect_timeout=http.connect_timeout,
                read_timeout=http.read_timeout,
                absent=self._absent,
            ) as client,
            self.activity.using(client),
        ):
            yield client

    @property
    def store_timezones(self) -> dict[str, str]:
        """Zones of the stores that have one of their own in the settings."""
        return {store: said.timezone for store, said in self.account.stores.items() if said.timezone}

    @property
    def zones(self) -> tuple[ZoneInfo, ...]:
        """Every zone that the settings name: the account's first."""
        return tuple(ZoneInfo(name) for name in dict.fromkeys((self.account.timezone, *self.store_timezones.values())))

    def over_at(self, day: date) -> datetime:
        """When the business date is over in every zone that the settings name."""
        midnight = datetime.combine(day + timedelta(days=1), time())
        return max(midnight.replace(tzinfo=zone).astimezone(UTC) for zone in self.zones)

    def ready_at(self, day: date) -> datetime:
        """By when the business date is to be loaded, reconciled and delivered."""
        at = datetime.combine(day + timedelta(days=1), time.fromisoformat(self.account.ready_by))
        return max(at.replace(tzinfo=ZoneInfo(self.account.timezone)).astimezone(UTC), self.over_at(day))

    def places(self, con: duckdb.DuckDBPyConnection) -> Places:
        """Where sales can happen, from the settings and the reference tables as they are now."""
        return Places(
            account_timezone=self.account.timezone,
            store_timezones=self.store_timezones,
            stores=table_frame(con, core.STORES),
            warehouses=table_frame(con, core.WAREHOUSES),
            registers=table_frame(con, core.REGISTERS),
        )

    def scope(self, con: duckdb.DuckDBPyConnection) -> Scope:
        """The sites and registers of the account, for the resources that are asked for one by one."""
        sites = tuple(row[0] for row in con.execute(f"SELECT eshopid FROM {raw.SITES.qualified} ORDER BY 1").fetchall())
        registers = con.execute(
            """
            SELECT coalesce(s.eshop_id, ?), r.register_id
            FROM core.registers AS r
            LEFT JOIN core.warehouses AS w ON w.warehouse_id = r.warehouse_id
            LEFT JOIN core.stores AS s ON s.sitoo_store_id = w.sitoo_store_id
            ORDER BY ALL
            """,
            [sites[0] if sites else 1],
        ).fetchall()
        return Scope(sites=sites or (1,), registers=tuple(registers))


def chunks(dates: list[date], size: int) -> list[list[date]]:
    """``dates`` in order, in pieces of at most ``size`` that follow each other without a gap."""
    pieces: list[list[date]] = []
    for day in sorted(dates):
        if pieces and len(pieces[-1]) < size and (day - pieces[-1][-1]).days == 1:
            pieces[-1].append(day)
        else:
            pieces.append([day])
    return pieces
