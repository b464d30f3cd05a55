"""The dates that are loaded: always the same ones, so that figures of two runs can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TIMEZONE = "Europe/Stockholm"
_LAST = date(2025, 11, 30)


@dataclass(frozen=True)
class Period:
    """The business dates from ``first`` to ``last``, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, days: int, last: date = _LAST) -> Period:
        """The period of so many days."""
        return cls(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        """How many dates it has."""
        return (self.last - self.first).days + 1

    def day(self, number: int) -> date:
        """One of its dates, the first is 0."""
        return self.first + timedelta(days=number)

    @property
    def arguments(self) -> tuple[str, str]:
        """Its dates as a command takes them."""
        return self.first.isoformat(), self.last.isoformat()

    @property
    def seconds(self) -> tuple[int, int]:
        """Its first and its last second, in the chain's zone, as epoch seconds."""
        zone = ZoneInfo(TIMEZONE)
        begins, ends = (datetime.combine(day, time(), tzinfo=zone) for day in (self.first, self.last + timedelta(1)))
        return int(begins.timestamp()), int(ends.timestamp()) - 1
