"""SameSystem as a target of an account: what its records are made from, how its settings reach it. No dagster here."""

from __future__ import annotations

from datetime import time

import duckdb

from sitoo_pipeline.assets.holding_back import Balance, from_balance, held_by, held_with
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.samesystem import SameSystem
from sitoo_pipeline.sinks.samesystem_api import Access
from sitoo_pipeline.sinks.samesystem_journal import Journal
from sitoo_pipeline.sinks.samesystem_nights import Nights
from sitoo_pipeline.sinks.samesystem_prepare import prepare_store_days
from sitoo_pipeline.tables import core, marts
from sitoo_pipeline.warehouse.sources import table_frame


def samesystem_sinks(runtime: Runtime) -> tuple[Sink, ...]:
    """SameSystem, where the account's settings name it."""
    account, channels = runtime.account, runtime.account.targets.weekly_balance.channels
    said = account.targets.samesystem
    if said is None:
        return ()
    numbers = said.registers

    def make(
        target: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger, balance: Balance
    ) -> Prepared:
        assert isinstance(target, SameSystem)
        registers = table_frame(con, marts.REGISTER_SALES, dates=dates if "pos" in channels else [])
        return prepare_store_days(
            target,
            balance=balance.rows,
            registers=registers,
            tills=table_frame(con, core.REGISTERS),
            stores=table_frame(con, core.STORES),
            known=ledger.keys(account.name, SameSystem.name, dates),
            numbers=numbers,
            with_online="online" in channels,
            held=balance.held,
        )

    sink = Sink(
        name=SameSystem.name,
        description="Day totals per register in SameSystem's weekly balance; what is reopened is closed again. The tag "
        "overwrite_approved (true or false) of a run or backfill says whether confirmed days and approved weeks are "
        "reopened in it; without the tag the settings do.",
        kinds=frozenset({"api"}),
        reads=(marts.WEEKLY_BALANCE_HOURLY, marts.REGISTER_SALES, core.STORES, core.REGISTERS, *held_by(runtime)),
        is_one_per_date=True,
        open=lambda: samesystem_of(account),
        prepare=from_balance(runtime, make),
        also=held_with(runtime),
    )
    return (sink,)


def samesystem_of(account: Account) -> SameSystem:
    """The SameSystem of an account that has one in its settings.

    Raises:
        ValueError: it has none.
    """
    said = account.targets.samesystem
    if said is None:
        raise ValueError(f"{account.name} has no SameSystem")
    access = Access(
        base_url=said.base_url,
        email=said.email,
        password=said.password.get_secret_value(),
        by_department=said.login == "department",
        ctx_tokens=said.ctx_tokens,
        attempts=account.http.attempts,
        timeout=account.http.read_timeout,
        longest_wait=account.http.wait_max,
    )
    nights = Nights(
        confirm_from=time.fromisoformat(said.confirm_from),
        auto_confirm_at=time.fromisoformat(said.auto_confirm_at),
        timezone=account.timezone,
        store_timezones={store: each.timezone for store, each in account.stores.items() if each.timezone},
    )
    return SameSystem(
        access,
        Journal(account.deliveries_url.get_secret_value(), account=account.name),
        fields=said.fields.model_dump(exclude_none=True),
        confirm=said.confirm,
        overwrite_approved=said.overwrite_approved,
        nights=nights,
    )
