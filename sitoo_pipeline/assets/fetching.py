"""From Sitoo to disk, dated objects: which window to ask for, and fetching the next dates while the last are loaded.

A window is wider than the dates it is for, because an order is dated in the zone of its till and nobody knows
beforehand in which zones the tills stand; the loader keeps what belongs to the dates. No dagster here; loading is in
``extract``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from types import TracebackType
from typing import Self

from sitoo_pipeline.assets.landing import fetch_folder, remove
from sitoo_pipeline.assets.pieces import days_at_once
from sitoo_pipeline.assets.runtime import Runtime, chunks
from sitoo_pipeline.sitoo import RESOURCES, Landed, Page, Scope, SitooClient, Window, land, newest_id
from sitoo_pipeline.tables import raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.transforms import Places

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


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What Sitoo has of some dates, on disk and not loaded yet.

    Attributes:
        dates: The dates.
        landed: The bodies with every object of the dates.
        places: Where sales can happen, as the reference tables said when the fetch began.
        newest: The highest id that Sitoo had before anything was fetched; None where nobody asked, or there is none.
        started_at: When the first of the bodies was asked for, or before.
        is_part: Whether there are other dates that are fetched in the same run.
    """

    dates: tuple[date, ...]
    landed: Landed
    places: Places
    newest: int | None
    started_at: datetime
    is_part: bool


class Fetcher:
    """Fetches the dates of one table piece by piece, the next piece while the caller loads the one before.

    What is given is cut into smaller pieces where there is much of it, so that loading begins soon, needs little memory
    and ends soon after the last answer.

    The windows of pieces that follow each other overlap by more than a day. What lies there is fetched once: the pages
    that reach into the next window are passed on to it. Nothing keeps the warehouse open while Sitoo is waited for.

    Use as a context: at its end a fetch under way is stopped, and what was fetched and not taken is removed.
    """

    def __init__(
        self, runtime: Runtime, table: RawTable, pieces: Sequence[Sequence[date]], *, asks_newest: bool = True
    ) -> None:
        """Prepare to fetch ``pieces`` in their order, without asking yet; what is the newest id only where wanted."""
        self._runtime = runtime
        self.table = table
        self._asks_newest = asks_newest and RESOURCES[table.name].paging == "id_cursor"
        self._pieces = deque(tuple(piece) for piece in pieces)
        self._number = sum(map(len, self._pieces))
        self._ahead: tuple[tuple[date, ...], Future[Fetched]] | None = None
        self._stop = Event()
        self._open = ExitStack()
        self._began_at: datetime | None = None
        self._per_day: float | None = None
        self._client: SitooClient
        self._places: Places
        self._scope: Scope
        self._newest: int | None

    def __enter__(self) -> Self:
        self._thread = self._open.enter_context(ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch-ahead"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._open:
            if self._ahead is not None and not self._ahead[1].cancel():
                # What went wrong with dates that nobody asked for any more is nobody's business.
                with suppress(Exception):
                    remove(self._ahead[1].result().landed.folder)

    def pieces(self) -> Iterator[tuple[date, ...]]:
        """The dates to take next, until every date has been among them; also of one who has given up taking them."""
        given: set[date] = set()
        while self._ahead is not None or self._pieces:
            dates = self._ahead[0] if self._ahead is not None else self._next_dates()
            yield dates
            given.update(dates)
            is_ahead = self._ahead is not None and self._ahead[0] == dates
            if is_ahead or (self._pieces and self._pieces[0][: len(dates)] == dates):
                yield from filter(None, (tuple(day for day in piece if day not in given) for piece in [*self._pieces]))
                return

    def take(self, dates: Sequence[date]) -> Fetched:
        """What Sitoo has of ``dates``: the next piece, or any other dates, which are then fetched now.

        Raises:
            SitooError: the fetch failed.
            WarehouseLockedError: the places could not be read; nothing was fetched.
        """
        wanted = tuple(dates)
        self._begin()
        if self._ahead is None and self._pieces and self._pieces[0][: len(wanted)] == wanted:
            self._fetch_ahead(wanted, None)
        if self._ahead is None or self._ahead[0] != wanted:
            return self._fetch(wanted, window(self._runtime, self.table, wanted), datetime.now(UTC))
        try:
            fetched = self._ahead[1].result()
        except Exception:  # an interrupt leaves it to the end of the context to wait for the fetch
            self._ahead = None
            raise
        self._ahead = None
        if self._pieces:
            self._fetch_ahead(self._next_dates(), fetched)
        return fetched

    def _begin(self) -> None:
        """Once: read what is needed of the warehouse, and ask what the newest id is."""
        if self._began_at is not None:
            return
        began_at = datetime.now(UTC)
        with self._runtime.warehouse.connect() as con:
            self._places, self._scope = self._runtime.places(con), self._runtime.scope(con)
        self._client = self._open.enter_context(self._runtime.sitoo())
        resource = RESOURCES[self.table.name]
        self._newest = newest_id(self._client, resource, self._scope) if self._asks_newest else None
        self._began_at = began_at

    def _next_dates(self) -> tuple[date, ...]:
        """The first days that were not asked for yet, as many as shall be fetched at once."""
        first = self._pieces[0]
        if self.table is raw.Z_REPORTS:  # as in ``pieces_of``
            return first
        return first[: days_at_once(self._pieces, self._per_day)]

    def _fetch_ahead(self, dates: tuple[date, ...], before: Fetched | None) -> None:
        """Begin to fetch ``dates``, with which the pieces begin; ``before`` is what was fetched before them."""
        assert self._began_at is not None
        rest = self._pieces.popleft()[len(dates) :]
        if rest:
            self._pieces.appendleft(rest)
        whole = window(self._runtime, self.table, dates)
        asked, passed_on, expected = whole, list[Page](), 0
        if before is not None:
            # Half as busy as the dates before is a safe guess.
            expected = int((self._per_day or 0) * len(dates) / 2)
            end = window(self._runtime, self.table, before.dates).end
            if end is not None and whole.end is not None and whole.start < end < whole.end:
                asked = Window(start=end, end=whole.end)
                passed_on = before.landed.pages_from(whole.first_second)
        self._ahead = dates, self._thread.submit(self._fetch, dates, asked, self._began_at, passed_on, expected)

    def _fetch(
        self,
        dates: tuple[date, ...],
        asked: Window,
        started_at: datetime,
        before: Sequence[Page] = (),
        expected_records: int = 0,
    ) -> Fetched:
        span = f"{min(dates)}--{max(dates)}"
        landed = land(
            client=self._client,
            resource=RESOURCES[self.table.name],
            window=asked,
            scope=self._scope,
            folder=fetch_folder(self._runtime.account.landing_folder, self.table.name, span, started_at),
            shape=self.table.shape,
            clock=self.table.clock,
            before=before,
            expected_records=expected_records,
            stop=self._stop,
            arrived=self._runtime.activity.arrived if self.table is raw.ORDERS else None,
        )
        if asked.end is not None:
            self._per_day = landed.records / ((asked.end - asked.start) / timedelta(days=1))
        return Fetched(
            dates=dates,
            landed=landed,
            places=self._places,
            newest=self._newest,
            started_at=started_at,
            is_part=self._number > len(dates),
        )
