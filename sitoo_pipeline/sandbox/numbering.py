"""Ids without gaps, in the order of arrival: which ids a trading day has, and which day an id belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, timedelta


class Numbering:
    """Numbers the things of each trading day from ``first`` on. A day is counted once, when first needed."""

    def __init__(self, *, opened: date, first: int, count: Callable[[date], int]) -> None:
        self._opened, self._count = opened, count
        self._starts = [first]  # first id of each day, and of the day after the last one counted

    def _reach(self, index: int) -> None:
        while len(self._starts) <= index:
            day = self._opened + timedelta(days=len(self._starts) - 1)
            self._starts.append(self._starts[-1] + self._count(day))

    def start(self, day: date) -> int:
        """The first id of ``day``, or the next day's where it has none."""
        index = max(0, (day - self._opened).days)
        self._reach(index)
        return self._starts[index]

    def count(self, day: date) -> int:
        """How many ids ``day`` has."""
        return self.start(day + timedelta(days=1)) - self.start(day) if day >= self._opened else 0

    def day_of(self, number: int, *, last: date) -> date | None:
        """The day to which ``number`` belongs, or None where no day up to ``last`` has it."""
        if not self._starts[0] <= number < self.start(last + timedelta(days=1)):
            return None
        return self._opened + timedelta(days=bisect_right(self._starts, number) - 1)
