"""The dates of a step to one target: records made from the warehouse, handed over or only compared. No dagster here.

What becomes of a record is in ``sinks``; what a target's records are made from is in ``targets``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import duckdb

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.sinks import Circuit, Ledger, Report, Settlement, State, Target, deliver
from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.restored import doubt_restored
from sitoo_pipeline.sinks.settling import InDoubt, in_doubt, settle
from sitoo_pipeline.warehouse.ledger import loaded_dates_of


class NotDeliveredError(RuntimeError):
    """A target did not take everything. What it did take is recorded, and the next run sends the rest."""

    safe_to_show = True

    def __init__(self, report: Report) -> None:
        self.report = report
        number, of = report.retry + report.unknown, report.planned + report.unchanged + report.unsure
        what = (
            f"{number} of {of} records were not delivered; the next run sends them, unless a message says otherwise"
            if number
            else f"{report.unsure} of {of} records could not be compared with the target; the next run looks again"
        )
        super().__init__(f"{report.target}: {what}. {'; '.join(report.messages)}")


class NotLoadedError(RuntimeError):
    """There is nothing to make the records of a date from. ``not_compared`` says it of a dry run, beside the date."""

    safe_to_show = True

    def __init__(self, day: object) -> None:
        load = "load it first, with 'sitoo-pipeline backfill'"
        self.not_compared = f"not loaded, so there is nothing to compare: {load}"
        super().__init__(f"{day} is not loaded, so nothing was handed over: {load}")


class Handover(Closing):
    """The way to one target, for as many dates as a step has. A context manager.

    The target and the ledger are opened when the first date needs them and stay open: a login, a limit of requests per
    second and the knowledge that nobody answers hold for all dates.
    """

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        """Say what goes where. Nothing is opened yet."""
        self._runtime, self._sink = runtime, sink
        self._account = runtime.account
        self._stack = ExitStack()
        self._opened: tuple[Target, Ledger] | None = None
        self._circuit = Circuit()

    def close(self) -> None:
        """Close what was opened."""
        self._stack.close()

    def hand_over(self, dates: Dates, *, run_id: str, force: bool = False, rejected: bool = False) -> Report:
        """Hand the records of ``dates`` to the target; arguments as ``sinks.deliver``.

        Raises:
            NotLoadedError: a date was never loaded. Nothing was handed over: what the target has of it stays.
            NotDeliveredError: something is neither delivered nor knowingly rejected or held, or what was delivered
                could not be compared with the target.
        """
        self._account.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._opened is None:
            ledger = self._stack.enter_context(Ledger(self._account.deliveries_url.get_secret_value()))
            kept = timedelta(days=self._account.rejected_retention_days)
            ledger.forget_payloads(self._account.name, before=datetime.now(UTC) - kept)
            self._opened = self._stack.enter_context(self._sink.open()), ledger
        report = self._deliver(*self._opened, dates, run_id=run_id, force=force, rejected=rejected)
        if report.failed:
            raise NotDeliveredError(report)
        return report

    def compare(self, dates: Dates, *, force: bool = False, rejected: bool = False) -> Report:
        """What ``hand_over`` would send, and how that differs from what the target holds; it sends and writes nothing.

        Raises:
            NotLoadedError: a date was never loaded.
        """
        if self._opened is None:
            ledger = self._stack.enter_context(Ledger.to_look_at(self._account.deliveries_url.get_secret_value()))
            self._opened = self._stack.enter_context(self._sink.open()), ledger
        return self._deliver(*self._opened, dates, run_id="", force=force, rejected=rejected, dry_run=True)

    def settle(self, dates: Dates, said: Settlement, *, run_id: str) -> InDoubt:
        """Note what somebody says of the records of these dates that are in doubt; the target is not asked."""
        with Ledger(self._account.deliveries_url.get_secret_value()) as ledger:
            name, once = self._sink.name, self._sink.is_at_most_once
            return settle(ledger, self._account.name, name, dates, said, run_id=run_id, is_at_most_once=once)

    def in_doubt(self, dates: Dates, said: Settlement) -> InDoubt:
        """The records of these dates that this would settle."""
        with_retry = self._sink.is_at_most_once and said.verdict is State.REJECTED
        now, name = datetime.now(UTC), self._sink.name
        with Ledger.to_look_at(self._account.deliveries_url.get_secret_value()) as ledger:
            return in_doubt(ledger, self._account.name, name, dates, said.keys, now=now, with_retry=with_retry)

    def tied(self, dates: Dates) -> Dates:
        """The further dates that may have changed for the target with these, of those that it was given before."""
        sink = self._sink
        if sink.also is None:
            return ()
        with self._runtime.warehouse.connect() as con:
            tied = set(sink.also(con, dates)) - set(dates)
            for loaded in loaded_dates_of(con, sink.reads, among=tied).values():
                tied &= loaded
        with Ledger.to_look_at(self._account.deliveries_url.get_secret_value()) as ledger:
            return sorted(ledger.counts(self._account.name, sink.name, tied))

    def _deliver(
        self, target: Target, ledger: Ledger, dates: Dates, *, run_id: str, dry_run: bool = False, **how: bool
    ) -> Report:
        with _warehouse(self._runtime, self._sink, dates, is_read=dry_run) as con:
            _check_loaded(con, self._sink, dates)
            prepared = self._sink.prepare(target, con, dates, ledger)
        name, messages = self._account.name, list(prepared.messages)
        if not how.get("force"):
            messages += doubt_restored(target, ledger, name, prepared.records, run_id=run_id, dry_run=dry_run)
        return deliver(
            target=target,
            records=prepared.records,
            ledger=ledger,
            account=name,
            run_id=run_id,
            dry_run=dry_run,
            messages=messages,
            noted=prepared.counts,
            circuit=self._circuit,
            **how,
        )


@contextmanager
def _warehouse(runtime: Runtime, sink: Sink, dates: Dates, *, is_read: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    if not runtime.account.warehouse_path.exists():
        raise NotLoadedError(min(dates))
    if is_read:
        personal = any(column.personal for table in sink.reads for column in table.columns)
        with runtime.warehouse.look(personal=personal) as (con, _):
            yield con
    else:
        with runtime.warehouse.connect() as con:
            yield con


def _check_loaded(con: duckdb.DuckDBPyConnection, sink: Sink, dates: Dates) -> None:
    """An empty table would look like a date without sales, and what the target has of it would be taken back."""
    if not con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()[0][0]:
        raise NotLoadedError(min(dates))
    for loaded in loaded_dates_of(con, sink.reads, among=dates).values():
        if absent := set(dates) - loaded:
            raise NotLoadedError(min(absent))
