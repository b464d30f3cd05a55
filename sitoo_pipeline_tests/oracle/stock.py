"""Goods sold against stock moved, worked out piece by piece: every difference and what may be behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sitoo_pipeline_tests.oracle.account import Account, Json

Key = tuple[str, date, str, str]
"""Store, date, SKU, side."""

NOTHING = Decimal(0)
_REACH = (-3, -2, -1, 1, 2, 3)


@dataclass
class Bin:
    """What is known of one SKU on one side of a store's day."""

    sold: Decimal = NOTHING
    moved: Decimal = NOTHING
    orders: set[int] = field(default_factory=set)
    transactions: set[int] = field(default_factory=set)
    never_moves: Decimal = NOTHING
    still_open: Decimal = NOTHING
    sent_by_others: Decimal = NOTHING
    sent_for_others: Decimal = NOTHING
    over_the_counter: Decimal = NOTHING
    in_its_own_time: Decimal = NOTHING

    left: Decimal = NOTHING
    cause: str | None = None

    def blame(self, cause: str, *, missing: Decimal = NOTHING, surplus: Decimal = NOTHING) -> None:
        """Let a cause take what it can of a missing or a surplus quantity."""
        taken = -min(-self.left, missing) if self.left < 0 else min(self.left, surplus)
        if taken:
            self.cause = self.cause or cause
            self.left -= taken


def stock_reconciliation(account: Account) -> list[dict[str, Any]]:
    """Rows of ``marts.stock_reconciliation``."""
    loaded = set(account.dates if account.loaded_dates is None else account.loaded_dates)
    bins = _bins(account, loaded)
    names = sorted(key for key in bins if key[1] in account.dates and (bins[key].orders or bins[key].transactions))
    for key in names:
        _explain(key, bins)
    unlike = [key for key in names if bins[key].left]
    for key in unlike:
        _even_out(key, [other for other in unlike if other[1:] == key[1:]], bins)
    for key in names:
        found = bins[key]
        if found.orders and len(found.transactions) > len(found.orders):
            found.blame("several_transactions", surplus=max(found.left, NOTHING))
        if any(key[1] + timedelta(days=apart) not in loaded for apart in _REACH if apart > 0):
            found.blame("date_not_loaded", missing=found.in_its_own_time)
        if any(key[1] + timedelta(days=apart) not in loaded for apart in _REACH if apart < 0):
            found.blame("date_not_loaded", surplus=max(found.left, NOTHING))
    return [
        {
            "account": account.account,
            "store_id": store,
            "business_date": day,
            "sku": sku,
            "side": side,
            "ours_goods": found.sold,
            "stock_goods": found.moved,
            "diff_goods": found.moved - found.sold,
            "cause": "unknown" if found.left else found.cause,
            "unexplained_goods": found.left,
            "orders": len(found.orders),
            "transactions": len(found.transactions),
        }
        for (store, day, sku, side), found in ((name, bins[name]) for name in names)
    ]


def _bins(account: Account, loaded: set[date]) -> dict[Key, Bin]:
    bins: dict[Key, Bin] = defaultdict(Bin)
    by_id = {order["orderid"]: order for order in account.orders}
    for sale in account.sales(loaded):
        order = by_id[sale.order_id]
        for item, never_moves in _goods(account, order):
            side = "sale" if item["quantity"] > 0 else "return"
            pieces = item.get("decimalquantitytotal")
            amount = abs(Decimal(pieces if pieces is not None else item["quantity"]))
            key = (sale.store, sale.day, item.get("sku") or "", side)
            here = bins[key]
            here.sold += amount
            here.orders.add(sale.order_id)
            if never_moves:
                here.never_moves += amount
                continue
            back_to = (item.get("additionaldata") or {}).get("return-warehouseid") if side == "return" else None
            warehouse = int(back_to) if back_to else order.get("warehouseid")
            sender = sale.store if warehouse is None else account.store_of_warehouse(warehouse) or "unknown"
            there = bins[sender, *key[1:]]
            is_open = order.get("orderstateid") == 0
            if is_open:
                here.still_open += amount
            elif sender != sale.store:
                here.sent_by_others += amount
            if sender != sale.store:
                there.sent_for_others += amount
            if sale.channel == "pos" and sender == sale.store and not is_open:
                there.over_the_counter += amount
            else:
                there.in_its_own_time += amount
    for transaction in account.warehouse_transactions:
        side = {30: "sale", 40: "return"}.get(transaction.get("transactiontype") or 0, "")
        store = account.store_of_warehouse(transaction["warehouseid"]) or "unknown"
        day = datetime.fromtimestamp(transaction["datecreated"], UTC).astimezone(account.zone_of(store)).date()
        if side and day in loaded:
            for item in transaction["items"]:
                found = bins[store, day, item.get("sku") or "", side]
                found.moved += Decimal(item.get("decimalquantity") or 0) * (-1 if side == "sale" else 1)
                found.transactions.add(transaction["warehousetransactionid"])
    for found in bins.values():
        found.left = found.moved - found.sold
    return bins


def _goods(account: Account, order: Json) -> Iterator[tuple[Json, bool]]:
    """The order's product lines that are on a side, each with whether it can never move stock."""
    kinds = {group["productgroupname"]: group["productgrouptype"] for group in account.product_groups}
    extra = order.get("additionaldata") or {}
    ignored = (extra.get("delivery-ignore-stock") or "").lower() == "true"
    for item in order.get("orderitems") or []:
        if item.get("orderitemtype") in (10, None) and item.get("quantity"):
            said = item.get("additionaldata") or {}
            group = kinds.get(said.get("product-group-name"))
            yield item, ignored or group in (20, 30) or bool(said.get("giftcard-cardnumber"))


def _explain(key: Key, bins: dict[Key, Bin]) -> None:
    """The causes that one store's SKU shows by itself."""
    store, day, sku, side = key
    found = bins[key]
    found.blame("not_stocked", missing=found.never_moves)
    found.blame("not_delivered", missing=found.still_open)
    found.blame("delivered_elsewhere", missing=found.sent_by_others, surplus=found.sent_for_others)
    nearby = [bins.get((store, day + timedelta(days=apart), sku, side), Bin()) for apart in _REACH]
    spare = sum((max(other.moved - other.over_the_counter, NOTHING) for other in nearby), NOTHING)
    wanted = sum(
        (other.in_its_own_time + max(other.over_the_counter - other.moved, NOTHING) for other in nearby), NOTHING
    )
    found.blame("delivered_another_day", missing=spare, surplus=wanted)


def _even_out(key: Key, stores: list[Key], bins: dict[Key, Bin]) -> None:
    """Set what one store is missing off against the surplus of others, the first stores first."""
    found = bins[key]
    for other in stores:
        offset = bins[other]
        if found.left * offset.left < 0:
            pieces = min(abs(found.left), abs(offset.left))
            found.blame("delivered_elsewhere", missing=pieces, surplus=pieces)
            offset.blame("delivered_elsewhere", missing=pieces, surplus=pieces)
