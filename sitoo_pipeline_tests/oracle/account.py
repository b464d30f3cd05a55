"""The account as Sitoo answers it: where and when each order was sold, and what each of its lines is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

Json = Mapping[str, Any]

CENT = Decimal("0.01")
ZONES = available_timezones()  # asked once: every call reads the whole folder of zones


@dataclass(frozen=True)
class Line:
    """An order line that is on a side."""

    sold: bool
    gift_card: bool
    net: Decimal
    gross: Decimal
    goods: int
    discount: Decimal


@dataclass(frozen=True)
class Sale:
    """An order that counts."""

    order_id: int
    at: datetime
    local: datetime
    store: str
    snapshot_name: str | None
    channel: str
    currency: str
    register: str | None
    receipt: str | None
    roundoff: Decimal
    lines: list[Line]

    @property
    def day(self) -> date:
        return self.local.date()


@dataclass(frozen=True)
class Account:
    """An account's objects as Sitoo answers them, and what the settings say of it.

    ``dates`` are the business dates of which rows are wanted, ``loaded_dates`` those whose orders are loaded (all of
    ``dates`` unless said otherwise).
    """

    account: str
    account_timezone: str
    dates: Collection[date]
    start_date: date
    orders: Sequence[Json] = ()
    z_reports: Sequence[Json] = ()
    warehouse_transactions: Sequence[Json] = ()
    stores: Sequence[Json] = ()
    warehouses: Sequence[Json] = ()
    registers: Sequence[Json] = ()
    product_groups: Sequence[Json] = ()
    products: Sequence[Json] = ()
    store_timezones: Mapping[str, str] = field(default_factory=dict)
    loaded_dates: Collection[date] | None = None
    channels: Collection[str] = ("pos",)

    # Places

    def zone_of(self, store: str) -> ZoneInfo:
        return ZoneInfo(self.store_timezones.get(store) or self.account_timezone)

    def store_of_warehouse(self, warehouse_id: int | None) -> str | None:
        for warehouse in self.warehouses:
            if warehouse_id is not None and warehouse["warehouseid"] == warehouse_id:
                for store in self.stores:
                    if store["storeid"] == warehouse.get("storeid"):
                        return store.get("externalid") or None
        return None

    def store_of_register(self, register_id: str | None) -> str | None:
        for register in self.registers:
            if register_id and register["registerid"] == register_id:
                return self.store_of_warehouse(register.get("warehouseid"))
        return None

    def listed_name(self, store_id: str) -> str | None:
        for store in sorted(self.stores, key=lambda s: s["storeid"]):
            if store.get("externalid") == store_id and store.get("name"):
                return str(store["name"])
        return None

    # Orders

    def sales(self, days: Collection[date]) -> list[Sale]:
        """The orders of ``days`` that count, by order id."""
        sales = []
        for order in sorted(self.orders, key=lambda o: o["orderid"]):
            if order.get("ordertypeid") != 10 or order.get("orderstateid") in (20, -1):
                continue
            if order.get("paymentstateid") != 20:
                continue
            extra = order.get("additionaldata") or {}
            store = (
                extra.get("store-externalid")
                or self.store_of_register(order.get("registerid"))
                or self.store_of_warehouse(order.get("warehouseid"))
                or "unknown"
            )
            own = extra.get("pos-timezone")
            zone = ZoneInfo(own) if own in ZONES else self.zone_of(store)
            at = datetime.fromtimestamp(order["orderdate"], UTC)
            sale = Sale(
                order_id=order["orderid"],
                at=at,
                local=at.astimezone(zone),
                store=store,
                snapshot_name=extra.get("store-name") or None,
                channel="pos" if order.get("registerid") else "online",
                currency=order.get("currencycode") or "unknown",
                register=order.get("registerid") or None,
                receipt=extra.get("pos-receiptid") or None,
                roundoff=money(order.get("moneytotal_gross_roundoff")),
                lines=list(self._lines(order)),
            )
            if sale.day in days:
                sales.append(sale)
        return sales

    def _lines(self, order: Json) -> Iterator[Line]:
        gift_groups = {g["productgroupname"] for g in self.product_groups if g["productgrouptype"] == 30}
        gift_numbers = {g["vatid"] for g in self.product_groups if g["productgrouptype"] == 30}
        gift_products = {p["productid"] for p in self.products if p.get("vatid") in gift_numbers}
        owner: Json | None = None
        for item in order.get("orderitems") or []:
            is_product = item.get("orderitemtype") in (10, None)
            if is_product:
                owner = item
            deciding = owner or item
            sign = deciding.get("quantity") or 0
            if sign == 0:
                continue
            extra = deciding.get("additionaldata") or {}
            gift_card = bool(extra.get("giftcard-cardnumber")) or extra.get("product-group-name") in gift_groups
            gift_card = gift_card or deciding.get("productid") in gift_products
            net = money(item.get("moneyitemtotal_net"))
            gross = net + money(item.get("moneyitemtotal_vat"))
            discount = Decimal(0)
            if sign > 0 and not gift_card:
                if is_product:
                    discount = self._product_discount(item)
                elif gross < 0:
                    discount = -gross
            goods = abs(item["quantity"]) if is_product else 0
            yield Line(sold=sign > 0, gift_card=gift_card, net=net, gross=gross, goods=goods, discount=discount)

    @staticmethod
    def _product_discount(item: Json) -> Decimal:
        recorded = (item.get("additionaldata") or {}).get("orderitem-moneyrowdiscount")
        if recorded:
            return abs(Decimal(recorded))
        pieces = item.get("decimalquantitytotal")
        quantity = Decimal(pieces) if pieces is not None else Decimal(item["quantity"])
        factor = 1 + Decimal(str(item.get("vatvalue") or 0)) / 100
        return (money(item.get("moneydiscount")) * quantity * factor).quantize(CENT, ROUND_HALF_UP)


def money(text: str | None) -> Decimal:
    """An amount; absent or empty is nothing."""
    return Decimal(text) if text else Decimal(0)
