"""Records in the order of their ids and dates, found by bounds and cut into pages as Sitoo does it.

A page is made when it is first asked for, and kept: one that covers the same records is the same, whoever asks.
"""

from __future__ import annotations

import multiprocessing
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import orjson

LARGEST_PAGE = 1000
_DEFAULT_PAGE = 10
_LEVEL = 6
_FEW = 16

Asked = TypeVar("Asked", bound=Hashable)
Rows = tuple[tuple[int, ...] | range, int]
"""The rows on a page, and how many there are in all."""


def compressed(body: bytes) -> bytes:
    """The body as gzip."""
    packer = zlib.compressobj(_LEVEL, wbits=31)
    return packer.compress(body) + packer.flush()


@dataclass(frozen=True)
class Names:
    """What a resource calls its cursor and the bounds of its dates; ``until_included`` as its documentation has it."""

    cursor: str
    since: str
    until: str
    until_included: bool


class Listing:
    """One resource.

    Args:
        names: Its parameters.
        first: Id of the first record; the others follow without gaps.
        dates: Epoch seconds of each record, ascending.
        render: The JSON of a record by its row.
    """

    def __init__(self, names: Names, *, first: int, dates: Sequence[int], render: Callable[[int], bytes]) -> None:
        self.cursor, self.first = names.cursor, first
        self._names, self._dates, self._render = names, dates, render
        self._whole: frozenset[str] = frozenset(orjson.loads(render(0))) if dates else frozenset()
        self._pages: dict[Rows, bytes] = {}

    def __len__(self) -> int:
        return len(self._dates)

    def find(self, query: Mapping[str, str], *, now: int) -> Rows:
        """What a query finds at the epoch second ``now``."""
        names, dates = self._names, self._dates
        low, high = 0, bisect_right(dates, now)
        if since := query.get(names.since):
            low = max(low, bisect_left(dates, int(since)))
        if until := query.get(names.until):
            high = min(high, (bisect_right if names.until_included else bisect_left)(dates, int(until)))
        if above := query.get(f"{names.cursor}from"):
            low = max(low, int(above) - self.first)
        if below := query.get(f"{names.cursor}to"):
            high = min(high, int(below) - self.first)
        start, num = int(query.get("start", 0)), min(int(query.get("num", _DEFAULT_PAGE)), LARGEST_PAGE)
        if asked := query.get(names.cursor):
            chosen = sorted(row for row in (int(one) - self.first for one in asked.split(",")) if low <= row < high)
            return tuple(chosen[start : start + num]), len(chosen)
        total = max(0, high - low)
        if query.get("sort") != names.cursor:
            return range(high - 1 - start, max(low, high - start - num) - 1, -1), total
        return range(low + start, max(low + start, min(high, low + start + num))), total

    def answer(self, found: Rows, fields: str | None) -> tuple[bytes, bool]:
        """The compressed body for what a query found, and whether it had to be made."""
        if fields and not self._whole <= set(fields.split(",")):
            rows, total = found
            chosen = fields.split(",")
            items = [orjson.loads(self._render(row)) for row in rows]
            shown = [{name: item[name] for name in chosen if name in item} for item in items]
            return compressed(orjson.dumps({"totalcount": total, "items": shown})), False
        is_made = found not in self._pages
        if is_made:
            self._pages[found] = self._page(found)
        return self._pages[found], is_made

    def _page(self, found: Rows) -> bytes:
        rows, total = found
        items = b",".join(map(self._render, rows))
        return compressed(b'{"totalcount":%d,"items":[%b]}' % (total, items))

    def by_position(self, since: int, until: int, *, now: int) -> Iterator[Rows]:
        """What is found by reading a span of dates from position to position."""
        bounds = {self._names.since: str(since), self._names.until: str(until), "num": str(LARGEST_PAGE)}
        for start in count(0, LARGEST_PAGE):
            found = self.find({**bounds, "sort": self.cursor, "start": str(start)}, now=now)
            if not found[0]:
                return
            yield found

    def prepare(self, asked: Iterable[Rows]) -> None:
        """Make the pages for what will be found."""
        self._pages |= made(self._page, asked)


def made(make: Callable[[Asked], bytes], asked: Iterable[Asked]) -> dict[Asked, bytes]:
    """Bodies for everything that is asked for, made by two processes where there are many."""
    each = list(dict.fromkeys(asked))
    if len(each) < _FEW:
        return {one: make(one) for one in each}
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return dict(zip(each, pool.imap(make, each, chunksize=4), strict=True))
