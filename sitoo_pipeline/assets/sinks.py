"""Deliveries as assets: each target gets the dates of the run, and the UI shows what became of every record.

What a target is and how it is spoken to is in ``sinks``. Dagster never retries a delivery by itself: the ledger knows
what has to go out again, and the next run sends just that.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.days import DayMetadata, run_days
from sitoo_pipeline.assets.metadata import NOTES
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import BACKFILL, OWNER, key
from sitoo_pipeline.assets.targets import Dates, Sink
from sitoo_pipeline.sinks import Ledger, Report, deliver


class NotDeliveredError(RuntimeError):
    """A target did not take everything. What it did take is recorded, and the next run sends the rest."""

    safe_to_show = True


def sink_key(account: str, name: str) -> dg.AssetKey:
    """A target, as the asset that it is to us."""
    return dg.AssetKey([account, "sinks", name])


def sink_asset(runtime: Runtime, sink: Sink, partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The deliveries of each business date to one target."""
    account = runtime.account.name

    @dg.multi_asset(
        name=f"{account}__sinks__{sink.name}",
        specs=[
            dg.AssetSpec(
                key=sink_key(account, sink.name),
                deps=[key(account, table) for table in sink.reads],
                description=sink.description,
                group_name=f"{account}_sinks",
                owners=[OWNER],
                kinds=set(sink.kinds),
                tags={"account": account, "layer": "sinks"},
            )
        ],
        partitions_def=partitions_def,
        backfill_policy=BACKFILL,
    )
    def delivery(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        def work(dates: Dates) -> DayMetadata:
            by_date = {}
            for day in dates:
                report = deliver_dates(runtime, sink, [day], run_id=context.run.run_id)
                for message in report.messages:
                    context.log.warning(f"{day}: {message}")
                by_date[day] = report_metadata(report)
            return {sink_key(account, sink.name): by_date}

        yield from run_days(
            context, keys=[sink_key(account, sink.name)], chunk_days=1, work=work, on_failure=lambda _dates, _why: None
        )

    return delivery


def deliver_dates(
    runtime: Runtime, sink: Sink, dates: Dates, *, run_id: str, dry_run: bool = False, force: bool = False
) -> Report:
    """Hand the records of ``dates`` to the target.

    Raises:
        NotDeliveredError: something is neither delivered nor knowingly rejected.
    """
    runtime.account.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with sink.open() as target, Ledger(runtime.account.deliveries_url.get_secret_value()) as ledger:
        with runtime.warehouse.connect() as con:
            prepared = sink.prepare(target, con, dates, ledger)
        report = deliver(
            target=target,
            records=prepared.records,
            ledger=ledger,
            account=runtime.account.name,
            run_id=run_id,
            dry_run=dry_run,
            force=force,
            messages=prepared.messages,
            noted=prepared.counts,
        )
    if report.failed:
        raise NotDeliveredError(
            f"{sink.name}: {report.retry + report.unknown} of {report.planned} records were not delivered; "
            f"the next run sends them. {'; '.join(report.messages)}"
        )
    return report


def report_metadata(report: Report) -> dict[str, Any]:
    """Counts per state, the target's own figures, and what was left out."""
    notes = {NOTES: "; ".join(report.messages)} if report.messages else {}
    return {
        **notes,
        "records": report.planned + report.unchanged,
        "delivered": report.delivered,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        **report.counts,
    }
