"""The figures once more, from Sitoo's JSON objects, one order after the other, in plain Python.

It shares no code with the pipeline and imports nothing of it, so that a rule misread there is not misread here by the
same line. Slow and simple on purpose. Every function gives rows as dicts with the columns of its mart in their order,
sorted by the mart's key (nulls last); money is ``Decimal``, an instant an aware ``datetime`` in UTC.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sitoo_pipeline_tests.oracle.account import Sale, money
from sitoo_pipeline_tests.oracle.stock import stock_reconciliation
from sitoo_pipeline_tests.oracle.tills import Row, Tills
from sitoo_pipeline_tests.oracle.totals import measures, total


@dataclass(frozen=True)
class Oracle(Tills):
    """The rows that each mart must have."""

    def hourly_sales(self) -> list[Row]:
        """Rows of ``marts.hourly_sales``."""
        groups: dict[tuple[Any, ...], list[Sale]] = defaultdict(list)
        snapshots: dict[tuple[str, date], str] = {}
        for sale in self.sales(self.dates):
            groups[_hour(sale)].append(sale)
            if sale.snapshot_name:
                snapshots.setdefault((sale.store, sale.day), sale.snapshot_name)
        rows = []
        for (store, channel, currency, day, hour), sales in sorted(groups.items()):
            figures = total(sales)
            rows.append(
                {
                    "account": self.account,
                    "store_id": store,
                    "store_name": self.listed_name(store) or snapshots.get((store, day)),
                    "channel": channel,
                    "currency": currency,
                    "business_date": day,
                    "hour_start": hour,
                    "local_hour": sales[0].local.hour,
                    **measures(figures),
                }
            )
        return rows

    def daily_sales(self) -> list[Row]:
        """Rows of ``marts.daily_sales``."""
        groups: dict[tuple[Any, ...], list[Sale]] = defaultdict(list)
        names: dict[tuple[str, date], str | None] = {}
        for sale in self.sales(self.dates):
            groups[sale.store, sale.channel, sale.currency, sale.day].append(sale)
            names[sale.store, sale.day] = (
                self.listed_name(sale.store) or names.get((sale.store, sale.day)) or sale.snapshot_name
            )
        return [
            {
                "account": self.account,
                "store_id": store,
                "store_name": names[store, day],
                "channel": channel,
                "currency": currency,
                "business_date": day,
                **measures(total(sales)),
            }
            for (store, channel, currency, day), sales in sorted(groups.items())
        ]

    def register_sales(self) -> list[Row]:
        """Rows of ``marts.register_sales``."""
        groups: dict[tuple[str, str, str, date], list[Sale]] = defaultdict(list)
        for sale in self.sales(self.dates):
            if sale.register:
                groups[sale.store, sale.register, sale.currency, sale.day].append(sale)
        return [
            {
                "account": self.account,
                "store_id": store,
                "register_id": register,
                "currency": currency,
                "business_date": day,
                **{name: value for name, value in measures(total(sales)).items() if name != "visitors"},
            }
            for (store, register, currency, day), sales in sorted(groups.items())
        ]

    def weekly_balance_hourly(self) -> list[Row]:
        """Rows of ``marts.weekly_balance_hourly``: an hour shows one clock, that of its lowest order id."""
        sold: dict[tuple[str, str, date], list[Sale]] = defaultdict(list)
        clock: dict[tuple[Any, ...], int] = {}
        for sale in self.sales(self.dates):
            clock.setdefault(_hour(sale), sale.local.hour)
            if sale.channel in self.channels:
                sold[sale.store, sale.currency, sale.day].append(sale)
        sets = dict(sold)
        for day in self.dates:
            for store in {s["externalid"] for s in self.stores if s.get("externalid")}:
                if not any(key[0] == store and key[2] == day for key in sold):
                    sets[store, self.home_currency(store), day] = []
        names = ("gross_sales", "net_sales", "discounts", "returns", "transactions", "goods_sold", "goods_returned")
        rows = []
        for (store, currency, day), sales in sorted(sets.items()):
            for hour in range(24):
                figures = total([sale for sale in sales if clock[_hour(sale)] == hour])
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

    def home_currency(self, store: str) -> str:
        """That of the store's lowest-numbered warehouse, else of its first register, as far as they have one."""
        tills = sorted(self.registers, key=lambda r: (r.get("warehouseid") or 0, r["registerid"]))
        owners = [
            *((w, w["warehouseid"]) for w in sorted(self.warehouses, key=lambda w: w["warehouseid"])),
            *((r, r.get("warehouseid")) for r in tills),
        ]
        for owner, warehouse in owners:
            if owner.get("currencycode") and self.store_of_warehouse(warehouse) == store:
                return str(owner["currencycode"])
        return "unknown"

    def stock_movements_daily(self) -> list[Row]:
        """Rows of ``marts.stock_movements_daily``."""
        causes = {30: "sold", 40: "refunded", 10: "in", 20: "out", 50: "stocktaking"}
        days: dict[tuple[int, date, str], Row] = {}
        for transaction in self.warehouse_transactions:
            warehouse = transaction["warehouseid"]
            store = self.store_of_warehouse(warehouse) or "unknown"
            moved = datetime.fromtimestamp(transaction["datecreated"], UTC)
            day = moved.astimezone(self.zone_of(store)).date()
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

    def stock_reconciliation(self) -> list[Row]:
        """Rows of ``marts.stock_reconciliation``."""
        return stock_reconciliation(self)


def _hour(sale: Sale) -> tuple[Any, ...]:
    """The row of ``marts.hourly_sales`` that a sale belongs to; its hour is an instant."""
    begins = sale.local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    return sale.store, sale.channel, sale.currency, sale.day, begins
