"""A chain's account over a period: its orders, as numbers, and their JSON.

Every business date has as many orders as any other, spread evenly over ten hours, over all tills. Numbers rise with the
time of the sale, without gaps. A day before and a day after the period belong to the account as well, so that what a
wider window costs is seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import orjson

from benchmarks.listing import Listing, Names
from benchmarks.period import TIMEZONE, Period
from benchmarks.templates import Template, draw
from sitoo_pipeline.sandbox import Chain
from sitoo_pipeline.sandbox.stores import CENTRAL_WAREHOUSE, Register, Store

STORES = 20
SEED = 5
FIRST_ORDER = 1_000_001
_OPENS, _HOURS = time(10), 10
_NAMES = Names("orderid", "orderdatefrom", "orderdateto", until_included=True)
_EXPORTED = b'{"store-externalid":%b}'
_WEB = (b"null", b"null", b"%d" % CENTRAL_WAREHOUSE, b"{}")


@dataclass(frozen=True)
class Till:
    """A till and its store."""

    store: Store
    register: Register

    @cached_property
    def place(self) -> tuple[bytes, bytes, bytes, bytes]:
        """What an order says of it: staff, register, warehouse, and the store that it records."""
        return (
            orjson.dumps(self.store.staff[0].userid),
            orjson.dumps(self.register.registerid),
            b"%d" % self.store.warehouseid,
            _EXPORTED % orjson.dumps(self.store.externalid),
        )


class Book:
    """The orders of a period.

    Args:
        orders: How many orders the period has, all kinds together.
        period: The period.
    """

    def __init__(self, orders: int, period: Period) -> None:
        self.chain = Chain(stores=STORES, opened=period.first - timedelta(days=1), timezone=TIMEZONE)
        self.tills = tuple(Till(store, one) for store in self.chain.store_list for one in store.registers)
        self.templates: list[Template] = draw(SEED)
        self.dates: list[int] = []
        self.template_of: list[int] = []
        self.till_of: list[int] = []
        self.first_rows: dict[date, int] = {}
        rng = random.Random(SEED)
        share, rest = divmod(orders, period.days)
        for number, day in enumerate(_days(period)):
            self.first_rows[day] = len(self.dates)
            count = share + (1 <= number <= rest)
            opens = self.opens_at(day)
            self.dates += [opens + second * _HOURS * 3600 // max(1, count) for second in range(count)]
            self.template_of += rng.choices(range(len(self.templates)), k=count)
            self.till_of += rng.choices(range(len(self.tills)), k=count)

    @staticmethod
    def opens_at(day: date) -> int:
        """When all stores open, in epoch seconds."""
        return int(datetime.combine(day, _OPENS, tzinfo=ZoneInfo(TIMEZONE)).timestamp())

    @staticmethod
    def closes_at(day: date) -> int:
        """When all stores close, in epoch seconds."""
        return Book.opens_at(day) + _HOURS * 3600

    def rows_of(self, day: date) -> range:
        """The rows of a business date."""
        later = [first for other, first in self.first_rows.items() if other > day]
        return range(self.first_rows[day], min(later, default=len(self.dates)))

    def json(self, row: int) -> bytes:
        """One order."""
        template = self.templates[self.template_of[row]]
        place = _WEB if template.kind.is_web else self.tills[self.till_of[row]].place
        return template.text % (FIRST_ORDER + row, self.dates[row], *place)

    def listing(self) -> Listing:
        """The orders as Sitoo lists them."""
        return Listing(_NAMES, first=FIRST_ORDER, dates=self.dates, render=self.json)


def _days(period: Period) -> Iterator[date]:
    for number in range(-1, period.days + 1):
        yield period.first + timedelta(days=number)
