"""From Sitoo to disk, dated objects: the next dates are fetched while the last are loaded.

Which window is asked for is in ``windows``, how many dates at once in ``pieces``. No dagster here; loading is in
``extract``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Event
from types import TracebackType
from typing import Self

from sitoo_pipeline.assets.landing import fetch_folder, remove
from sitoo_pipeline.assets.pieces import days_at_once
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.windows import window
from sitoo_pipeline.sitoo import RESOURCES, Landed, Page, Scope, SitooClient, Stopped, Window, land, newest_id
from sitoo_pipeline.tables import raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.transforms import Places

_AHEAD = 2
"""Pieces that are fetched while one is loaded. With one, API users would be idle while a large piece is loaded after
which a small one comes."""


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


@dataclass(kw_only=True, eq=False)
class _Piece:
    """Dates that are being fetched.

    Attributes:
        dates: The dates.
        asked: The window that is asked for: theirs, or its part after what was asked for the dates before.
        goes_on: Whether it is such a part, so that pages are passed on to it.
        reached: The epoch second from which pages are passed on to the dates after these; None where none are.
        all_asked: Set when nothing is left to be asked for, or the fetch is over.
        given_up: Set when nobody wants it any more.
        has_failed: Whether it ended without being whole.
        future: What was fetched, and the pages that are passed on.
    """

    dates: tuple[date, ...]
    asked: Window
    goes_on: bool = False
    reached: int | None = None
    all_asked: Event = field(default_factory=Event)
    given_up: Event = field(default_factory=Event)
    has_failed: bool = False
    future: Future[tuple[Fetched, list[Page]]] = field(init=False)

    def pages(self) -> list[Page]:
        """The pages that are passed on; waits for them."""
        return self.future.result()[1]

    def per_day(self, fetched: Fetched) -> float | None:
        """How many objects came for each day that was asked for; None of a window without an end."""
        if self.asked.end is None:
            return None
        return fetched.landed.records / ((self.asked.end - self.asked.start) / timedelta(days=1))


class Fetcher:
    """Fetches the dates of one table piece by piece, the next pieces while the caller loads the one before.

    What is given is cut into smaller pieces where there is much of it, so that loading begins soon, needs little memory
    and ends soon after the last answer. A piece is begun while the last answers to the one before are awaited, so that
    no API user is idle.

    The windows of pieces that follow each other overlap by more than a day. What lies there is fetched once: the pages
    that reach into the next window are passed on to it. Nothing keeps the warehouse open while Sitoo is waited for.

    Use as a context: at its end fetches under way are stopped, and what was fetched and not taken is removed.
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
        self._ahead: deque[_Piece] = deque()
        self._last: _Piece | None = None
        self._open = ExitStack()
        self._began_at: datetime | None = None
        self._per_day: float | None = None
        self._client: SitooClient
        self._places: Places
        self._scope: Scope
        self._newest: int | None

    def __enter__(self) -> Self:
        pool = ThreadPoolExecutor(max_workers=_AHEAD, thread_name_prefix="fetch-ahead")
        self._threads = self._open.enter_context(pool)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._open:
            self._give_up_ahead()

    def pieces(self) -> Iterator[tuple[date, ...]]:
        """The dates to take next, until every date has been among them; also of one who has given up taking them."""
        given: set[date] = set()
        while self._ahead or self._pieces:
            dates = self._ahead[0].dates if self._ahead else self._next_dates()
            yield dates
            given.update(dates)
            left = [*(piece.dates for piece in self._ahead), *self._pieces]
            if left and left[0][: len(dates)] == dates:  # nobody took them
                yield from filter(None, (tuple(day for day in piece if day not in given) for piece in left))
                return

    def take(self, dates: Sequence[date]) -> Fetched:
        """What Sitoo has of ``dates``: the next piece, or any other dates, which are then fetched now.

        Raises:
            SitooError: the fetch failed.
            WarehouseLockedError: the places could not be read; nothing was fetched.
        """
        wanted = tuple(dates)
        self._begin()
        if not self._ahead and self._pieces and self._pieces[0][: len(wanted)] == wanted:
            self._fetch_ahead(wanted)
        if not self._ahead or self._ahead[0].dates != wanted:
            asked = window(self._runtime, self.table, wanted)
            return self._fetch(_Piece(dates=wanted, asked=asked), datetime.now(UTC))
        piece = self._ahead[0]
        try:
            fetched, _ = piece.future.result()
        except Exception:  # an interrupt leaves it to the end of the context to wait for the fetch
            self._ahead.popleft()
            self._begin_anew()
            raise
        self._ahead.popleft()
        self._per_day = piece.per_day(fetched)
        while self._pieces and len(self._ahead) < _AHEAD:
            self._fetch_ahead(self._next_dates())
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

    def _fetch_ahead(self, dates: tuple[date, ...]) -> None:
        """Begin to fetch ``dates``, with which the pieces begin."""
        rest = self._pieces.popleft()[len(dates) :]
        if rest:
            self._pieces.appendleft(rest)
        before, whole = self._last, window(self._runtime, self.table, dates)
        piece = self._last = _Piece(dates=dates, asked=whole)
        if whole.end is not None:
            if before is not None and before.asked.end is not None and whole.start < before.asked.end < whole.end:
                piece.asked, piece.goes_on = Window(start=before.asked.end, end=whole.end), True
            if self._pieces:
                following = window(self._runtime, self.table, self._pieces[0])
                piece.reached = following.first_second if following.start < whole.end else None
        # Half as busy as the dates before is a safe guess.
        expected = int((self._per_day or 0) * len(dates) / 2)
        piece.future = self._threads.submit(self._fetch_piece, piece, before, expected)
        self._ahead.append(piece)

    def _fetch_piece(self, piece: _Piece, before: _Piece | None, expected: int) -> tuple[Fetched, list[Page]]:
        """Fetch a piece, in a thread, once API users have nothing left to ask for the one before."""
        assert self._began_at is not None
        passing_on = before if piece.goes_on else None
        try:
            if before is not None:
                before.all_asked.wait()
            if piece.given_up.is_set() or (passing_on is not None and passing_on.has_failed):
                raise Stopped  # pages that belong to it will not come
            passed_on = tuple if passing_on is None else passing_on.pages
            fetched = self._fetch(piece, self._began_at, passed_on=passed_on, expected_records=expected)
        except BaseException:
            piece.has_failed = True
            raise
        finally:
            piece.all_asked.set()
        # Read here, because who takes a piece may remove its files.
        return fetched, [] if piece.reached is None else fetched.landed.pages_from(piece.reached)

    def _fetch(
        self,
        piece: _Piece,
        started_at: datetime,
        *,
        passed_on: Callable[[], Sequence[Page]] = tuple,
        expected_records: int = 0,
    ) -> Fetched:
        span = f"{min(piece.dates)}--{max(piece.dates)}"
        landed = land(
            client=self._client,
            resource=RESOURCES[self.table.name],
            window=piece.asked,
            scope=self._scope,
            folder=fetch_folder(self._runtime.account.landing_folder, self.table.name, span, started_at),
            shape=self.table.shape,
            clock=self.table.clock,
            before=passed_on,
            expected_records=expected_records,
            stop=piece.given_up,
            arrived=self._runtime.activity.arrived if self.table is raw.ORDERS else None,
            all_asked=piece.all_asked.set,
        )
        return Fetched(
            dates=piece.dates,
            landed=landed,
            places=self._places,
            newest=self._newest,
            started_at=started_at,
            is_part=self._number > len(piece.dates),
        )

    def _begin_anew(self) -> None:
        """After a piece that failed: what waits for pages of it is given up, and fetched without it."""
        if self._ahead and self._ahead[0].goes_on:
            # Nobody waits for it to end: it may rest before a request is tried again.
            for piece in self._ahead:
                piece.given_up.set()
            self._pieces.extendleft(piece.dates for piece in reversed(self._ahead))
            self._ahead.clear()
        self._last = self._ahead[-1] if self._ahead else None

    def _give_up_ahead(self) -> None:
        """Stop what is being fetched, and remove what was."""
        for piece in self._ahead:
            piece.given_up.set()
        for piece in self._ahead:
            # What went wrong with dates that nobody asked for any more is nobody's business.
            with suppress(Exception):
                remove(piece.future.result()[0].landed.folder)
