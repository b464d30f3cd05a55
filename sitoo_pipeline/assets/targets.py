"""The targets that an account's settings switch on, each with what its records are made from. No dagster here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import duckdb

from sitoo_pipeline.assets.held import READS as HELD_BY
from sitoo_pipeline.assets.held import Held
from sitoo_pipeline.assets.marts import reconciled_with
from sitoo_pipeline.assets.ometria import ometria_sinks
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.samesystem import samesystem_sinks
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.settings import targets as settings
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.weekly_balance_csv import WeeklyBalanceCsv
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.warehouse.sources import table_frame


def sinks_of(runtime: Runtime) -> tuple[Sink, ...]:
    """The targets that the account's settings switch on."""
    targets = runtime.account.targets
    found = []
    if targets.weekly_balance_sql.enabled:
        found.append(_weekly_balance_sql(runtime))
    if targets.weekly_balance_csv.enabled:
        found.append(_weekly_balance_csv(runtime))
    return (*found, *samesystem_sinks(runtime), *ometria_sinks(runtime))


def _weekly_balance_sql(runtime: Runtime) -> Sink:
    url = runtime.account.targets.weekly_balance_sql.url.get_secret_value()
    said = runtime.account.targets.weekly_balance

    def prepare(target: Target, con: duckdb.DuckDBPyConnection, dates: Dates, _: Ledger) -> Prepared:
        assert isinstance(target, WeeklyBalanceSql)
        frame = table_frame(con, marts.WEEKLY_BALANCE_HOURLY, dates=dates)
        held = Held.of(con, dates, said.hold_back_above)
        return held.noted_in(target.prepare(frame, account=runtime.account.name, dates=dates, held=held.stores))

    return Sink(
        name=WeeklyBalanceSql.name,
        description="Table weekly_balance_hourly of a database: a row that did not change is not written again.",
        kinds=frozenset({"sql"}),
        reads=(marts.WEEKLY_BALANCE_HOURLY, *_held_by(said)),
        is_one_per_date=True,
        also=_held_with(runtime),
        open=lambda: WeeklyBalanceSql(url),
        prepare=prepare,
    )


def _weekly_balance_csv(runtime: Runtime) -> Sink:
    said = runtime.account.targets.weekly_balance_csv
    balance = runtime.account.targets.weekly_balance
    folder = runtime.account.exports_folder / "weekly_balance"

    def prepare(target: Target, con: duckdb.DuckDBPyConnection, dates: Dates, _: Ledger) -> Prepared:
        frame = table_frame(con, marts.WEEKLY_BALANCE_HOURLY, dates=dates)
        home = dict(
            con.execute(
                "SELECT DISTINCT store_id, currency FROM core.stores "
                "WHERE store_id IS NOT NULL AND currency IS NOT NULL"
            ).fetchall()
        )
        written = WeeklyBalanceCsv(folder, home_currency=home, csv_format=_csv_format(said))
        held = Held.of(con, dates, balance.hold_back_above)
        return held.noted_in(written.prepare(frame, account=runtime.account.name, dates=dates, held=held.stores))

    return Sink(
        name=WeeklyBalanceCsv.name,
        description="One CSV file per business date, in the layout of SameSystem's hourly import.",
        kinds=frozenset({"csv"}),
        reads=(marts.WEEKLY_BALANCE_HOURLY, core.STORES, *_held_by(balance)),
        is_one_per_date=True,
        also=_held_with(runtime),
        open=lambda: nullcontext(WeeklyBalanceCsv(folder, home_currency={}, csv_format=_csv_format(said))),
        prepare=prepare,
    )


def _held_by(said: settings.WeeklyBalance) -> tuple[Table, ...]:
    """What else a weekly balance is made from: nothing as long as no store is ever held back."""
    return () if said.hold_back_above is None else HELD_BY


def _held_with(runtime: Runtime) -> Callable[[duckdb.DuckDBPyConnection, Dates], Dates] | None:
    """The dates on which a store may be held or freed by what a run of other dates brought."""
    if runtime.account.targets.weekly_balance.hold_back_above is None:
        return None
    return lambda con, dates: reconciled_with(runtime, con, dates)


def _csv_format(said: settings.WeeklyBalanceCsv) -> CsvFormat:
    return CsvFormat(
        column=said.separator,
        decimal=said.decimal_mark,
        thousands=said.thousands_mark,
        date_format=said.date_format,
        register_id=said.register_id,
    )
