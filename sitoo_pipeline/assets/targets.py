"""The targets that an account's settings switch on, each with what its records are made from. No dagster here."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from sitoo_pipeline.assets.holding_back import Balance, from_balance, held_by, held_with
from sitoo_pipeline.assets.ometria import ometria_sinks
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.samesystem import samesystem_sinks
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.assets.webhooks import webhook_sink
from sitoo_pipeline.assets.weekly_balance_files import csv_sink, mail_sink
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.samesystem import SameSystem
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline.tables import marts


def sinks_of(runtime: Runtime) -> tuple[Sink, ...]:
    """The targets that the account's settings switch on."""
    targets = runtime.account.targets
    found = []
    if targets.weekly_balance_sql.enabled:
        found.append(_weekly_balance_sql(runtime))
    if targets.weekly_balance_csv.enabled:
        found.append(csv_sink(runtime))
    if targets.weekly_balance_mail:
        found.append(mail_sink(runtime, targets.weekly_balance_mail))
    webhooks = (webhook_sink(runtime, name, said) for name, said in targets.webhooks.items())
    return (*found, *samesystem_sinks(runtime), *ometria_sinks(runtime), *webhooks)


def as_wanted(runtime: Runtime, sink: Sink, overwrite_approved: bool | None) -> Sink:  # noqa: FBT001
    """The target as somebody wants it for one run: SameSystem with ``overwrite_approved`` instead of the settings'.

    None is what the settings say; any other target knows of no approved weeks and is as it was.
    """
    targets = runtime.account.targets
    if overwrite_approved is None or sink.name != SameSystem.name or targets.samesystem is None:
        return sink
    chosen = targets.samesystem.model_copy(update={"overwrite_approved": overwrite_approved})
    account = runtime.account.model_copy(update={"targets": targets.model_copy(update={"samesystem": chosen})})
    [wanted] = samesystem_sinks(replace(runtime, account=account))
    return wanted


def _weekly_balance_sql(runtime: Runtime) -> Sink:
    url = runtime.account.targets.weekly_balance_sql.url.get_secret_value()

    def make(target: Target, _: duckdb.DuckDBPyConnection, dates: Dates, __: Ledger, balance: Balance) -> Prepared:
        assert isinstance(target, WeeklyBalanceSql)
        return target.prepare(balance.rows, account=runtime.account.name, dates=dates, held=balance.held)

    return Sink(
        name=WeeklyBalanceSql.name,
        description="Table weekly_balance_hourly of a database: a row that did not change is not written again.",
        kinds=frozenset({"sql"}),
        reads=(marts.WEEKLY_BALANCE_HOURLY, *held_by(runtime)),
        is_one_per_date=True,
        also=held_with(runtime),
        open=lambda: WeeklyBalanceSql(url),
        prepare=from_balance(runtime, make),
    )
