"""Warehouse transactions: what follows from delivered orders, the mornings' moves, and a stocktaking now and then.

Every morning each warehouse is brought back to its level for the day, so that stock after a transaction needs no more
history than the day before. Levels differ a little from day to day: goods for a display come and go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from sitoo_pipeline.sandbox.catalogue import PRODUCTS, Product
from sitoo_pipeline.sandbox.clock import instant
from sitoo_pipeline.sandbox.deliveries import delivered_from, delivery_id
from sitoo_pipeline.sandbox.listing import Filter, Listing, Page
from sitoo_pipeline.sandbox.numbering import Numbering
from sitoo_pipeline.sandbox.sales import Sale, is_sent_by_supplier, web_ships_on
from sitoo_pipeline.sandbox.stores import CENTRAL_WAREHOUSE
from sitoo_pipeline.sandbox.tills import LONGEST_OUTAGE, Kind, TillBook

if TYPE_CHECKING:
    from sitoo_pipeline.sandbox.chain import Chain

MOVE_IN, MOVE_OUT, SALES, REFUND, STOCKTAKING = 10, 20, 30, 40, 50
TO_REPAIR = 60  # a type that nobody has written down
_FIRST_ID = 101
_DAWN, _COUNTED_FROM, _COUNT_CLOSED = 5 * 60 + 30, 6 * 60 + 30, 20 * 60  # minutes after midnight
_STOCKED = tuple(product for product in PRODUCTS if product.has_stock)


@dataclass(slots=True)
class Movement:
    """One warehouse transaction: its items are product, change and stock afterwards. Instants are epoch seconds."""

    warehouseid: int
    kind: int
    dated_at: int
    arrives_at: int
    changes: tuple[tuple[Product, Decimal], ...]
    deliveryid: int | None = None
    totals: tuple[Decimal, ...] = ()
    id: int = 0


def _level(warehouseid: int, product: Product, day: date) -> Decimal:
    """Stock of ``product`` on the morning of ``day``."""
    on_display = (day.toordinal() * 7 + warehouseid * 3 + product.productid) % 10 == 0
    usual = 400 if warehouseid == CENTRAL_WAREHOUSE else 25
    return Decimal(usual + product.productid % 7 + 24 * on_display)


class StockBook:
    """Warehouse transactions by the trading day on which they reached Sitoo, numbered in that order."""

    def __init__(self, *, chain: Chain, tills: TillBook) -> None:
        self._chain, self._tills = chain, tills
        self._warehouses = (CENTRAL_WAREHOUSE, *(store.warehouseid for store in chain.store_list))
        self.numbering = Numbering(opened=chain.opened, first=_FIRST_ID, count=self._count)
        self._listing = Listing(
            opened=chain.opened, zone=chain.zone, longest_delay=LONGEST_OUTAGE, numbering=self.numbering
        )
        self._traded_on = lru_cache(maxsize=16)(self._trade)
        self.arrived_on = lru_cache(maxsize=16)(self._arrived_on)

    def page(self, wanted: Filter[Movement], page: Page, *, now: int) -> tuple[int, list[Movement]]:
        """How many transactions match at ``now``, and those on the page."""
        return self._listing.page(self.arrived_on, wanted, page, now=now)

    def _count(self, day: date) -> int:
        moves = len(self._warehouses) * (1 if day == self._chain.opened else 2)
        counted = sum(self._is_counted(warehouse, day) for warehouse in self._warehouses)
        orders = sum(
            self._tills.tally(till, made).movements[late]
            for till, made, late in self._tills.arrivals(day)
            if not till.is_web
        )
        shipped = sum(slot.cart.movements for slot in self._chain.orders.web_slots_shipped(day))
        return moves + counted + orders + shipped + self._chain.awkward

    @staticmethod
    def _is_counted(warehouseid: int, day: date) -> bool:
        return (day.toordinal() + 5 * warehouseid) % 28 == 0

    def _delivered(self, day: date) -> Iterator[tuple[Sale, int]]:
        """Orders whose delivery reaches Sitoo on ``day``, and when."""
        for sale in self._chain.orders.arrived_on(day):
            if not sale.till.is_web and sale.delivered_at is not None:
                yield sale, sale.arrives_at + 1
        for back in (1, 2):
            made = day - timedelta(days=back)
            for sale in self._chain.orders.arrived_on(made) if made >= self._chain.opened else ():
                is_shipped = sale.slot.kind is Kind.WEB and web_ships_on(sale.day, sale.index) == day
                if is_shipped and not is_sent_by_supplier(sale.day, sale.index):
                    yield sale, sale.settled_at

    def _trade(self, day: date) -> list[Movement]:
        """What leaves and comes back during ``day``, and what is found missing."""
        movements = []
        for sale, arrives_at in self._delivered(day):
            dated_at, warehouse = sale.delivered_at, delivered_from(self._chain, sale)
            assert dated_at is not None
            if warehouse is None:
                continue
            for kind, sign in ((SALES, 1), (REFUND, -1)):
                lines = [line for line in sale.slot.cart.lines if line.moves_stock and line.quantity * sign > 0]
                if lines:
                    changes = tuple((line.product, -line.total_quantity) for line in lines)
                    movements.append(Movement(warehouse, kind, dated_at, arrives_at, changes, delivery_id(sale)))
        counted, closed = (instant(day, minute, self._chain.zone) for minute in (_COUNTED_FROM, _COUNT_CLOSED))
        for warehouse in self._warehouses:
            if self._is_counted(warehouse, day):
                found = [_STOCKED[(day.toordinal() + step * 11) % len(_STOCKED)] for step in range(3)]
                changes = tuple((product, Decimal(1 if step == 1 else -1)) for step, product in enumerate(found))
                movements.append(Movement(warehouse, STOCKTAKING, counted, closed, changes))
        if self._chain.awkward:
            warehouse = self._warehouses[day.toordinal() % len(self._warehouses)]
            sent = ((_STOCKED[day.toordinal() % len(_STOCKED)], Decimal(-1)),)
            movements.append(Movement(warehouse, TO_REPAIR, counted, closed, sent))
        return movements

    def _moves(self, day: date) -> list[Movement]:
        """The morning's moves, which bring every warehouse to its level for ``day``."""
        yesterday = day - timedelta(days=1)
        stock: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
        if day > self._chain.opened:
            for movement in self._traded_on(yesterday):
                for product, change in movement.changes:
                    stock[movement.warehouseid, product.productid] += change
        moves = []
        dawn = instant(day, _DAWN, self._chain.zone)
        for warehouse in self._warehouses:
            missing = []
            for product in _STOCKED:
                left = stock[warehouse, product.productid]
                left += _level(warehouse, product, yesterday) if day > self._chain.opened else 0
                missing.append((product, _level(warehouse, product, day) - left))
            arrivals = tuple((product, change) for product, change in missing if change > 0)
            departures = tuple((product, change) for product, change in missing if change < 0)
            moves.append(Movement(warehouse, MOVE_IN, dawn, dawn + warehouse, arrivals))
            if day > self._chain.opened:
                moves.append(Movement(warehouse, MOVE_OUT, dawn, dawn + warehouse, departures))
        return moves

    def _arrived_on(self, day: date) -> list[Movement]:
        movements = sorted(
            self._moves(day) + self._traded_on(day),
            key=lambda movement: (movement.arrives_at, movement.warehouseid, movement.kind, movement.deliveryid or 0),
        )
        stock: dict[tuple[int, int], Decimal] = {}
        for warehouse in self._warehouses:
            for product in _STOCKED:
                stock[warehouse, product.productid] = _level(warehouse, product, day)
        for move in self._moves(day):  # from the level after the moves back to the stock before them
            for product, change in move.changes:
                stock[move.warehouseid, product.productid] -= change
        for number, movement in enumerate(movements, start=self.numbering.start(day)):
            totals = []
            for product, change in movement.changes:
                stock[movement.warehouseid, product.productid] += change
                totals.append(stock[movement.warehouseid, product.productid])
            movement.id, movement.totals = number, tuple(totals)
        return movements
