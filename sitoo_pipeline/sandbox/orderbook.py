"""All orders of a chain by the trading day on which they arrived: their ids, and where to find one again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from sitoo_pipeline.sandbox.listing import Filter, Listing, Page
from sitoo_pipeline.sandbox.numbering import Numbering
from sitoo_pipeline.sandbox.sales import Sale, is_sent_by_supplier, sales_of, web_ships_on
from sitoo_pipeline.sandbox.tills import LONGEST_OUTAGE, Kind, Slot, Till, TillBook

_FIRST_ORDER_ID = 11501
_FIRST_RECEIPT = 10001


class OrderBook:
    """Orders numbered in the order of their arrival, without gaps."""

    def __init__(self, *, tills: TillBook, opened: date, zone: ZoneInfo) -> None:
        self._tills, self._opened, self._zone = tills, opened, zone
        self.numbering = Numbering(opened=opened, first=_FIRST_ORDER_ID, count=self._count)
        self._receipts = [
            Numbering(opened=opened, first=_FIRST_RECEIPT, count=partial(self._orders_made, till))
            for till in tills.tills
        ]
        self._listing = Listing(opened=opened, zone=zone, longest_delay=LONGEST_OUTAGE, numbering=self.numbering)
        self.made_on = lru_cache(maxsize=16 * len(tills.tills))(self._made_on)
        self.arrived_on = lru_cache(maxsize=32)(self._arrived_on)
        self._ids = lru_cache(maxsize=64)(self._ids_of)

    def _orders_made(self, till: Till, day: date) -> int:
        return sum(self._tills.tally(till, day).orders)

    def _count(self, day: date) -> int:
        return sum(self._tills.tally(till, made).orders[late] for till, made, late in self._tills.arrivals(day))

    def web_slots_shipped(self, day: date) -> Iterator[Slot]:
        """The outlines of the web orders that leave a warehouse on ``day``."""
        for back in (1, 2):
            made = day - timedelta(days=back)
            for index, slot in enumerate(
                self._tills.day(self._tills.tills[-1], made).slots if made >= self._opened else ()
            ):
                if slot.kind is Kind.WEB and web_ships_on(made, index) == day and not is_sent_by_supplier(made, index):
                    yield slot

    def _made_on(self, till: Till, day: date) -> list[Sale]:
        return sales_of(self._tills.day(till, day), zone=self._zone, rng=self._tills.rng("sales", till, day))

    def _arrived_on(self, day: date) -> list[Sale]:
        sales: list[Sale] = []
        for till, made_on, late in self._tills.arrivals(day):
            made, late_from = self.made_on(till, made_on), self._tills.day(till, made_on).late_from
            sales += made[late_from:] if late else made[:late_from]
        sales.sort(key=lambda sale: (sale.arrives_at, sale.till.index, sale.day, sale.index))
        for number, sale in enumerate(sales, start=self.numbering.start(day)):
            sale.id = number
        return sales

    def _ids_of(self, day: date) -> dict[tuple[int, date, int], int]:
        return {(sale.till.index, sale.day, sale.index): sale.id for sale in self.arrived_on(day)}

    def id_of(self, till: Till, day: date, index: int) -> int:
        """The id of the order that ``till`` made as number ``index`` on ``day``, whenever it arrived."""
        plan = self._tills.day(till, day)
        arrived = day if index < plan.late_from else plan.late_until
        return self._ids(arrived)[till.index, day, index]

    def receipt_number(self, sale: Sale) -> int:
        """The number on the receipt, counted per till since the chain opened."""
        return self._receipts[sale.till.index].start(sale.day) + sale.index

    def find_receipt(self, till: Till, number: int, *, last: date) -> int | None:
        """The id of the order with this receipt number at ``till``, where it was made no later than ``last``."""
        receipts = self._receipts[till.index]
        day = receipts.day_of(number, last=last)
        return None if day is None else self.id_of(till, day, number - receipts.start(day))

    def page(self, wanted: Filter[Sale], page: Page, *, now: int) -> tuple[int, list[Sale]]:
        """How many orders match at ``now``, and those on the page."""
        return self._listing.page(self.arrived_on, wanted, page, now=now)
