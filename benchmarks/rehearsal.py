"""Which pages of orders a backfill asks for: the pipeline's own paging, over what the server would find.

Only ids go through it, so that it takes no time to speak of.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, date, datetime, time, timedelta

from benchmarks.listing import Listing, Rows
from benchmarks.period import Period
from sitoo_pipeline.assets.pieces import days_at_once
from sitoo_pipeline.assets.runtime import chunks
from sitoo_pipeline.assets.windows import EARLIEST_ZONE, LATEST_ZONE
from sitoo_pipeline.sitoo import RESOURCES, Body, Scope, Window
from sitoo_pipeline.sitoo.body import Expect
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.sitoo.plan import plan

DAYS_PER_RUN = 92  # as in ``operations.execution``, which takes Dagster to import
_DAYS_AT_ONCE = 7
"""As the pipeline cuts a backfill; pages that it asks for otherwise are made when they are asked for."""


class _Rehearsed:
    """Answers with nothing but ids, at once, and notes what was found; ``ahead`` is as many as a landing may begin."""

    def __init__(self, listing: Listing, *, users: int, now: int) -> None:
        self._listing, self._now = listing, now
        self.ahead = 2 * users
        self.found: list[Rows] = []

    def __call__(self, path: str, params: Params, expect: Expect) -> Body:
        query = {name: str(value) for name, value in params.items() if value is not None}
        rows, total = found = self._listing.find(query, now=self._now)
        self.found.append(found)
        items = [{self._listing.cursor: self._listing.first + row} for row in rows]
        return Body(b"", {"totalcount": total, "items": items})

    def begin(self, path: str, params: Params, expect: Expect) -> Future[Body]:
        future: Future[Body] = Future()
        future.set_result(self(path, params, expect))
        return future

    def all_asked(self) -> None:
        """Nobody waits for it: the next piece is rehearsed after this one."""


def rehearse(orders: Listing, period: Period, *, users: int, now: int) -> Iterator[Rows]:
    """What is found by the requests of a backfill of the period by so many API users, at the epoch second ``now``."""
    for first in range(0, period.days, DAYS_PER_RUN):
        days = [period.day(number) for number in range(first, min(first + DAYS_PER_RUN, period.days))]
        left = chunks(days, _DAYS_AT_ONCE)
        end: datetime | None = None
        told: list[float] = []
        while left:
            # A piece is begun when the last but one before it is there, and tells how many to expect.
            per_day = told[max(0, len(told) - 2)] if told else None
            asked = left[0][: days_at_once(left, per_day)]
            left = [part for part in (left[0][len(asked) :], *left[1:]) if part]
            start = _midnight(asked[0]) - EARLIEST_ZONE
            # What lies in the window of the dates before as well is passed on.
            expected = int((per_day or 0) * len(asked) / 2)
            start, end = max(start, end or start), _midnight(asked[-1] + timedelta(days=1)) + LATEST_ZONE
            fetch = _Rehearsed(orders, users=users, now=now)
            (whole,) = plan(
                resource=RESOURCES["orders"],
                window=Window(start=start, end=end),
                scope=Scope(),
                extra={},
                expected_records=expected,
            )
            told.append(sum(len(body.items) for body in whole.pages(fetch)) / ((end - start) / timedelta(days=1)))
            yield from fetch.found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
