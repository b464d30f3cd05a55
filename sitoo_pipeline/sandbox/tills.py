"""What one till sells on one trading day, in outline: how many orders of which kind with which cart, and when offline.

An outline is cheap, so that ids, receipt numbers and lifetime totals of a whole year can be counted without making its
orders. Times, customers and payments are in ``sales``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import IntEnum, auto
from functools import lru_cache
from typing import NamedTuple

from sitoo_pipeline.sandbox.carts import Cart, CartPool
from sitoo_pipeline.sandbox.catalogue import campaign_on
from sitoo_pipeline.sandbox.markets import SWEDEN, SWEDEN_IN_EUROS, ZERO, Market
from sitoo_pipeline.sandbox.stores import NO_WAREHOUSE, Register, Store

LONGEST_OUTAGE = 3  # days; what such a till sold arrives on a morning at most this many days later
OLDEST_RETURN = LONGEST_OUTAGE + 17  # days; the youngest is LONGEST_OUTAGE + 1, so that its purchase has arrived
MOVES_AFTER = 12  # days after the chain opened; one register of three then goes to another store


class Kind(IntEnum):
    """What an order is. Kinds that come in pairs follow each other at the same till."""

    SALE = auto()
    RETURN = auto()
    EXCHANGE_RETURN = auto()  # followed by its EXCHANGE_SALE
    EXCHANGE_SALE = auto()
    MIXED = auto()  # sale and return lines in one cart
    BOOKING = auto()  # followed by PICKED_UP, the order it becomes
    PICKED_UP = auto()
    PARKED = auto()  # followed by RESUMED, the order it becomes
    RESUMED = auto()
    WEB = auto()
    WEB_CANCELLED = auto()
    WEB_ABANDONED = auto()
    WEB_UNPAID = auto()
    REPAIR = auto()  # left for repair: an order type that is not known, and not paid
    COLLECTED = auto()  # a sale in an order state that is not known
    WEB_DISPUTED = auto()  # a payment state that is not known


FOLLOWED_BY = {Kind.EXCHANGE_RETURN: Kind.EXCHANGE_SALE, Kind.BOOKING: Kind.PICKED_UP, Kind.PARKED: Kind.RESUMED}
CAME_FROM = {Kind.PICKED_UP, Kind.RESUMED}
NOT_SALES = {Kind.BOOKING, Kind.PARKED, Kind.REPAIR}
RETURNS = {Kind.RETURN, Kind.EXCHANGE_RETURN}

_POS_KINDS = (Kind.SALE, Kind.RETURN, Kind.EXCHANGE_RETURN, Kind.MIXED, Kind.BOOKING, Kind.PARKED)
_POS_WEIGHTS = (0.905, 0.95, 0.965, 0.975, 0.98, 1.0)  # cumulative
_WEB_KINDS = (Kind.WEB, Kind.WEB_CANCELLED, Kind.WEB_ABANDONED, Kind.WEB_UNPAID)
_WEB_WEIGHTS = (0.85, 0.91, 0.96, 1.0)
_AWKWARD = {  # cumulative shares that become something else
    Kind.SALE: ((0.02, Kind.REPAIR), (0.04, Kind.COLLECTED)),
    Kind.WEB: ((0.2, Kind.WEB_DISPUTED),),
}
_IN_EUROS = 0.06  # of the sales where euros are taken
_FROM_ANOTHER_TILL = 0.2  # of the returns

_WEEKDAY = (0.80, 0.82, 0.86, 0.95, 1.16, 1.30, 0.90)
_MONTH = (0.90, 0.85, 0.92, 0.96, 1.00, 1.02, 0.95, 0.98, 1.00, 1.00, 1.06, 1.30)


@dataclass(frozen=True, slots=True)
class Till:
    """A register in its store, or the web shop, which has neither. ``index`` orders tills within the chain.

    A register that moves stands in ``home`` before the trading day ``moves_on``, and in ``moves_to`` from then on.
    """

    index: int
    home: Store | None
    register: Register | None
    moves_on: date | None = None
    moves_to: Store | None = None

    @property
    def is_web(self) -> bool:
        """Whether it is the web shop."""
        return self.register is None

    @property
    def market(self) -> Market:
        """Country and currency in which it sells; a register never moves to another."""
        return self.home.market if self.home else SWEDEN

    def store(self, day: date) -> Store:
        """The store in which the register stands on the trading day ``day``."""
        store = self.moves_to if self.moves_on and day >= self.moves_on else self.home
        assert store is not None, "the web shop is in no store"
        return store


class Origin(NamedTuple):
    """A purchase: the till, its trading day, and which order of that day it was, from 0."""

    till: Till
    day: date
    number: int


class Slot(NamedTuple):
    """One order of a till. ``origin`` is the purchase that is returned."""

    kind: Kind
    cart: Cart
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class TillDay:
    """The outline of a till's trading day. Orders from ``late_from`` on arrive on the morning of ``late_until``."""

    till: Till
    day: date
    slots: tuple[Slot, ...]
    late_from: int
    late_until: date
    z_reports: int


class Tally(NamedTuple):
    """What an outline adds up to: small enough to keep for every day of the chain.

    ``sales`` and ``refunds`` are what the till reports: in its own currency only.
    """

    orders: tuple[int, int]  # on time, late
    movements: tuple[int, int]  # warehouse transactions of the same orders
    late_until: date
    sales: Decimal
    refunds: Decimal
    z_reports: int


class TillBook:
    """Outlines of every till's days, drawn when asked for and kept for a while."""

    def __init__(
        self, *, seed: int, orders_per_day: int, stores: tuple[Store, ...], opened: date, awkward: bool
    ) -> None:
        self._seed, self._orders_per_day, self._opened, self._awkward = seed, orders_per_day, opened, awkward
        self._carts = CartPool(seed=seed, awkward=awkward)
        self.tills = tuple(_tills(stores, moves_on=opened + timedelta(days=MOVES_AFTER)))
        self._web_orders = max(2, len(stores) * orders_per_day // 25)
        self._tallies: dict[tuple[int, date], Tally] = {}
        self._slots = lru_cache(maxsize=64 * len(self.tills))(self._draw_carts)
        self._days_late = lru_cache(maxsize=64 * len(self.tills))(self._draw_outage)
        self.day = lru_cache(maxsize=64 * len(self.tills))(self._draw)

    def rng(self, what: str, till: Till, day: date) -> random.Random:
        """The generator for one kind of decision about a till's day, the same in a larger chain."""
        return random.Random(f"{self._seed}/{what}/{'web' if till.is_web else till.index}/{day}")  # noqa: S311 -- repeatable

    def _draw_outage(self, till: Till, day: date) -> int:
        """How many nights the till stays offline from some time on ``day``; 0 on almost all days."""
        rng = self.rng("outage", till, day)
        return rng.randint(1, LONGEST_OUTAGE) if not till.is_web and rng.random() < 0.01 else 0

    def tally(self, till: Till, day: date) -> Tally:
        """What the till's day adds up to, from its outline; drawn once and kept."""
        if (till.index, day) not in self._tallies:
            plan = self.day(till, day)
            sold = [slot.cart if slot.kind not in NOT_SALES else None for slot in plan.slots]
            in_stock = till.is_web or till.store(day).warehouseid != NO_WAREHOUSE
            moves = [cart.movements if cart and in_stock else 0 for cart in sold]
            reported = [cart for cart in sold if cart and cart.market.currency == till.market.currency]
            self._tallies[till.index, day] = Tally(
                (plan.late_from, len(plan.slots) - plan.late_from),
                (sum(moves[: plan.late_from]), sum(moves[plan.late_from :])),
                plan.late_until,
                sum((cart.sales for cart in reported), ZERO),
                sum((cart.refunds for cart in reported), ZERO),
                plan.z_reports,
            )
        return self._tallies[till.index, day]

    def arrivals(self, day: date) -> Iterator[tuple[Till, date, bool]]:
        """Of which till's which day orders arrive on ``day``, and whether it is the part that comes late."""
        for till in self.tills:
            yield till, day, False
            for back in range(1, LONGEST_OUTAGE + 1):
                made = day - timedelta(days=back)
                if made >= self._opened and self.tally(till, made).late_until == day:
                    yield till, made, True

    def _draw(self, till: Till, day: date) -> TillDay:
        rng = self.rng("outline", till, day)
        slots = tuple(self._with_returns(rng, till, day))
        late_from, late_until = len(slots), day
        for back in range(LONGEST_OUTAGE, -1, -1):
            began = day - timedelta(days=back)
            late = self._days_late(till, began)
            if late > back:  # the earliest outage that reaches this day decides
                late_from = int(len(slots) * rng.uniform(0.3, 0.9)) if back == 0 else 0
                late_until = began + timedelta(days=late)
                break
        is_open = not till.is_web and till.store(day).hours(day) is not None
        return TillDay(till, day, slots, late_from, late_until, (1 + (rng.random() < 0.04)) if is_open else 0)

    def _count(self, rng: random.Random, till: Till, day: date) -> int:
        season = _WEEKDAY[day.weekday()] * _MONTH[day.month - 1] * rng.uniform(0.9, 1.1)
        campaign = campaign_on(day)
        season *= 1 + campaign.percent / 150 if campaign else 1
        if till.register is None:
            return round(self._web_orders * season)
        store = till.store(day)
        if store.hours(day) is None:
            return 0
        if till.register.number == 3 and day.weekday() < 3:
            return 0  # the third till stays closed early in the week; it still closes its day, with zeros
        return round(self._orders_per_day * store.busyness * till.register.share * season)

    def _draw_carts(self, till: Till, day: date) -> tuple[Slot, ...]:
        """Kinds and carts in order; returns are not yet tied to a purchase, which needs other days' carts."""
        rng = self.rng("carts", till, day)
        count = self._count(rng, till, day)
        carts = self._carts.priced(campaign_on(day), till.market)
        kinds, weights = (_WEB_KINDS, _WEB_WEIGHTS) if till.is_web else (_POS_KINDS, _POS_WEIGHTS)
        slots: list[Slot] = []
        follower: Kind | None = None
        for kind, cart in zip(
            rng.choices(kinds, cum_weights=weights, k=count), rng.choices(carts, k=count), strict=True
        ):
            if follower is not None:
                slots.append(Slot(follower, slots[-1].cart if follower in CAME_FROM else cart))
                follower = None
            elif kind in FOLLOWED_BY and len(slots) == count - 1:
                slots.append(Slot(Kind.SALE, cart))  # the day ends before its second half
            else:
                slots.append(self._turned_awkward(rng, till, day, Slot(kind, cart)))
                follower = FOLLOWED_BY.get(kind)
        return tuple(slots)

    def _turned_awkward(self, rng: random.Random, till: Till, day: date, slot: Slot) -> Slot:
        """In an awkward chain a sale may be one in euros, or something that nobody knows."""
        if not self._awkward or slot.kind not in _AWKWARD:
            return slot
        chance = rng.random()
        for share, becomes in _AWKWARD[slot.kind]:
            if chance < share:
                return Slot(becomes, slot.cart)
        if chance > 1 - _IN_EUROS and not till.is_web and till.store(day).takes_euros:
            return Slot(slot.kind, rng.choice(self._carts.priced(campaign_on(day), SWEDEN_IN_EUROS)))
        return slot

    def _with_returns(self, rng: random.Random, till: Till, day: date) -> Iterator[Slot]:
        for slot in self._slots(till, day):
            if slot.kind in RETURNS:
                yield self._return(rng, till, day, slot)
            elif slot.kind is Kind.MIXED:
                back = self._returnable(rng, till, day)
                yield Slot(slot.kind, Cart(slot.cart.lines + back.first_line_back().lines))
            else:
                yield slot

    def _returnable(self, rng: random.Random, till: Till, day: date) -> Cart:
        return rng.choice(self._carts.returnable(campaign_on(day), till.market))

    def _return(self, rng: random.Random, till: Till, day: date, slot: Slot) -> Slot:
        """A return of a purchase, mostly at this till, at the price then paid; without a receipt where there is none.

        Other tills are earlier ones of the same market: a store's days are the same in a larger chain.
        """
        bought = day - timedelta(days=rng.randint(LONGEST_OUTAGE + 1, OLDEST_RETURN))
        others = [other for other in self.tills[: till.index] if other.market is till.market]
        source = rng.choice(others) if rng.random() < _FROM_ANOTHER_TILL and others else till
        sold = self._slots(source, bought) if bought >= self._opened else ()
        first = rng.randrange(len(sold)) if sold else 0
        for index in (*range(first, len(sold)), *range(first)):
            cart = sold[index].cart
            is_settled_here = cart.market is till.market or slot.kind is Kind.RETURN
            if sold[index].kind is Kind.SALE and cart.can_come_back and is_settled_here:
                return Slot(slot.kind, cart.first_line_back(), Origin(source, bought, index))
        return Slot(slot.kind, self._returnable(rng, till, day).first_line_back())


def _tills(stores: tuple[Store, ...], *, moves_on: date) -> Iterator[Till]:
    index = 0
    for place, store in enumerate(stores):
        for register in store.registers:
            earlier = [other for other in stores[:place] if other.market is store.market]
            moves = place == 2 and register.number == 3 and bool(earlier)
            yield Till(index, store, register, *((moves_on, earlier[0]) if moves else ()))
            index += 1
    yield Till(index, None, None)
