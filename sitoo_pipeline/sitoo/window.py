"""What part of an account is asked for: a span of time, and the sites and registers to ask.

How a window becomes a resource's query parameters is in ``resources``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor


@dataclass(frozen=True)
class Window:
    """A half-open span of time: ``start`` belongs to it, ``end`` does not. Both are aware.

    ``end`` is None for everything from ``start`` on.
    """

    start: datetime
    end: datetime | None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or (self.end is not None and self.end.tzinfo is None):
            raise ValueError("a window's start and end must have a time zone")
        if self.end is not None and self.end.timestamp() <= self.start.timestamp():
            raise ValueError(f"a window must end after its start, not {self.start} to {self.end}")

    @property
    def first_second(self) -> int:
        """``start`` in whole epoch seconds, rounded down."""
        return floor(self.start.timestamp())

    @property
    def end_second(self) -> int | None:
        """``end`` in whole epoch seconds, rounded up; nothing at or after it belongs to the window."""
        return None if self.end is None else ceil(self.end.timestamp())


@dataclass(frozen=True)
class Scope:
    """Which sites and registers of the account to ask, for the resources that have to be asked one by one.

    Attributes:
        sites: Site numbers (Sitoo's ``eshopid``).
        registers: Cash registers as (site number, register id in braces).
    """

    sites: tuple[int, ...] = (1,)
    registers: tuple[tuple[int, str], ...] = ()
