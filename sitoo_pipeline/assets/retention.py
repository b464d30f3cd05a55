"""What is kept of an account, and for how long: landed bodies, deliveries, loads, copies. No dagster here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from sitoo_pipeline.assets.landing import prune
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sqlite_space import give_back
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.database import sqlite_file
from sitoo_pipeline.transforms import date_in_zone
from sitoo_pipeline.warehouse.migrations import copies
from sitoo_pipeline.warehouse.retention import forget_history

GIVEN_BACK = "bytes_given_back"
"""What SQLite files are smaller by, beside the counts of what went."""


def forget(runtime: Runtime, now: datetime) -> dict[str, int]:
    """Remove what is older than the settings of the account keep it, and say how many of each.

    Raises:
        WarehouseLockedError: the warehouse stayed open elsewhere; what is beside it was removed.
        DatabaseUrlError: the ledger's URL cannot be used.
        sqlalchemy.exc.OperationalError: the ledger does not answer.
    """
    account = runtime.account
    if not account.folder.exists():
        return {}
    gone = {"landed_fetches": 0, "copies": 0}
    tables = sorted(account.landing_folder.glob("*/"))
    for table in tables:
        keep_days = account.landing_retention_days
        gone["landed_fetches"] += len(prune(account.landing_folder, table.name, keep_days=keep_days, now=now))
    for copy in copies(account.warehouse_path):
        if datetime.fromtimestamp(copy.stat().st_mtime, UTC) < now - timedelta(days=account.landing_retention_days):
            copy.unlink()
            gone["copies"] += 1
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        oldest = date_in_zone(now, account.timezone) - timedelta(days=account.deliveries_retention_days)
        gone["deliveries"] = ledger.forget(account.name, before=oldest)
        kept = timedelta(days=account.rejected_retention_days)
        gone["rejected_payloads"] = ledger.forget_payloads(account.name, before=now - kept)
    if ledger_file := sqlite_file(sa.make_url(account.deliveries_url.get_secret_value())):
        gone[GIVEN_BACK] = give_back(ledger_file)
    if account.warehouse_path.exists():
        with runtime.warehouse.connect() as con:
            gone |= forget_history(con, before=now - timedelta(days=account.history_retention_days))
    return gone
