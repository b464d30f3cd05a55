"""The figures once more, from Sitoo's JSON objects, one order after the other, in plain Python.

It shares no code with the pipeline and imports nothing of it, so that a rule misread there is not misread here by the
same line. Slow and simple on purpose. Every function gives rows as dicts with the columns of its mart in their order,
sorted by the mart's key (nulls last); money is ``Decimal``, an instant an aware ``datetime`` in UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

Json = Mapping[str, Any]
Row = dict[str, Any]

CENT = Decimal("0.01")
AMOUNTS = ("gross_sales", "net_sales", "discounts", "returns", "returns_net", "gift_card_sales", "roundoff")
COUNTS = ("transactions", "return_transactions", "goods_sold", "goods_returned")


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
    roundoff: Decimal
    lines: list[Line]

    @property
    def day(self) -> date:
        return self.local.date()


@dataclass(frozen=True)
class Oracle:
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
    store_timezones: Mapping[str, str] = field(default_factory=dict)
    loaded_dates: Collection[date] | None = None
    channels: Collection[str] = ("pos",)

    # Places

    def _zone_of(self, store: str) -> ZoneInfo:
        return ZoneInfo(self.store_timezones.get(store) or self.account_timezone)

    def _store_of_warehouse(self, warehouse_id: int | None) -> str | None:
        for warehouse in self.warehouses:
            if warehouse_id is not None and warehouse["warehouseid"] == warehouse_id:
                for store in self.stores:
                    if store["storeid"] == warehouse.get("storeid"):
                        return store.get("externalid") or None
        return None

    def _store_of_register(self, register_id: str | None) -> str | None:
        for register in self.registers:
            if register_id and register["registerid"] == register_id:
                return self._store_of_warehouse(register.get("warehouseid"))
        return None

    def _listed_name(self, store_id: str) -> str | None:
        for store in sorted(self.stores, key=lambda s: s["storeid"]):
            if store.get("externalid") == store_id and store.get("name"):
                return str(store["name"])
        return None

    # Orders

    def _sales(self, days: Collection[date]) -> list[Sale]:
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
                or self._store_of_register(order.get("registerid"))
                or self._store_of_warehouse(order.get("warehouseid"))
                or "unknown"
            )
            own = extra.get("pos-timezone")
            zone = ZoneInfo(own) if own in available_timezones() else self._zone_of(store)
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
                roundoff=money(order.get("moneytotal_gross_roundoff")),
                lines=list(self._lines(order)),
            )
            if sale.day in days:
                sales.append(sale)
        return sales

    def _lines(self, order: Json) -> Iterator[Line]:
        gift_groups = {g["productgroupname"] for g in self.product_groups if g["productgrouptype"] == 30}
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

    # Marts

    def hourly_sales(self) -> list[Row]:
        """Rows of ``marts.hourly_sales``."""
        groups: dict[tuple[Any, ...], list[Sale]] = defaultdict(list)
        snapshots: dict[tuple[str, date], str] = {}
        for sale in self._sales(self.dates):
            hour = sale.local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
            groups[sale.store, sale.channel, sale.currency, sale.day, hour].append(sale)
            if sale.snapshot_name:
                snapshots.setdefault((sale.store, sale.day), sale.snapshot_name)
        rows = []
        for (store, channel, currency, day, hour), sales in sorted(groups.items()):
            figures = total(sales)
            rows.append(
                {
                    "account": self.account,
                    "store_id": store,
                    "store_name": self._listed_name(store) or snapshots.get((store, day)),
                    "channel": channel,
                    "currency": currency,
                    "business_date": day,
                    "hour_start": hour,
                    "local_hour": sales[0].local.hour,
                    **_measures(figures),
                }
            )
        return rows

    def daily_sales(self) -> list[Row]:
        """Rows of ``marts.daily_sales``."""
        groups: dict[tuple[Any, ...], list[Sale]] = defaultdict(list)
        names: dict[tuple[str, date], str | None] = {}
        for sale in self._sales(self.dates):
            groups[sale.store, sale.channel, sale.currency, sale.day].append(sale)
            names[sale.store, sale.day] = (
                self._listed_name(sale.store) or names.get((sale.store, sale.day)) or sale.snapshot_name
            )
        return [
            {
                "account": self.account,
                "store_id": store,
                "store_name": names[store, day],
                "channel": channel,
                "currency": currency,
                "business_date": day,
                **_measures(total(sales)),
            }
            for (store, channel, currency, day), sales in sorted(groups.items())
        ]

    def weekly_balance_hourly(self) -> list[Row]:
        """Rows of ``marts.weekly_balance_hourly``."""
        sold: dict[tuple[str, str, date], list[Sale]] = defaultdict(list)
        for sale in self._sales(self.dates):
            if sale.channel in self.channels:
                sold[sale.store, sale.currency, sale.day].append(sale)
        sets = dict(sold)
        for day in self.dates:
            for store in {s["externalid"] for s in self.stores if s.get("externalid")}:
                if not any(key[0] == store and key[2] == day for key in sold):
                    sets[store, self._home_currency(store), day] = []
        names = ("gross_sales", "net_sales", "discounts", "returns", "transactions", "goods_sold", "goods_returned")
        rows = []
        for (store, currency, day), sales in sorted(sets.items()):
            for hour in range(24):
                figures = total([sale for sale in sales if sale.local.hour == hour])
                rows.append(
                    {
                        "account": self.account,
                        "store_id": store,
                        "currency": currency,
                        "business_date": day,
                        "hour": hour,
                        **{name: figures[name] for name in names},
                        "visitors": 0,
                    }
                )
        return rows

    def _home_currency(self, store: str) -> str:
        for warehouse in sorted(self.warehouses, key=lambda w: w["warehouseid"]):
            belongs = self._store_of_warehouse(warehouse["warehouseid"]) == store
            if belongs and warehouse.get("currencycode"):
                return str(warehouse["currencycode"])
        return "unknown"

    def z_report_reconciliation(self) -> list[Row]:
        """Rows of ``marts.z_report_reconciliation``."""
        loaded = set(self.dates if self.loaded_dates is None else self.loaded_dates)
        sales = [sale for sale in self._sales(loaded | set(self.dates)) if sale.register]
        covered: set[int] = set()
        rows = []
        for report in self.z_reports:
            opened, closed = self._period(report)
            zone = self._zone_of(report.get("store_id") or "unknown")
            currency = report.get("currencycode") or "unknown"
            inside = [
                sale
                for sale in sales
                if sale.register == report["registerid"] and sale.currency == currency and opened < sale.at <= closed
            ]
            covered |= {sale.order_id for sale in inside}
            day = closed.astimezone(zone).date()
            if day not in self.dates:
                continue
            theirs = {
                "gross_sales": money(report.get("moneysalestotal")),
                "net_sales": money(report.get("moneysalestotalnet")),
                "goods_sold": report.get("numsalesitems") or 0,
                "returns": money(report.get("moneyrefundtotal")),
                "goods_returned": report.get("numrefunditems") or 0,
                "discounts": money(report.get("moneydiscount")),
                "roundoff": money(report.get("moneyroundoff")),
                "numsales": report.get("numsales") or 0,
                "numrefund": report.get("numrefund") or 0,
            }
            ours = with_gift_cards(inside)
            differences = {name: theirs[name] - ours[name] for name in theirs}
            first = min((opened + timedelta(seconds=1)).astimezone(zone).date(), day)
            reached = {first + timedelta(days=n) for n in range((day - first).days + 1)}
            status = "unbalanced" if any(differences.values()) else "balanced"
            rows.append(
                {
                    "account": self.account,
                    "store_id": report.get("store_id") or "unknown",
                    "register_id": report["registerid"],
                    "z_report_id": report["zreportid"],
                    "business_date": day,
                    "currency": currency,
                    "status": status if reached <= loaded else "partly_loaded",
                    **{f"z_{name}": figure for name, figure in theirs.items()},
                    **{f"ours_{name}": ours[name] for name in theirs},
                    **{f"diff_{name}": figure for name, figure in differences.items()},
                }
            )
        left = defaultdict(list)
        for sale in sales:
            if sale.order_id not in covered and sale.day in self.dates:
                left[sale.register, sale.day, sale.currency].append(sale)
        for (register, day, currency), alone in left.items():
            ours = with_gift_cards(alone)
            rows.append(
                {
                    "account": self.account,
                    "store_id": alone[0].store,
                    "register_id": register,
                    "z_report_id": None,
                    "business_date": day,
                    "currency": currency,
                    "status": "missing_z_report",
                    **{f"z_{name}": None for name in ours},
                    **{f"ours_{name}": figure for name, figure in ours.items()},
                    **{f"diff_{name}": None for name in ours},
                }
            )
        rows.sort(
            key=lambda r: (
                r["register_id"],
                r["z_report_id"] is None,
                r["z_report_id"] or 0,
                r["business_date"],
                r["currency"],
            )
        )
        return rows

    def _period(self, report: Json) -> tuple[datetime, datetime]:
        """Opening (not included) and closing (included)."""
        closed = datetime.fromtimestamp(report["datecreated"], UTC)
        if report.get("dateopened") is not None:
            return datetime.fromtimestamp(report["dateopened"], UTC), closed
        mine = (report["datecreated"], report["zreportid"])
        before = [
            (other["datecreated"], other["zreportid"])
            for other in self.z_reports
            if other["registerid"] == report["registerid"] and (other["datecreated"], other["zreportid"]) < mine
        ]
        if before:
            return datetime.fromtimestamp(max(before)[0], UTC), closed
        zone = self._zone_of(report.get("store_id") or "unknown")
        midnight = datetime(self.start_date.year, self.start_date.month, self.start_date.day, tzinfo=zone)
        return midnight.astimezone(UTC) - timedelta(seconds=1), closed

    def stock_movements_daily(self) -> list[Row]:
        """Rows of ``marts.stock_movements_daily``."""
        causes = {30: "sold", 40: "refunded", 10: "in", 20: "out", 50: "stocktaking"}
        days: dict[tuple[int, date, str], Row] = {}
        for transaction in self.warehouse_transactions:
            warehouse = transaction["warehouseid"]
            store = self._store_of_warehouse(warehouse) or "unknown"
            moved = datetime.fromtimestamp(transaction["datecreated"], UTC)
            day = moved.astimezone(self._zone_of(store)).date()
            if day not in self.dates:
                continue
            for item in transaction["items"]:
                sku = item.get("sku") or ""
                empty = {
                    "account": self.account,
                    "store_id": store,
                    "warehouse_id": warehouse,
                    "business_date": day,
                    "sku": sku,
                    **{f"quantity_{cause}": Decimal(0) for cause in (*causes.values(), "other")},
                    "quantity_change": Decimal(0),
                    "money_value_change": Decimal(0),
                    "movements": 0,
                }
                row = days.setdefault((warehouse, day, sku), empty)
                quantity = Decimal(item.get("decimalquantity") or "0")
                row[f"quantity_{causes.get(transaction.get('transactiontype') or 0, 'other')}"] += quantity
                row["quantity_change"] += quantity
                row["money_value_change"] += money(item.get("moneyvalue"))
                row["movements"] += 1
        return [days[key] for key in sorted(days)]


def money(text: str | None) -> Decimal:
    """An amount; absent or empty is nothing."""
    return Decimal(text) if text else Decimal(0)


def total(sales: Iterable[Sale]) -> dict[str, Any]:
    """The figures of a weekly balance's sense: gift cards are no sales and no goods."""
    figures: dict[str, Any] = {name: Decimal(0) for name in AMOUNTS} | dict.fromkeys(COUNTS, 0)
    for sale in sales:
        figures["roundoff"] += sale.roundoff
        figures["transactions"] += any(line.sold for line in sale.lines)
        figures["return_transactions"] += any(not line.sold for line in sale.lines)
        for line in sale.lines:
            if line.gift_card:
                figures["gift_card_sales"] += line.gross
            elif line.sold:
                figures["gross_sales"] += line.gross
                figures["net_sales"] += line.net
                figures["discounts"] += line.discount
                figures["goods_sold"] += line.goods
            else:
                figures["returns"] -= line.gross
                figures["returns_net"] -= line.net
                figures["goods_returned"] += line.goods
    return figures


def with_gift_cards(sales: Iterable[Sale]) -> dict[str, Any]:
    """The figures of a z-report's sense: gift cards are sales and goods like any other."""
    sales = list(sales)
    sold = [line for sale in sales for line in sale.lines if line.sold]
    back = [line for sale in sales for line in sale.lines if not line.sold]
    nothing = Decimal(0)
    return {
        "gross_sales": sum((line.gross for line in sold), nothing),
        "net_sales": sum((line.net for line in sold), nothing),
        "goods_sold": sum(line.goods for line in sold),
        "returns": -sum((line.gross for line in back), nothing),
        "goods_returned": sum(line.goods for line in back),
        "discounts": sum((line.discount for line in sold), nothing),
        "roundoff": sum((sale.roundoff for sale in sales), nothing),
        "numsales": sum(any(line.sold for line in sale.lines) for sale in sales),
        "numrefund": sum(any(not line.sold for line in sale.lines) for sale in sales),
    }


def _measures(figures: Mapping[str, Any]) -> Row:
    """The measures of the sales marts in their order."""
    return {
        "gross_sales": figures["gross_sales"],
        "net_sales": figures["net_sales"],
        "vat": figures["gross_sales"] - figures["net_sales"],
        **{name: figures[name] for name in (*AMOUNTS[2:], *COUNTS)},
        "visitors": None,
    }
