"""Which window Sitoo is asked for, so that every object of some dates is in the answer. No dagster here.

A window is wider than the dates it is for, because an order is dated in the zone of its till and nobody knows
beforehand in which zones the tills stand; the loader keeps what belongs to the dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sitoo_pipeline.assets.runtime import Runtime, chunks
from sitoo_pipeline.sitoo import Window
from sitoo_pipeline.tables import raw
from sitoo_pipeline.tables.raw import RawTable

EARLIEST_ZONE = timedelta(hours=14)
LATEST_ZONE = timedelta(hours=12)
"""The local date begins at most 14 hours before the UTC date and ends at most 12 hours after it."""

CLOCK_SKEW = timedelta(days=7)
"""A till's clock may run ahead of the server's, so a z-report can be added before it says that it was closed."""


def window(runtime: Runtime, table: RawTable, dates: Sequence[date]) -> Window:
    """The span to ask Sitoo for, so that every object of ``dates`` is in the answer.

    Orders carry the zone of their till, so the span covers the dates in every zone of the world. Z-reports and
    warehouse transactions are dated in zones that the settings name. A z-report is asked for by the time it reached
    Sitoo, which may be months after it was closed, so that span has no end.
    """
    first, last = min(dates), max(dates) + timedelta(days=1)
    if table is raw.ORDERS:
        midnight = time(tzinfo=UTC)
        return Window(
            start=datetime.combine(first, midnight) - EARLIEST_ZONE, end=datetime.combine(last, midnight) + LATEST_ZONE
        )
    start = min(datetime.combine(first, time(tzinfo=zone)) for zone in runtime.zones)
    if table is raw.Z_REPORTS:
        return Window(start=start - CLOCK_SKEW, end=None)
    return Window(start=start, end=max(datetime.combine(last, time(tzinfo=zone)) for zone in runtime.zones))


def pieces_of(runtime: Runtime, table: RawTable, dates: Iterable[date]) -> list[list[date]]:
    """``dates`` in pieces that ``Fetcher`` takes: of at most ``chunk_days`` that follow each other.

    Z-reports go in one as far as they follow each other: their windows have no end, so that a second fetch would bring
    most of the first again.
    """
    days = sorted(dates)
    return chunks(days, len(days) if table is raw.Z_REPORTS else runtime.account.chunk_days)
