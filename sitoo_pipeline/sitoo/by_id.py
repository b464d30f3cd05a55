"""Paging by an id cursor: for orders and warehouse transactions, lists that are long and grow while they are read.

The request for a page goes out before the page in front of it is decoded, so that an API user is never idle. Where such
a page begins is then reckoned by position, and is believed only if it begins with the record that was last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sitoo_pipeline.sitoo.body import Body
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.sitoo.errors import TransientSitooError
from sitoo_pipeline.sitoo.paging import READS, Fetch, Pages, in_order, out_of_order, whole_number, whole_numbers


def by_id_cursor(
    fetch: Fetch, *, path: str, query: Params, cursor: str, page_size: int, expected_records: int = 0
) -> Pages:
    """Pages in the order of an id, each asking for the ids after the last one seen.

    What is inserted meanwhile gets a higher id and cannot move a page. A read ends on an empty page, or on a page that
    by Sitoo's own count holds all that is left. A ``<cursor>from`` in ``query`` is where it starts. A page can begin
    with the record that ended the one before.

    Where fewer records came than Sitoo counted, the list is read again, and of a further read only pages with new ids
    are given out. When a read lacks as many records as the one before it and has all that were seen, the total counts
    records that this API user may not see. A total that shrank, and a read that lacks what another had, are faults.

    At least ``expected_records`` are thought to come, so that pages are asked for ahead before the first one tells.

    Returns:
        How many more records Sitoo counted than it shows this API user.

    Raises:
        PermanentSitooError: The ids do not come in order from where they were asked for.
        TransientSitooError: Fewer records came than Sitoo counted, and not the same in two reads.
    """
    seen: set[int] = set()
    expected, lacking = 0, 0
    for number in range(READS):
        read = _Read()
        ahead = _Ahead(fetch, path=path, query=query, cursor=cursor, page_size=page_size)
        if number == 0:
            ahead.expect(expected_records)
        with (
            closing(ahead),
            closing(_read(fetch, read, ahead, path=path, query=query, cursor=cursor, page_size=page_size)) as bodies,
        ):
            for body in bodies:
                if number == 0 or not set(whole_numbers(body.items, cursor)) <= seen:
                    yield body
        is_sound = read.expected >= expected and seen <= set(read.ids)
        if is_sound and read.lacking <= 0:
            return 0
        if is_sound and number > 0 and read.lacking == lacking:
            return lacking
        expected, lacking = max(expected, read.expected), read.lacking
        if not is_sound:
            break
        seen = set(read.ids)
    raise TransientSitooError(f"GET {path}", f"Sitoo counted {expected} records and gave {read.received}")


@dataclass
class _Read:
    """One read of a list from its start: the total at its start, and what came."""

    expected: int = 0
    received: int = 0
    ids: list[int] = field(default_factory=list)

    @property
    def lacking(self) -> int:
        return self.expected - self.received


def _read(
    fetch: Fetch, read: _Read, ahead: _Ahead, *, path: str, query: Params, cursor: str, page_size: int
) -> Generator[Body]:
    """The pages of one read, which is noted in ``read``."""
    bound = f"{cursor}from"
    lowest = whole_number(query.get(bound))
    skip = 0
    previous: list[Any] = []
    while True:
        page = ahead.take(read)
        if page is None:
            asked = {**query, "sort": cursor, bound: lowest, "start": skip, "num": page_size}
            page = _Page(fetch(path, asked, "envelope"))
        body, items = page.body, page.body.items[page.overlap :]
        if not read.received:
            read.expected = body.total or 0
        if not items:
            return
        ids = whole_numbers(items, cursor)
        if not in_order(ids, lowest=lowest, strictly=True) or items == previous:
            raise out_of_order(path, cursor, lowest)
        read.received += len(items)
        read.ids += ids
        if len(ids) == len(items):
            ahead.extend(read, page)
        yield body
        if page.rest == 0 and len(body.items) < page_size:
            return
        if ids:
            lowest, skip, previous = ids[-1] + 1, 0, []
        else:
            # Records without an id are passed on, for the loader to refuse. They cannot move the cursor, so a page
            # of nothing else is passed by its length.
            skip, previous = skip + len(items), items


@dataclass(frozen=True)
class _Page:
    """A page, the position in its query at which it begins, and how many records the page before it ends with too."""

    body: Body
    start: int = 0
    overlap: int = 0

    @property
    def rest(self) -> int | None:
        """How many records come after it, by Sitoo's count; None where it does not count."""
        return None if self.body.total is None else self.body.total - self.start - len(self.body.items)


class _Ahead:
    """Pages that are asked for before those in front of them have come.

    Their positions are reckoned from the length of the page before, and each but the first begins one record early. If
    that is the record which ended the page before, nothing was taken out in front of it meanwhile, and the page is what
    asking by the id would have brought. If it is not, the list is not as reckoned (records went, pages are shorter):
    everything asked for ahead is dropped, and the rest of the list is read page after page.

    Only as many pages are asked for as Sitoo's count has records for.
    """

    def __init__(self, fetch: Fetch, *, path: str, query: Params, cursor: str, page_size: int) -> None:
        self._fetch = fetch
        self._path, self._query, self._cursor, self._page_size = path, query, cursor, page_size
        self._asked: deque[tuple[int, int, int, Future[Body]]] = deque()
        self._is_off = False

    def take(self, read: _Read) -> _Page | None:
        """The page after what is read; None where none was asked for, or not rightly."""
        if not self._asked:
            return None
        _, start, overlap, future = self._asked.popleft()
        page = _Page(future.result(), start, overlap)
        if overlap:
            ids = whole_numbers(page.body.items, self._cursor)
            if len(ids) < max(2, len(page.body.items)) or ids[:1] != read.ids[-1:]:
                self._is_off = True
                self.close()
                return None
        return page

    def expect(self, records: int) -> None:
        """Ask for the first pages of a list that has at least so many records; nothing where one page may hold them."""
        if records > self._page_size:
            lowest = whole_number(self._query.get(f"{self._cursor}from"))
            self._extend(lowest, received=0, length=self._page_size, total=records)

    def extend(self, read: _Read, page: _Page) -> None:
        """Ask for what comes after ``page``, which was read last."""
        total = read.received + (page.rest or 0)
        end = self._extend(read.ids[-1] + 1, received=read.received, length=len(page.body.items), total=total)
        if end >= total and page.rest is not None:
            self._fetch.all_asked()

    def _extend(self, lowest: int | None, *, received: int, length: int, total: int) -> int:
        """Ask for as many pages as may be begun; how many records there are up to the end of the last one."""
        while True:
            end, overlap = (self._asked[-1][0] + length, 1) if self._asked else (received, 0)
            if end >= total or self._is_off or len(self._asked) >= self._fetch.ahead:
                return end
            start = end - overlap - received
            bounds = {f"{self._cursor}from": lowest, "start": start, "num": self._page_size}
            asked = {**self._query, "sort": self._cursor, **bounds}
            future = self._fetch.begin(self._path, asked, "envelope")
            self._asked.append((end - overlap, start, overlap, future))

    def close(self) -> None:
        """Drop what was asked for and is not read."""
        for *_, future in self._asked:
            future.cancel()
        self._asked.clear()
