"""The tills' z-reports against the orders of their registers and periods, and the orders behind each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sitoo_pipeline_tests.oracle.account import Account, Json, Sale, money
from sitoo_pipeline_tests.oracle.totals import with_gift_cards

Row = dict[str, Any]


@dataclass(frozen=True)
class Tills(Account):
    """The rows that the marts about z-reports must have."""

    def z_report_reconciliation(self) -> list[Row]:
        """Rows of ``marts.z_report_reconciliation``."""
        return [row for row, _ in self._reconciled()]

    def z_report_orders(self) -> list[Row]:
        """Rows of ``marts.z_report_orders``."""
        repeated = [f"{side}_{name}" for name in ("gross_sales", "returns") for side in ("z", "ours", "diff")]
        heads = ("account", "store_id", "register_id", "z_report_id", "business_date", "currency", "status", *repeated)
        found = []
        for row, behind in self._reconciled():
            orders: list[Row] = [
                {
                    "order_id": sale.order_id,
                    "receipt_id": sale.receipt,
                    "ordered_at": sale.at,
                    **{f"order_{name}": figure for name, figure in with_gift_cards([sale]).items()},
                }
                for sale in behind
            ]
            nothing = {f"order_{name}": figure for name, figure in with_gift_cards([]).items()}
            orders = orders or [{"order_id": None, "receipt_id": None, "ordered_at": None, **nothing}]
            found += [{name: row[name] for name in heads} | order for order in orders]
        return found

    def _reconciled(self) -> list[tuple[Row, list[Sale]]]:
        """Each row, by the mart's key, with its orders by id."""
        loaded = set(self.dates if self.loaded_dates is None else self.loaded_dates)
        sales = [sale for sale in self.sales(loaded | set(self.dates)) if sale.register]
        covered: set[int] = set()
        rows: list[tuple[Row, list[Sale]]] = []
        for report in self.z_reports:
            opened, closed = self._period(report)
            zone = self.zone_of(report.get("store_id") or "unknown")
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
            row = {
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
            rows.append((row, inside))
        left = defaultdict(list)
        for sale in sales:
            if sale.order_id not in covered and sale.day in self.dates:
                left[sale.register, sale.day, sale.currency].append(sale)
        for (register, day, currency), alone in left.items():
            ours = with_gift_cards(alone)
            row = {
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
            rows.append((row, alone))
        rows.sort(
            key=lambda pair: (
                pair[0]["register_id"],
                pair[0]["z_report_id"] is None,
                pair[0]["z_report_id"] or 0,
                pair[0]["business_date"],
                pair[0]["currency"],
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
        zone = self.zone_of(report.get("store_id") or "unknown")
        midnight = datetime(self.start_date.year, self.start_date.month, self.start_date.day, tzinfo=zone)
        return midnight.astimezone(UTC) - timedelta(seconds=1), closed
