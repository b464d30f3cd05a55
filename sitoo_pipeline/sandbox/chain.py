"""The chain: its frozen description, and the books in which its days are found. Equal descriptions give equal days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from sitoo_pipeline.sandbox.orderbook import OrderBook
from sitoo_pipeline.sandbox.stock import StockBook
from sitoo_pipeline.sandbox.stores import Store, build_stores
from sitoo_pipeline.sandbox.tills import Till, TillBook
from sitoo_pipeline.sandbox.zbook import ZBook


@dataclass(frozen=True)
class Chain:
    """A chain of stores with a web shop, trading since ``opened``.

    Args:
        stores: how many stores; a larger chain has the same first stores.
        seed: what chance decides. Equal chains have equal days.
        opened: first business date.
        timezone: IANA zone of the chain and of every store in Sweden.
        orders_per_day: orders of an average store on an average day.
        awkward: two stores are abroad, in other zones, and what is rare or looks like bad data happens as well. Some
            orders then have no z-report, and some figures no store. Every case is listed in ``docs/sandbox.md``.
    """

    stores: int = 6
    seed: int = 1
    opened: date = date(2026, 10, 1)
    timezone: str = "Europe/Stockholm"
    orders_per_day: int = 110
    awkward: bool = False

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone by which the chain keeps its books."""
        return ZoneInfo(self.timezone)

    @cached_property
    def _places(self) -> tuple[Store, ...]:
        return build_stores(count=self.stores, seed=self.seed, zone=self.zone, awkward=self.awkward)

    @cached_property
    def store_list(self) -> tuple[Store, ...]:
        """The stores that Sitoo lists, in order of their ids."""
        return tuple(store for store in self._places if store.listed)

    @property
    def timezones(self) -> dict[str, str]:
        """IANA zone by external store id, of the stores in another zone than the chain's."""
        return {store.externalid: store.zone.key for store in self.store_list if store.zone.key != self.timezone}

    @cached_property
    def _tills(self) -> TillBook:
        return TillBook(
            seed=self.seed,
            orders_per_day=self.orders_per_day,
            stores=self._places,
            opened=self.opened,
            awkward=self.awkward,
        )

    @property
    def tills(self) -> tuple[Till, ...]:
        """Every till, and the web shop as the last."""
        return self._tills.tills

    @cached_property
    def orders(self) -> OrderBook:
        """The orders by arrival."""
        return OrderBook(tills=self._tills, opened=self.opened, zone=self.zone)

    @cached_property
    def z_reports(self) -> ZBook:
        """The z-reports by arrival."""
        return ZBook(tills=self._tills, orders=self.orders, opened=self.opened, zone=self.zone, awkward=self.awkward)

    @cached_property
    def stock(self) -> StockBook:
        """The warehouse transactions by arrival."""
        return StockBook(chain=self, tills=self._tills)
