"""Ometria's targets: orders with their contacts, and digital receipts, each with what its records are made from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.settings import Ometria as OmetriaSettings
from sitoo_pipeline.settings import OmetriaReceipts
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.ometria import Ometria
from sitoo_pipeline.sinks.ometria_customers import contact_records
from sitoo_pipeline.sinks.ometria_http import Patience
from sitoo_pipeline.sinks.ometria_orders import ORIGINAL_ORDER_ID, order_records, record_key
from sitoo_pipeline.sinks.ometria_receipt import OmetriaReceipt
from sitoo_pipeline.sinks.ometria_receipt_records import Sender, receipt_key, receipt_records
from sitoo_pipeline.tables import core
from sitoo_pipeline.warehouse.sources import table_frame

_READS = (core.ORDERS, core.ORDER_LINES)
_NAMED = 5


def ometria_sinks(runtime: Runtime) -> tuple[Sink, ...]:
    """The targets at Ometria that the account's settings switch on."""
    said = runtime.account.targets.ometria
    if said is None:
        return ()
    if said.receipts is None or not said.receipts.enabled:
        return (_orders_and_contacts(runtime, said),)
    return _orders_and_contacts(runtime, said), _receipts(runtime, said, said.receipts)


def _orders_and_contacts(runtime: Runtime, said: OmetriaSettings) -> Sink:
    account = runtime.account.name

    def prepare(_: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger) -> Prepared:
        of_dates = table_frame(con, core.ORDERS, dates=dates)
        originals = _orders(con, "order_id", of_dates.select(ORIGINAL_ORDER_ID.alias("id")))
        orders = pl.concat([of_dates, originals]).unique("order_id", keep="first")
        keys = [record_key(number, id_prefix=said.id_prefix) for number in orders["order_id"]]
        handed_over = ledger.of(account, Ometria.name, keys).keys()
        if said.start_date is not None:
            # What was handed over while the setting was an earlier date is kept up to date all the same.
            is_known = pl.Series([key in handed_over for key in keys], dtype=pl.Boolean)
            orders = orders.filter((pl.col("business_date") >= said.start_date) | is_known)
            of_dates = of_dates.filter(pl.col("business_date") >= said.start_date)
        returns = _orders(con, "coalesce(credit_order_id, TRY_CAST(original_sales_order_id AS BIGINT))", orders)
        sales = order_records(
            orders=orders,
            lines=_lines(con, orders),
            returns=returns,
            return_lines=_lines(con, returns),
            handed_over=handed_over,
            id_prefix=said.id_prefix,
            product_id=said.product_id,
            channels={"pos": said.store_channel, "online": "online"},
            unlinked_returns=said.unlinked_returns,
        )
        gone = _gone(con, of_dates, ledger.keys(account, Ometria.name, dates), id_prefix=said.id_prefix)
        contacts = contact_records(
            orders=of_dates, collection=said.collection, id_prefix=said.id_prefix, opt_in=said.opt_in
        )
        return Prepared(contacts.records + sales.records, contacts.messages + sales.messages + gone)

    return Sink(
        name=Ometria.name,
        description="Orders with their returns, and the customers who left an address, handed to Ometria's push API.",
        kinds=frozenset({"api"}),
        reads=_READS,
        is_one_per_date=False,
        start_date=said.start_date,
        open=lambda: Ometria(
            base_url=said.base_url,
            api_key=said.api_key.get_secret_value(),
            requests_per_second=said.requests_per_second,
            reads_per_second=said.reads_per_second,
            errors_wait=said.errors_wait,
            errors_every=said.errors_every,
            verify=said.verify,
            patience=_patience(runtime),
        ),
        prepare=prepare,
    )


def _receipts(runtime: Runtime, said: OmetriaSettings, of: OmetriaReceipts) -> Sink:
    account = runtime.account.name
    sender = Sender(
        name=of.from_name,
        email=of.from_email,
        subject=of.subject,
        stream=of.stream,
        template_id=of.template_id,
        is_sandbox=of.sandbox,
    )

    def prepare(_: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger) -> Prepared:
        orders = table_frame(con, core.ORDERS, dates=dates)
        keys = [receipt_key(number) for number in orders["order_id"]]
        return receipt_records(
            orders=orders,
            lines=_lines(con, orders),
            entries=ledger.of(account, OmetriaReceipt.name, keys),
            since=datetime.now(UTC) - timedelta(days=of.max_age_days),
            sender=sender,
        )

    return Sink(
        name=OmetriaReceipt.name,
        description="A receipt by e-mail to each customer of a till who left an address: once, or not at all.",
        kinds=frozenset({"api", "email"}),
        reads=_READS,
        is_one_per_date=False,
        is_at_most_once=True,
        is_optional=True,
        open=lambda: OmetriaReceipt(
            base_url=said.base_url, api_key=said.api_key.get_secret_value(), patience=_patience(runtime)
        ),
        prepare=prepare,
    )


def _gone(
    con: duckdb.DuckDBPyConnection, of_dates: pl.DataFrame, known: Collection[str], *, id_prefix: str
) -> tuple[str, ...]:
    """Names orders that Ometria may hold and that are not in the warehouse any more.

    Sitoo never deletes an order. One that is gone was refused when it was loaded again, for one, and may be a sale all
    the same: nothing is said to Ometria, which would take away its revenue on a guess.
    """
    begin = record_key(0, id_prefix=id_prefix).removesuffix("0")
    numbers = [int(key.removeprefix(begin)) for key in known if key.startswith(begin) and key[len(begin) :].isdecimal()]
    absent = pl.DataFrame({"id": numbers}, schema={"id": pl.Int64}).join(
        of_dates, left_on="id", right_on="order_id", how="anti"
    )
    elsewhere = _orders(con, "order_id", absent)
    gone = sorted(absent.join(elsewhere, left_on="id", right_on="order_id", how="anti")["id"])
    if not gone:
        return ()
    named = f"{', '.join(map(str, gone[:_NAMED]))}{', ...' if len(gone) > _NAMED else ''}"
    return (
        f"{len(gone)} orders were handed over and are not in the warehouse any more ({named}): they stay at Ometria as "
        "they are; look for them in meta.quarantine and in Sitoo",
    )


def _patience(runtime: Runtime) -> Patience:
    http = runtime.account.http
    return Patience(attempts=http.attempts, timeout=http.read_timeout, longest_wait=http.wait_max)


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
