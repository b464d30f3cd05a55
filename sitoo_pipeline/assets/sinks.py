"""Deliveries as assets: each target gets the dates of the run, and the UI shows what became of every record.

What a target is and how it is spoken to is in ``sinks``. Dagster never retries a delivery by itself: the ledger knows
what has to go out again, and the next run sends just that.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from sitoo_pipeline.assets.days import DayMetadata, Work, by_days, run_days
from sitoo_pipeline.assets.deliveries import Handover, NotDeliveredError, NotLoadedError
from sitoo_pipeline.assets.metadata import NOTES
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.assets.specs import BACKFILL, OWNER, key
from sitoo_pipeline.assets.targets import as_wanted
from sitoo_pipeline.sinks import VERDICTS, Change, Report, Settlement, State
from sitoo_pipeline.sinks.samesystem import SameSystem

OVERWRITE_APPROVED = "overwrite_approved"
"""Tag of a run, ``true`` or ``false``: whether SameSystem's confirmed days and approved weeks are reopened in it. It
goes before the settings, and can be given in the UI's dialogs for backfills and runs."""

_LISTED = 20
"""Records that are listed by themselves where they are shown."""


class DeliveryConfig(dg.Config):
    """How a period is handed over; in the Launchpad of a sink, an analyst says so by hand."""

    dry_run: bool = Field(default=False, description="Only find out what would be sent; it is in the run's log")
    force: bool = Field(default=False, description="Send everything, also what the target has already or refused")
    rejected: bool = Field(default=False, description="Send also what the target refused before")
    settle: str = Field(
        default="",
        description="Of records in doubt (unknown, pending), what somebody found out: 'delivered', 'retry' (it is not "
        "there, send it) or 'rejected' (it is not there, and is not to be sent; an e-mail in retry too, by its key)",
    )
    settle_keys: list[str] = Field(default=[], description="Only these records; all in doubt where it is empty")
    settle_by: str = Field(default="", description="Who found it out")
    settle_why: str = Field(default="", description="How; it is kept with the record")


def overwriting(wanted: bool | None) -> dict[str, str]:  # noqa: FBT001
    """The tags of a run for which somebody decides about approved weeks; none where the settings do."""
    return {} if wanted is None else {OVERWRITE_APPROVED: str(wanted).lower()}


def _is_overwriting(tags: Mapping[str, str]) -> bool | None:
    """What the run's tag says.

    Raises:
        dg.Failure: it says neither yes nor no. Nothing was handed over.
    """
    said = tags.get(OVERWRITE_APPROVED)
    if said is not None and said not in ("true", "false"):
        raise dg.Failure(
            description=f"the run's tag {OVERWRITE_APPROVED} is {said!r}: write true or false, or leave it away",
            allow_retries=False,
        )
    return None if said is None else said == "true"


def sink_key(account: str, name: str) -> dg.AssetKey:
    """A target, as the asset that it is to us."""
    return dg.AssetKey([account, "sinks", name])


def sink_op(account: str, name: str) -> str:
    """The step's name, under which a run's configuration names it."""
    return f"{account}__sinks__{name}"


def sink_asset(runtime: Runtime, sink: Sink, partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The deliveries of each business date to one target."""
    account = runtime.account.name
    asset_key = sink_key(account, sink.name)

    @dg.multi_asset(
        name=sink_op(account, sink.name),
        specs=[
            dg.AssetSpec(
                key=asset_key,
                deps=[key(account, table) for table in sink.reads],
                description=sink.description,
                group_name=f"{account}_sinks",
                owners=[OWNER],
                kinds=set(sink.kinds),
                tags={"account": account, "layer": "sinks"},
                skippable=True,  # a dry run delivers nothing
            )
        ],
        partitions_def=partitions_def,
        backfill_policy=BACKFILL,
    )
    def delivery(context: dg.AssetExecutionContext, config: DeliveryConfig) -> Iterator[dg.MaterializeResult[Any]]:
        wanted = _is_overwriting(context.run.tags)
        if wanted is not None and sink.name == SameSystem.name:
            context.log.info(f"{OVERWRITE_APPROVED} is {str(wanted).lower()} for this run")
        with Handover(runtime, as_wanted(runtime, sink, wanted)) as handover:
            if config.dry_run:
                _compare(context, asset_key, handover, config)
                return
            if config.settle:
                _settle(context, handover, config)
            yield from run_days(
                context,
                keys=[asset_key],
                pieces=by_days(1),
                work=runtime.activity.counting(
                    [".".join(asset_key.path[1:])], _work(context, asset_key, handover, config)
                ),
                on_failure=lambda _dates, _why: None,
            )

    return delivery


def _work(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, handover: Handover, config: DeliveryConfig
) -> Work:
    """Hands dates over, and those that are tied to them."""

    def work(dates: Dates) -> DayMetadata:
        by_date = {}
        for day in (*dates, *handover.tied(dates)):
            try:
                report = handover.hand_over(
                    [day], run_id=context.run.run_id, force=config.force, rejected=config.rejected
                )
            except NotDeliveredError as error:
                _observe(context, asset_key, day, report_metadata(error.report))
                raise
            for message in report.messages:
                context.log.warning(f"{day}: {message}")
            if day in dates or report.planned:
                by_date[day] = report_metadata(report)
        return {asset_key: by_date}

    return work


def _settle(context: dg.AssetExecutionContext, handover: Handover, config: DeliveryConfig) -> None:
    """Note what somebody found out about records in doubt, before anything is handed over.

    Raises:
        dg.Failure: it is not said what, by whom or why.
    """
    if config.settle not in VERDICTS or not config.settle_by.strip() or not config.settle_why.strip():
        raise dg.Failure(
            description=f"settle takes one of {', '.join(VERDICTS)}, together with settle_by and settle_why",
            allow_retries=False,
        )
    said = Settlement(State(config.settle), config.settle_by, config.settle_why, tuple(config.settle_keys))
    found = handover.settle(
        [date.fromisoformat(key) for key in context.partition_keys], said, run_id=context.run.run_id
    )
    for entry in found.settled:
        context.log.info(f"{entry.partition}: {entry.key}: {said.words}")
    for message in found.messages or (() if found.settled else ("nothing is in doubt",)):
        context.log.warning(message)


def _compare(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, handover: Handover, config: DeliveryConfig
) -> None:
    """What would be sent of each date, into the log and an observation.

    Raises:
        dg.Failure: a date is not loaded, or some could not be compared with the target.
    """
    unread: dict[str, str] = {}
    for day in map(date.fromisoformat, context.partition_keys):
        try:
            report = handover.compare([day], force=config.force, rejected=config.rejected)
        except NotLoadedError as error:
            raise dg.Failure(description=f"{day}: {error.not_compared}", allow_retries=False) from None
        _log_comparison(context, day, report)
        _observe(context, asset_key, day, comparison_metadata(report))
        unread |= {day.isoformat(): why for why in report.unread}
    if unread:
        listed = "\n".join(f"{day}: {why}" for day, why in unread.items())
        raise dg.Failure(description=f"not compared with the target:\n{listed}", allow_retries=False)


def _observe(context: dg.AssetExecutionContext, asset_key: dg.AssetKey, day: date, metadata: dict[str, Any]) -> None:
    """Show figures with the date where it is not materialized."""
    context.log_event(dg.AssetObservation(asset_key, partition=day.isoformat(), metadata=metadata))


def _log_comparison(context: dg.AssetExecutionContext, day: date, report: Report) -> None:
    unsure = f", {report.unsure} were delivered and cannot be compared" if report.unsure else ""
    context.log.info(f"{day}: {report.planned} records would be sent, {report.unchanged} are unchanged{unsure}")
    for change in report.changes:
        context.log.info("\n  ".join([f"{day}: {change.key}: {change.reason}", *change.details]))
    for message in (*report.messages, *report.unread):
        context.log.warning(f"{day}: {message}")


def report_metadata(report: Report) -> dict[str, Any]:
    """Counts per state, the target's own figures, what was refused and why, and what was left out."""
    said: dict[str, Any] = {NOTES: "; ".join(report.messages)} if report.messages else {}
    states = report.states
    if report.refused:
        said["rejected_records"] = _table(report.refused)
    own = {f"{name}_at_target" if name in states else name: number for name, number in report.counts.items()}
    return said | {"records": report.planned + report.unchanged + report.unsure, **states, **own}


def comparison_metadata(report: Report) -> dict[str, Any]:
    """What a dry run found."""
    notes = [*report.messages, *(f"not compared with the target: {why}" for why in report.unread)]
    said: dict[str, Any] = {NOTES: "; ".join(notes)} if notes else {}
    if report.changes:
        said["would_be_sent"] = _table(report.changes)
    return said | {"records_to_send": report.planned, "records_unchanged": report.unchanged}


def _table(changes: tuple[Change, ...]) -> dg.TableMetadataValue:
    columns = [dg.TableColumn("key"), dg.TableColumn("reason")]
    rows: list[Mapping[str, str]] = [{"key": change.key, "reason": change.reason} for change in changes[:_LISTED]]
    if len(changes) > _LISTED:
        rows.append({"key": "...", "reason": f"and {len(changes) - _LISTED} more"})
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], dg.TableSchema(columns))
