"""The polls as assets: what came late or changed, in the lineage and over time. What a poll asks is in ``polls``."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.days import SAFE_TO_SHOW, reason
from sitoo_pipeline.assets.polls import Poll
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import OWNER, key, source_key, visitors_source_key
from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse import record_poll

FOUND_DATES = "found_dates"
"""Metadata of a poll: the dates that have to be loaded again."""


def change_key(account: str, poll: str) -> dg.AssetKey:
    """A poll, as the asset that it is to us."""
    return dg.AssetKey([account, "changes", poll])


def change_asset(runtime: Runtime, poll: Poll) -> dg.AssetsDefinition:
    """One poll. It loads nothing; the sensor and the command line take the dates that it found through the stages."""
    account = runtime.account.name
    sources = [
        visitors_source_key(runtime.account) if table is raw.VISITORS else source_key(account, table.name)
        for table in poll.tables
    ]

    @dg.asset(
        key=change_key(account, poll.name),
        deps=[*sources, *(key(account, table) for table in poll.tables)],
        description=f"{poll.description} Made each {poll.every}; names the dates to load again.",
        group_name=f"{account}_changes",
        owners=[OWNER],
        kinds={"api", "duckdb"},
        tags={"account": account, "layer": "changes"},
    )
    def polled(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        started_at = datetime.now(UTC)
        try:
            found = poll.find(runtime, started_at)
            with runtime.warehouse.connect() as con:
                record_poll(con, poll.name, found, started_at=started_at, run_id=context.run.run_id)
        except SAFE_TO_SHOW as error:
            raise dg.Failure(f"{poll.name}: {reason(error, run_id=context.run.run_id)}", allow_retries=False) from error
        return dg.MaterializeResult(
            metadata={
                FOUND_DATES: dg.MetadataValue.json([day.isoformat() for day in sorted(found.dates)]),
                "dates": len(found.dates),
                "records": found.records,
                "requests": found.requests,
                **({"asked_from": found.asked_from} if found.asked_from is not None else {}),
            }
        )

    return polled


def found_dates(metadata: dict[str, dg.MetadataValue[Any]]) -> set[date]:
    """The dates that the materialization of a poll names."""
    said = metadata.get(FOUND_DATES)
    return {date.fromisoformat(day) for day in said.value} if said and isinstance(said.value, list) else set()
