"""The dates of a run, each for itself: what could be done is done and reported, what failed is named.

Dagster records a range run as one success or one failure. Here every date that was committed gets its own
materialization before the step fails, so that the status of each partition is true and the next backfill of "failed and
missing" takes up just the rest.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.runtime import chunks
from sitoo_pipeline.sitoo.errors import BadRequest, CredentialsRefused, SitooError, Unreachable
from sitoo_pipeline.warehouse import WarehouseLockedError, WarehouseVersionError
from sitoo_pipeline.warehouse.frames import SchemaMismatchError

Metadata = dict[str, Any]
DayMetadata = Mapping[dg.AssetKey, Mapping[date, Metadata]]
Work = Callable[[Sequence[date]], DayMetadata]
Pieces = Callable[[list[date]], AbstractContextManager[Iterable[Sequence[date]]]]
"""Takes the dates of a run in pieces; what is open in it stays open from the first piece to the last."""

SAME_FOR_EVERY_DATE = (CredentialsRefused, BadRequest, Unreachable, WarehouseLockedError, WarehouseVersionError)
"""Failures that the next date would meet as well: the other dates are not tried."""

SAFE_TO_SHOW = (SitooError, WarehouseLockedError, WarehouseVersionError, SchemaMismatchError)
"""Errors whose texts are written to be shown; of any other only the type and the place are."""


@dataclass
class Days:
    """What became of the dates of one step."""

    done: dict[dg.AssetKey, dict[date, Metadata]] = field(default_factory=dict)
    failed: dict[date, str] = field(default_factory=dict)
    stopped: str | None = None

    def add(self, found: DayMetadata) -> None:
        """Take in what some dates became."""
        for key, by_date in found.items():
            self.done.setdefault(key, {}).update(by_date)


def reason(error: BaseException, *, run_id: str) -> str:
    """Why it failed, on one line and without anything that must not be shown."""
    if isinstance(error, SAFE_TO_SHOW) or getattr(error, "safe_to_show", False):
        return " ".join(str(error).split())
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.name} ({Path(place.filename).name}:{place.lineno})"
    return f"{type(error).__name__} in {where}; see the log of Dagster run {run_id}"


def by_days(size: int) -> Pieces:
    """Pieces of at most so many dates that follow each other."""
    return lambda dates: nullcontext(chunks(dates, size))


def run_days(
    context: dg.AssetExecutionContext,
    *,
    keys: Sequence[dg.AssetKey],
    pieces: Pieces,
    work: Work,
    on_failure: Callable[[Sequence[date], str], None],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Do ``work`` for the partitions of the run, a piece at a time, and date by date where a piece fails.

    Args:
        context: The step's context.
        keys: The assets that the step materializes.
        pieces: Says which dates are given to ``work`` at once.
        work: Does what is to be done for some dates, and returns metadata per asset and date. Its effects must be whole
            for each date or none.
        on_failure: Is told of the dates that failed, and why.

    Yields:
        A result for each asset, where every date was done.

    Raises:
        dg.Failure: names each date that failed and why. The other dates are committed and recorded.
    """
    days = Days()
    dates = [date.fromisoformat(key) for key in context.partition_keys]
    try:
        with pieces(dates) as parts:
            for part in parts:
                _run_piece(context, days, part, work)
    except SAME_FOR_EVERY_DATE as error:
        days.failed |= dict.fromkeys(dates, reason(error, run_id=context.run.run_id))
    planned = set() if days.failed else set(context.partition_keys)
    for key, by_date in days.done.items():
        for day, metadata in by_date.items():
            if day.isoformat() in planned:
                context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
            else:
                # Dagster makes no event for it: the step fails, or the date was tied to those of the run.
                context.log_event(dg.AssetMaterialization(key, partition=day.isoformat(), metadata=metadata))
    if not days.failed:
        yield from (dg.MaterializeResult(asset_key=key) for key in keys)
        return
    with suppress(WarehouseLockedError, WarehouseVersionError):  # then Dagster's record of the failure is the only one
        for why in dict.fromkeys(days.failed.values()):
            on_failure([day for day, said in days.failed.items() if said == why], why)
    lines = "\n".join(f"{day}: {why}" for day, why in sorted(days.failed.items()))
    raise dg.Failure(
        description=f"{len(days.failed)} of {len(context.partition_keys)} dates failed; the others are done.\n{lines}",
        metadata={"failed_dates": dg.MetadataValue.json({str(day): why for day, why in sorted(days.failed.items())})},
        allow_retries=False,
    )


def _run_piece(context: dg.AssetExecutionContext, days: Days, piece: Sequence[date], work: Work) -> None:
    if days.stopped:
        days.failed.update(dict.fromkeys(piece, days.stopped))
        return
    try:
        days.add(work(piece))
    except SAME_FOR_EVERY_DATE as error:
        days.stopped = reason(error, run_id=context.run.run_id)
        days.failed.update(dict.fromkeys(piece, days.stopped))
    except Exception as error:
        why = reason(error, run_id=context.run.run_id)
        context.log.error(f"{piece[0]} to {piece[-1]}: {why}")
        if not isinstance(error, SAFE_TO_SHOW):
            context.log.debug("".join(traceback.format_tb(error.__traceback__)))
        if len(piece) == 1:
            days.failed[piece[0]] = why
            return
        for day in piece:
            _run_piece(context, days, [day], work)
