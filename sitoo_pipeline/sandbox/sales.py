"""The orders of a till's day in full: when made and arrived, who bought, how paid. Their JSON is in ``orders``."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sitoo_pipeline.sandbox.carts import Cart
from sitoo_pipeline.sandbox.clock import day_start, instant
from sitoo_pipeline.sandbox.customers import CUSTOMERS, Customer
from sitoo_pipeline.sandbox.markets import ZERO
from sitoo_pipeline.sandbox.tills import CAME_FROM, NOT_SALES, Kind, Slot, Till, TillDay

CASH, CARD, SWISH, GIFT_CARD, KLARNA, EXCHANGE = "Cash", "Card", "Swish", "Gift Card", "Klarna", "Exchange"
OPEN, CLOSED, CANCELLED, ABANDONED = 0, 10, 20, -1
UNPAID, PENDING, RESERVED, PAID, PAYMENT_CANCELLED = 0, 10, 15, 20, 30
_UNKNOWN_STATE, _UNKNOWN_PAYMENT_STATE, _UNKNOWN_TYPE = 7, 99, 120
_DELIVERY, _INVOICE = Decimal("49.00"), Decimal("29.00")  # incl. 25 % VAT
_FREE_DELIVERY_FROM = Decimal("500.00")
_BACK_ONLINE = 8 * 60 + 40  # a till that was offline over night uploads what it sold from 08:40

_BUSY = {10: 6, 11: 8, 12: 14, 13: 11, 14: 7, 15: 8, 16: 12, 17: 15, 18: 10, 19: 7, 26: 20, 27: 20}
"""Sales by hour after midnight of the trading day, where they are not 4: lunch, after work, the end of a long night."""
_TENDERS = (CARD, SWISH, CASH, GIFT_CARD)
_TENDER_WEIGHTS = (0.76, 0.86, 0.96, 1.0)  # cumulative

# (order state, payment state) until the order is settled, and after
_STATES = {
    Kind.BOOKING: ((OPEN, UNPAID), (CLOSED, UNPAID)),
    Kind.PARKED: ((OPEN, UNPAID), (CLOSED, UNPAID)),
    Kind.WEB: ((OPEN, RESERVED), (CLOSED, PAID)),
    Kind.WEB_CANCELLED: ((OPEN, RESERVED), (CANCELLED, PAYMENT_CANCELLED)),
    Kind.WEB_ABANDONED: ((ABANDONED, UNPAID), (ABANDONED, UNPAID)),
    Kind.WEB_UNPAID: ((OPEN, PENDING), (OPEN, PENDING)),
    Kind.WEB_DISPUTED: ((OPEN, RESERVED), (CLOSED, _UNKNOWN_PAYMENT_STATE)),
    Kind.COLLECTED: ((_UNKNOWN_STATE, PAID), (_UNKNOWN_STATE, PAID)),
    Kind.REPAIR: ((OPEN, UNPAID), (OPEN, UNPAID)),
}


class Payment(NamedTuple):
    """A payment: negative where money goes back. One named ``EXCHANGE`` settles two orders against each other."""

    name: str
    amount: Decimal


@dataclass(slots=True)
class Sale:
    """One order. ``id`` is set when its place among all arrivals is known; instants are epoch seconds."""

    till: Till
    day: date
    index: int
    slot: Slot
    ordered_at: int
    arrives_at: int
    settled_at: int
    customer: Customer | None
    payments: tuple[Payment, ...]
    roundoff: Decimal
    id: int = 0

    @property
    def dated_at(self) -> int:
        """What date filters compare: the time of the sale."""
        return self.ordered_at

    @property
    def order_type(self) -> int:
        """Sitoo's ``ordertypeid``: order, booking or parked cart."""
        return {Kind.BOOKING: 100, Kind.PARKED: 110, Kind.REPAIR: _UNKNOWN_TYPE}.get(self.slot.kind, 10)

    @property
    def delivery_fee(self) -> Decimal:
        """What the customer pays for shipping, incl. VAT."""
        is_free = not self.till.is_web or self.slot.cart.total >= _FREE_DELIVERY_FROM
        return ZERO if is_free else _DELIVERY

    @property
    def checkout_fee(self) -> Decimal:
        """What the customer pays for being sent an invoice, incl. VAT."""
        return _INVOICE if self.till.is_web and self.index % 5 == 3 else ZERO

    @property
    def total(self) -> Decimal:
        """The amount to pay."""
        return self.slot.cart.total + self.delivery_fee + self.checkout_fee + self.roundoff

    @property
    def delivered_at(self) -> int | None:
        """When its goods left the warehouse or came back; None where nothing is ever delivered."""
        if self.slot.kind is Kind.WEB:
            return self.settled_at
        return self.ordered_at if not self.till.is_web and self.order_type == 10 else None

    def states(self, now: int) -> tuple[int, int]:
        """Order state and payment state as seen at ``now``."""
        before, after = _STATES.get(self.slot.kind, ((CLOSED, PAID),) * 2)
        if self.slot.kind is Kind.WEB and is_paid_at_once(self.index):
            before = OPEN, PAID
        return after if now >= self.settled_at else before


def web_ships_on(day: date, index: int) -> date:
    """The trading day on which a web order of ``day`` is shipped: one or two days later."""
    return day + timedelta(days=1 + index % 2)


def is_paid_at_once(index: int) -> bool:
    """Whether a web order is paid when it is made, so that it is open and paid until it is shipped."""
    return index % 4 == 1


def is_sent_by_supplier(day: date, index: int) -> bool:
    """Whether a web order never sees a warehouse of the chain."""
    return (day.toordinal() + index) % 11 == 5


def sales_of(plan: TillDay, *, zone: ZoneInfo, rng: random.Random) -> list[Sale]:
    """The orders of ``plan`` in the order in which they were made. ``zone`` is the chain's."""
    if not plan.slots:
        return []
    times = _web_times(plan, zone, rng) if plan.till.is_web else _till_times(plan, rng)
    arrivals = _arrivals(plan, times, zone, rng)
    sales: list[Sale] = []
    for index, slot in enumerate(plan.slots):
        customer = _customer(rng, slot.kind)
        payments, roundoff = _pay(rng, plan, index)
        sale = Sale(
            plan.till,
            plan.day,
            index,
            slot,
            times[index],
            arrivals[index],
            arrivals[index],
            customer,
            payments,
            roundoff,
        )
        if plan.till.is_web:
            shipped = instant(web_ships_on(plan.day, index), 14 * 60, zone) + index * 7
            sale.settled_at = shipped if slot.kind is Kind.WEB else arrivals[index] + 6 * 3600
            by_invoice = sale.checkout_fee or rng.random() < 0.4
            sale.payments = (Payment(KLARNA if by_invoice else CARD, sale.total),)
        if slot.kind in CAME_FROM:
            sales[-1].settled_at = sale.arrives_at
            sale.customer = sales[-1].customer
        sales.append(sale)
    return sales


@lru_cache(maxsize=64)
def _minutes(opens: int, length: int) -> tuple[int, ...]:
    return tuple(accumulate(_BUSY.get(minute // 60, 4) for minute in range(opens, opens + length)))


def _till_times(plan: TillDay, rng: random.Random) -> list[int]:
    """Distinct, rising instants within the store's opening hours; the till closes its day some minutes after them."""
    store = plan.till.store(plan.day)
    hours = store.hours(plan.day)
    assert hours is not None
    first, last = (instant(plan.day, minute, store.zone) for minute in hours)
    weights = _minutes(hours[0], (last - first) // 60)  # an hour more or less in the night in which the clocks change
    drawn = sorted(
        first + bisect_left(weights, rng.randrange(1, weights[-1] + 1)) * 60 + rng.randrange(60) for _ in plan.slots
    )
    return list(_spread(drawn))


def _spread(times: list[int]) -> Iterator[int]:
    """A till makes one sale at a time: each comes at least a second after the one before it."""
    before = 0
    for time in times:
        before = max(time, before + 1)
        yield before


def _web_times(plan: TillDay, zone: ZoneInfo, rng: random.Random) -> list[int]:
    first, last = day_start(plan.day, zone), day_start(plan.day + timedelta(days=1), zone) - 60
    return list(_spread(sorted(rng.randrange(first, last) for _ in plan.slots)))


def _arrivals(plan: TillDay, times: list[int], zone: ZoneInfo, rng: random.Random) -> list[int]:
    """When each order reaches Sitoo: seconds later, or together with the others once the till is online again."""
    arrivals = [time + 2 + index % 7 for index, time in enumerate(times)]
    if plan.till.is_web:
        return [time + 1 for time in times]
    if rng.random() < 0.03:  # offline for some hours of the same day
        begins = times[int(len(times) * rng.uniform(0.1, 0.8))]
        ends = min(begins + rng.randrange(90, 240) * 60, day_start(plan.day + timedelta(days=1), zone) - 3600)
        arrivals = [
            ends + i if begins <= time < ends else at for i, (time, at) in enumerate(zip(times, arrivals, strict=True))
        ]
    if plan.late_from < len(times):
        online = (
            instant(plan.late_until, _BACK_ONLINE, plan.till.store(plan.day).zone)
            + 600 * (plan.late_until - plan.day).days
        )
        arrivals[plan.late_from :] = [online + 2 * index for index in range(len(times) - plan.late_from)]
    return arrivals


def _customer(rng: random.Random, kind: Kind) -> Customer | None:
    known = 1.0 if kind.name.startswith("WEB") or kind is Kind.BOOKING else 0.12
    return rng.choice(CUSTOMERS) if rng.random() < known else None


def _pay(rng: random.Random, plan: TillDay, index: int) -> tuple[tuple[Payment, ...], Decimal]:
    """Payments and cash rounding of one order of a till."""
    slot = plan.slots[index]
    tender = rng.choices(_TENDERS, cum_weights=_TENDER_WEIGHTS)[0]
    if slot.kind in NOT_SALES:
        return (), ZERO  # a booking or a parked cart is not paid
    total, market = slot.cart.total, slot.cart.market
    if slot.kind in (Kind.EXCHANGE_RETURN, Kind.EXCHANGE_SALE):
        first = index if slot.kind is Kind.EXCHANGE_RETURN else index - 1
        settled = min(plan.slots[first].cart.to_pay_back, plan.slots[first + 1].cart.to_pay)
        return _split(EXCHANGE, settled if total > 0 else -settled, total), ZERO
    if tender == GIFT_CARD and total > 0:
        return _split(GIFT_CARD, min(market.amount(Decimal("200.00")), total), total), ZERO
    if tender == CASH:
        in_coins = market.in_cash(total)
        return (Payment(CASH, in_coins),), in_coins - total
    return (Payment(CARD if tender == GIFT_CARD else tender, total),), ZERO


def _split(name: str, amount: Decimal, total: Decimal) -> tuple[Payment, ...]:
    rest = total - amount
    return (Payment(name, amount), Payment(CARD, rest)) if rest else (Payment(name, amount),)


def takings(cart: Cart, payments: tuple[Payment, ...], roundoff: Decimal) -> tuple[list[Payment], list[Payment]]:
    """An order's payments as a till counts them, without cash rounding.

    Returns:
        What settled its sale lines, and what was paid for its return lines; both positive.
    """
    paid = [Payment(p.name, p.amount - roundoff if p.name == CASH else p.amount) for p in payments]
    if not cart.to_pay_back:
        return paid, []
    if not cart.to_pay:
        return [], [Payment(p.name, -p.amount) for p in paid]
    return [Payment(paid[0].name, cart.to_pay)], [Payment(paid[0].name, cart.to_pay_back)]
