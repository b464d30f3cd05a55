"""All z-reports of a chain: when tills opened and closed, and when the report arrived. Its JSON is in ``zreports``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from sitoo_pipeline.sandbox.clock import instant, trading_day
from sitoo_pipeline.sandbox.markets import ZERO
from sitoo_pipeline.sandbox.numbering import Numbering
from sitoo_pipeline.sandbox.oddities import LATE_BY, comes_weeks_late, has_no_opening
from sitoo_pipeline.sandbox.orderbook import OrderBook
from sitoo_pipeline.sandbox.tills import LONGEST_OUTAGE, Till, TillBook
from sitoo_pipeline.sandbox.zreports import Period, z_report

_OPENS_BEFORE, _CLOSES_AFTER = 10, 20  # minutes before opening and after closing of the store
_CHANGE_OF_STAFF = 15 * 60  # on a day with two reports the first closes at 15:00


class ZBook:
    """Z-reports of every till, numbered per till, in the order in which they reached Sitoo."""

    def __init__(self, *, tills: TillBook, orders: OrderBook, opened: date, zone: ZoneInfo, awkward: bool) -> None:
        self._tills, self._orders, self._opened, self._zone, self._awkward = tills, orders, opened, zone, awkward
        self._registers = tuple(till for till in tills.tills if not till.is_web)
        delays = range(LONGEST_OUTAGE + 1)
        self._delays = (*delays, *(LATE_BY + delay for delay in delays)) if awkward else tuple(delays)
        self._numbers = [
            Numbering(opened=opened, first=1, count=partial(self._reports_made, till)) for till in self._registers
        ]
        self._lifetime: list[list[tuple[Decimal, Decimal]]] = [[(ZERO, ZERO)] for _ in self._registers]
        self.closed_on = lru_cache(maxsize=16 * len(tills.tills))(self._closed_on)

    def _reports_made(self, till: Till, day: date) -> int:
        return self._tills.tally(till, day).z_reports

    def _closed_on(self, till: Till, day: date) -> tuple[Period, ...]:
        """The reports of one till's trading day."""
        store = till.store(day)
        hours = store.hours(day)
        if hours is None:
            return ()
        bounds = [
            instant(day, hours[0] - _OPENS_BEFORE, store.zone),
            instant(day, hours[1] + _CLOSES_AFTER, store.zone),
        ]
        bounds[1] += (day.toordinal() * 31 + till.index * 97) % 600  # nobody closes on the minute
        if self._tills.day(till, day).z_reports == 2:
            bounds.insert(1, instant(day, _CHANGE_OF_STAFF, store.zone))
        made = self._orders.made_on(till, day)
        first = self._numbers[till.index].start(day)
        periods = []
        for offset, (begins, ends) in enumerate(pairwise(bounds)):
            sales = tuple(sale for sale in made if begins < sale.ordered_at <= ends)
            added = max([ends, *(sale.arrives_at for sale in sales)]) + 5
            if self._awkward and comes_weeks_late(till, day):
                added += LATE_BY * 86400
            periods.append(Period(till, day, first + offset, begins, ends, added, sales))
        return tuple(periods)

    def arrived_on(self, day: date, *, of: Callable[[Period], bool]) -> list[Period]:
        """The reports that reached Sitoo on the trading day ``day``, in that order, and for which ``of`` holds."""
        periods = [
            period
            for till in self._registers
            for back in self._delays
            if day - timedelta(days=back) >= self._opened
            for period in self.closed_on(till, day - timedelta(days=back))
            if trading_day(period.added_at, self._zone) == day and of(period)
        ]
        return sorted(periods, key=lambda period: (period.added_at, period.till.index, period.number))

    def added(self, *, since: int, until: int, of: Callable[[Period], bool]) -> Iterator[Period]:
        """Reports with ``since <= added_at <= until``, ascending by ``added_at``."""
        day = max(self._opened, trading_day(since, self._zone))
        last = trading_day(until, self._zone)
        while day <= last:
            yield from (period for period in self.arrived_on(day, of=of) if since <= period.added_at <= until)
            day += timedelta(days=1)

    def closed(self, till: Till, *, since: int, until: int) -> list[Period]:
        """One till's reports with ``since <= closed_at <= until``, newest first."""
        day = max(self._opened, trading_day(since, self._zone))
        last = trading_day(until, self._zone)
        periods: list[Period] = []
        while day <= last:
            periods += (period for period in self.closed_on(till, day) if since <= period.closed_at <= until)
            day += timedelta(days=1)
        return periods[::-1]

    def _sold_before(self, till: Till, day: date) -> tuple[Decimal, Decimal]:
        """Sales and refunds of ``till`` from the chain's first day up to ``day``, summed from outlines."""
        totals = self._lifetime[till.index]
        while len(totals) <= (day - self._opened).days:
            tally = self._tills.tally(till, self._opened + timedelta(days=len(totals) - 1))
            sales, refunds = totals[-1]
            totals.append((sales + tally.sales, refunds + tally.refunds))
        return totals[(day - self._opened).days]

    def render(self, period: Period) -> dict[str, object]:
        """``period`` in the shape of ``/pos-z-reports``."""
        sold, refunded = self._sold_before(period.till, period.day)
        for earlier in self.closed_on(period.till, period.day):
            if earlier.number <= period.number:
                carts = [sale.slot.cart for sale in earlier.reported]
                sold += sum((cart.sales for cart in carts), ZERO)
                refunded += sum((cart.refunds for cart in carts), ZERO)
        rng = self._tills.rng(f"cash/{period.number}", period.till, period.day)
        report = z_report(period, lifetime=(sold, refunded), rng=rng)
        is_silent = self._awkward and has_no_opening(period.till, period.number)
        return {**report, "dateopened": None} if is_silent else report
