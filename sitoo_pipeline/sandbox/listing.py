"""Pages over what a chain has recorded: whole days are counted by their numbering, only a page's days are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sitoo_pipeline.sandbox.clock import day_start, trading_day
from sitoo_pipeline.sandbox.numbering import Numbering


class Recorded(Protocol):
    """Something that arrives once. Instants are epoch seconds."""

    @property
    def id(self) -> int:
        """Its number in the order of arrival."""
        ...

    @property
    def arrives_at(self) -> int:
        """When it can first be seen."""
        ...

    @property
    def dated_at(self) -> int:
        """What date filters compare."""
        ...


T = TypeVar("T", bound=Recorded)


@dataclass(frozen=True)
class Filter(Generic[T]):
    """Bounds, all half-open, and a test for everything else. ``ids`` limits to these ids."""

    id_from: int | None = None
    id_to: int | None = None
    dated_from: int | None = None
    dated_to: int | None = None
    ids: frozenset[int] | None = None
    matches: Callable[[T], bool] | None = None

    def accepts(self, item: T) -> bool:
        """Whether ``item`` is within all bounds."""
        return (
            (self.id_from is None or item.id >= self.id_from)
            and (self.id_to is None or item.id < self.id_to)
            and (self.dated_from is None or item.dated_at >= self.dated_from)
            and (self.dated_to is None or item.dated_at < self.dated_to)
            and (self.ids is None or item.id in self.ids)
            and (self.matches is None or self.matches(item))
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page starts, how long it may be, and its direction."""

    start: int = 0
    num: int = 10
    descending: bool = True


class Listing:
    """The days of a chain as one list that can be filtered, counted and paged."""

    def __init__(self, *, opened: date, zone: ZoneInfo, longest_delay: int, numbering: Numbering) -> None:
        self._opened, self._zone, self._delay = opened, zone, timedelta(days=longest_delay)
        self._numbering = numbering

    def page(self, load: Callable[[date], list[T]], wanted: Filter[T], page: Page, *, now: int) -> tuple[int, list[T]]:
        """How many items match at ``now``, and those on the page."""
        total, found = 0, list[T]()
        for day in self._days(wanted, page, now):
            if self._is_whole(day, wanted, now):
                count = self._numbering.count(day)
                if total + count <= page.start or len(found) >= page.num:
                    total += count
                    continue
            matching = [item for item in load(day) if item.arrives_at <= now and wanted.accepts(item)]
            if page.descending:
                matching.reverse()
            found += matching[max(page.start - total, 0) :][: page.num - len(found)]
            total += len(matching)
        return total, found

    def _days(self, wanted: Filter[T], page: Page, now: int) -> Iterable[date]:
        """The days on which something that is wanted may have arrived."""
        last = trading_day(now, self._zone)
        if wanted.ids is not None:
            days = {self._numbering.day_of(number, last=last) for number in wanted.ids}
            return sorted((day for day in days if day is not None), reverse=page.descending)
        first = self._opened
        if wanted.dated_from is not None:
            first = max(first, trading_day(wanted.dated_from, self._zone))
        if wanted.dated_to is not None:
            last = min(last, trading_day(wanted.dated_to, self._zone) + self._delay)
        span = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        starts, ends = self._numbering.start, timedelta(days=1)
        span = [
            day
            for day in span
            if (wanted.id_from is None or starts(day + ends) > wanted.id_from)
            and (wanted.id_to is None or starts(day) < wanted.id_to)
        ]
        return reversed(span) if page.descending else span

    def _is_whole(self, day: date, wanted: Filter[T], now: int) -> bool:
        """Whether everything of ``day`` is wanted for certain, so that counting it is enough."""
        tomorrow = day + timedelta(days=1)
        return (
            wanted.ids is None
            and wanted.matches is None
            and day_start(tomorrow, self._zone) <= now
            and (wanted.id_from is None or wanted.id_from <= self._numbering.start(day))
            and (wanted.id_to is None or wanted.id_to >= self._numbering.start(tomorrow))
            and (wanted.dated_from is None or wanted.dated_from <= day_start(day - self._delay, self._zone))
            and (wanted.dated_to is None or wanted.dated_to >= day_start(tomorrow, self._zone))
        )
