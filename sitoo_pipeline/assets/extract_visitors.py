"""From whoever counts visitors to ``raw.visitors``, and which dates were counted again. No dagster here.

A source that cannot be read keeps no sales from anybody: what was loaded stays, and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sitoo_pipeline.assets.extract import Extracted
from sitoo_pipeline.assets.landing import prune, remove
from sitoo_pipeline.assets.runtime import Runtime, chunks
from sitoo_pipeline.assets.visitor_sources import UnreadableError, read_visitors
from sitoo_pipeline.tables import raw
from sitoo_pipeline.transforms import date_in_zone
from sitoo_pipeline.transforms.visitor_counts import RefusedCount
from sitoo_pipeline.warehouse import Found, counts_that_differ, keep_counts, load_counts, loaded_dates
from sitoo_pipeline.warehouse.rules import Violation
from sitoo_pipeline.warehouse.staging import Refused

MOST_DAYS = 100
"""Days that Sitoo's answer about a custom metric can hold."""


def extract_visitors(runtime: Runtime, dates: Sequence[date], *, run_id: str) -> Extracted:
    """Read and load the visitors of ``dates``, which follow each other.

    Raises:
        SitooError: Sitoo could not be asked; nothing was loaded and the last good rows stay.
        WarehouseLockedError: the warehouse stayed open elsewhere.
    """
    started_at, landing = datetime.now(UTC), runtime.account.landing_folder
    try:
        read = read_visitors(runtime, dates, started_at)
    except UnreadableError as why:
        loaded = keep_counts(runtime.warehouse, raw.VISITORS, dates=dates, run_id=run_id, started_at=started_at)
        return Extracted(loaded, 0, 0, frozenset(), (str(why),))
    loaded = load_counts(
        runtime.warehouse,
        raw.VISITORS,
        read.rows,
        dates=dates,
        refused=[(count.day, _for_quarantine(count, read.landed)) for count in read.refused],
        run_id=run_id,
        started_at=started_at,
        landing_folder=read.folder.relative_to(landing).as_posix() if read.folder.exists() else None,
        requests=read.requests,
        unknown_fields=read.unknown_fields,
    )
    if not read.unknown_fields and not any(part.changed or part.quarantined for part in loaded.values()):
        remove(read.folder)
    prune(landing, raw.VISITORS.name, keep_days=runtime.account.landing_retention_days, now=datetime.now(UTC))
    return Extracted(loaded, read.records, read.requests, read.unknown_fields)


def _for_quarantine(count: RefusedCount, bodies: dict[str, str]) -> Refused:
    return Refused(
        violation=Violation(count.rule, count.path),
        object_key=count.where,
        payload=count.given,
        landing_file=bodies[count.source],
    )


def late_visitors(runtime: Runtime, at: datetime) -> Found:
    """The last days, today included, of which other visitors are known than they were loaded with."""
    today = date_in_zone(at, runtime.account.timezone)
    recent = {today - timedelta(days=back) for back in range(runtime.account.reread_days + 1)}
    with runtime.warehouse.connect() as con:
        known = sorted(recent & loaded_dates(con, raw.VISITORS))
    found = Found()
    for dates in chunks(known, MOST_DAYS):
        try:
            read = read_visitors(runtime, dates, at)
        except UnreadableError:  # the next load says so
            break
        remove(read.folder)
        refused: dict[date, set[str]] = {}
        for count in read.refused:
            refused.setdefault(count.day or dates[0], set()).add(count.given)
        differ = counts_that_differ(runtime.warehouse, raw.VISITORS, read.rows, dates=dates, refused=refused)
        found = Found(
            dates=found.dates | differ, records=found.records + read.records, requests=found.requests + read.requests
        )
    return found
