"""The targets that an account's settings switch on, each with what its records are made from. No dagster here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.assets.held import READS as HELD_BY
from sitoo_pipeline.assets.held import Held
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.settings import targets as settings
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.ometria import Ometria
from sitoo_pipeline.sinks.ometria_customers import contact_records
from sitoo_pipeline.sinks.ometria_orders import ORIGINAL_ORDER_ID, order_records, record_key
from sitoo_pipeline.sinks.weekly_balance_csv import WeeklyBalanceCsv
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.warehouse.sources import table_frame

Dates = Sequence[date]


@dataclass(frozen=True)
class Sink:
    """One target: what its records are made from, and who takes them. ``name`` is the target's in the ledger.

    ``is_one_per_date`` says that every date has a record, also one without sales: a date without is not delivered.
    """

    name: str
    description: str
    kinds: frozenset[str]
    reads: tuple[Table, ...]
    is_one_per_date: bool
    open: Callable[[], AbstractContextManager[Target]]
    prepare: Callable[[Target, duckdb.DuckDBPyConnection, Dates, Ledger], Prepared]


def sinks_of(runtime: Runtime) -> tuple[Sink, ...]:
    """The targets that the account's settings switch on."""
    targets = runtime.account.targets
    found = []
    if targets.weekly_balance_sql.enabled:
        found.append(_weekly_balance_sql(runtime))
    if targets.weekly_balance_csv.enabled:
        found.append(_weekly_balance_csv(runtime))
    if targets.ometria:
        found.append(_ometria(runtime, targets.ometria))
    return tuple(found)


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
        open=lambda: nullcontext(WeeklyBalanceCsv(folder, home_currency={}, csv_format=_csv_format(said))),
        prepare=prepare,
    )


def _held_by(said: settings.WeeklyBalance) -> tuple[Table, ...]:
    """What else a weekly balance is made from: nothing as long as no store is ever held back."""
    return () if said.hold_back_above is None else HELD_BY


def _csv_format(said: settings.WeeklyBalanceCsv) -> CsvFormat:
    return CsvFormat(
        column=said.separator,
        decimal=said.decimal_mark,
        thousands=said.thousands_mark,
        date_format=said.date_format,
        register_id=said.register_id,
    )


def _ometria(runtime: Runtime, said: settings.Ometria) -> Sink:
    account = runtime.account.name

    def prepare(_: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger) -> Prepared:
        of_dates = table_frame(con, core.ORDERS, dates=dates)
        originals = _orders(con, "order_id", of_dates.select(ORIGINAL_ORDER_ID.alias("id")))
        orders = pl.concat([of_dates, originals]).unique("order_id", keep="first")
        returns = _orders(con, "coalesce(credit_order_id, TRY_CAST(original_sales_order_id AS BIGINT))", orders)
        keys = [record_key(number, id_prefix=said.id_prefix) for number in orders["order_id"]]
        sales = order_records(
            orders=orders,
            lines=_lines(con, orders),
            returns=returns,
            return_lines=_lines(con, returns),
            handed_over=ledger.of(account, Ometria.name, keys).keys(),
            id_prefix=said.id_prefix,
            product_id=said.product_id,
            channels={"pos": said.store_channel, "online": "online"},
        )
        contacts = contact_records(
            orders=of_dates, collection=said.collection, id_prefix=said.id_prefix, opt_in=said.opt_in
        )
        return Prepared(contacts.records + sales.records, contacts.messages + sales.messages)

    return Sink(
        name=Ometria.name,
        description="Orders with their returns, and the customers who left an address, handed to Ometria's push API.",
        kinds=frozenset({"api"}),
        reads=(core.ORDERS, core.ORDER_LINES),
        is_one_per_date=False,
        open=lambda: Ometria(
            base_url=said.base_url,
            api_key=said.api_key.get_secret_value(),
            attempts=runtime.account.http.attempts,
            timeout=runtime.account.http.read_timeout,
            longest_wait=runtime.account.http.wait_max,
        ),
        prepare=prepare,
    )


def _orders(con: duckdb.DuckDBPyConnection, column: str, ids: pl.DataFrame) -> pl.DataFrame:
    """The orders whose ``column`` is among the first column of ``ids``, of any date."""
    con.register("wanted_ids", ids.select(pl.first().alias("id")).drop_nulls().to_arrow())
    names = ", ".join(core.ORDERS.names)
    return con.sql(
        f"SELECT {names} FROM core.orders WHERE {column} IN (SELECT id FROM wanted_ids) ORDER BY order_id"
    ).pl()


def _lines(con: duckdb.DuckDBPyConnection, orders: pl.DataFrame) -> pl.DataFrame:
    con.register("wanted_ids", orders.select(id="order_id").to_arrow())
    names = ", ".join(core.ORDER_LINES.names)
    return con.sql(
        f"SELECT {names} FROM core.order_lines WHERE order_id IN (SELECT id FROM wanted_ids) ORDER BY ALL"
    ).pl()
