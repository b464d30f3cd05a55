"""The webhooks of the settings, each as a target of its own. No dagster here."""

from __future__ import annotations

import duckdb

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.settings import Webhook as WebhookSettings
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.webhook import Webhook
from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline.warehouse.sources import table_frame

_TABLES: dict[str, Table] = {table.name: table for table in (marts.HOURLY_SALES, marts.DAILY_SALES)}


def webhook_sink(runtime: Runtime, chosen_name: str, said: WebhookSettings) -> Sink:
    """The figures for one receiver."""
    account, name = runtime.account, f"webhook_{chosen_name}"
    tables = tuple(_TABLES[table] for table in said.tables)

    def prepare(target: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger) -> Prepared:
        assert isinstance(target, Webhook)
        return target.prepare(
            {table: table_frame(con, table, dates=dates) for table in tables},
            account=account.name,
            dates=dates,
            known=ledger.keys(account.name, name, dates),
            handed_over=lambda keys: ledger.of(account.name, name, keys),
        )

    return Sink(
        name=name,
        description=f"{' and '.join(said.tables)} posted as signed messages to the webhook {chosen_name!r}.",
        kinds=frozenset({"webhook"}),
        reads=tables,
        is_one_per_date=False,
        open=lambda: Webhook(
            name,
            url=said.url,
            secret=said.secret.get_secret_value(),
            max_bytes=said.max_bytes,
            attempts=account.http.attempts,
            timeout=account.http.read_timeout,
            longest_wait=account.http.wait_max,
        ),
        prepare=prepare,
    )
