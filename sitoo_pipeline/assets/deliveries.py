"""Some dates to one target: records made from the warehouse, handed over or only compared. No dagster here.

What becomes of a record is in ``sinks``; what a target's records are made from is in ``targets``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import duckdb

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.sinks import Ledger, Report, deliver
from sitoo_pipeline.warehouse.ledger import loaded_dates


class NotDeliveredError(RuntimeError):
    """A target did not take everything. What it did take is recorded, and the next run sends the rest."""

    safe_to_show = True

    def __init__(self, report: Report) -> None:
        self.report = report
        number, of = report.retry + report.unknown, report.planned + report.unchanged
        super().__init__(
            f"{report.target}: {number} of {of} records were not delivered; the next run sends them, unless a message "
            f"says otherwise. {'; '.join(report.messages)}"
        )


class NotLoadedError(RuntimeError):
    """There is nothing to make the records of a date from."""

    safe_to_show = True

    def __init__(self, day: object) -> None:
        super().__init__(
            f"{day} is not loaded, so nothing was handed over: load it first, with 'sitoo-pipeline backfill'"
        )


def deliver_dates(
    runtime: Runtime, sink: Sink, dates: Dates, *, run_id: str, force: bool = False, rejected: bool = False
) -> Report:
    """Hand the records of ``dates`` to the target; arguments as ``sinks.deliver``.

    Raises:
        NotLoadedError: a date was never loaded. Nothing was handed over: what the target has of it stays.
        NotDeliveredError: something is neither delivered nor knowingly rejected or held.
    """
    account = runtime.account
    account.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        kept = timedelta(days=account.rejected_retention_days)
        ledger.forget_payloads(account.name, before=datetime.now(UTC) - kept)
        report = _deliver(runtime, sink, dates, ledger, run_id=run_id, force=force, rejected=rejected)
    if report.failed:
        raise NotDeliveredError(report)
    return report


def tied_dates(runtime: Runtime, sink: Sink, dates: Dates) -> Dates:
    """The further dates that may have changed for the target with ``dates``, of those that it was given before."""
    if sink.also is None:
        return ()
    with runtime.warehouse.connect() as con:
        tied = set(sink.also(con, dates)) - set(dates)
        for table in sink.reads:
            tied &= loaded_dates(con, table) if table.partition else tied
    with Ledger.to_look_at(runtime.account.deliveries_url.get_secret_value()) as ledger:
        return sorted(ledger.counts(runtime.account.name, sink.name, tied))


def compare_dates(runtime: Runtime, sink: Sink, dates: Dates, *, force: bool = False, rejected: bool = False) -> Report:
    """What ``deliver_dates`` would send, and how that differs from what the target holds; nothing is sent or written.

    Raises:
        NotLoadedError: a date was never loaded.
    """
    with Ledger.to_look_at(runtime.account.deliveries_url.get_secret_value()) as ledger:
        return _deliver(runtime, sink, dates, ledger, run_id="", force=force, rejected=rejected, dry_run=True)


def _deliver(
    runtime: Runtime, sink: Sink, dates: Dates, ledger: Ledger, *, run_id: str, dry_run: bool = False, **how: bool
) -> Report:
    with sink.open() as target:
        with _warehouse(runtime, dates, is_read=dry_run) as con:
            _check_loaded(con, sink, dates)
            prepared = sink.prepare(target, con, dates, ledger)
        return deliver(
            target=target,
            records=prepared.records,
            ledger=ledger,
            account=runtime.account.name,
            run_id=run_id,
            dry_run=dry_run,
            messages=prepared.messages,
            noted=prepared.counts,
            **how,
        )


@contextmanager
def _warehouse(runtime: Runtime, dates: Dates, *, is_read: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    if not runtime.account.warehouse_path.exists():
        raise NotLoadedError(min(dates))
    if is_read:
        with runtime.warehouse.look() as (con, _):
            yield con
    else:
        with runtime.warehouse.connect() as con:
            yield con


def _check_loaded(con: duckdb.DuckDBPyConnection, sink: Sink, dates: Dates) -> None:
    """An empty table would look like a date without sales, and what the target has of it would be taken back."""
    if not con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()[0][0]:
        raise NotLoadedError(min(dates))
    for table in sink.reads:
        if table.partition and (absent := set(dates) - loaded_dates(con, table)):
            raise NotLoadedError(min(absent))
