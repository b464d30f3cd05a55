"""Orders as Ometria takes them, with their returns folded in. Pure: frames in, records out.

What belongs here: which orders go, and the shape of one. What does not: line items (``ometria_lines``), customers and
contacts (``ometria_customers``), sending (``ometria``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from sitoo_pipeline.sinks.contract import Prepared, Record
from sitoo_pipeline.sinks.ometria_customers import customer_id, email_address, names
from sitoo_pipeline.sinks.ometria_lines import Item, ProductId, Row, items_of, line_item

CHANNELS: Mapping[str, str] = {"pos": "store", "online": "online"}
"""Ometria's name of our channels: ``online`` is the one it knows for web orders."""

ORIGINAL_ORDER_ID: pl.Expr = pl.coalesce(
    "credit_order_id", pl.col("original_sales_order_id").cast(pl.Int64, strict=False)
)
"""Of ``core.orders``: the purchase that an order returns; null where nobody recorded it."""

UnlinkedReturns = Literal["hold_out", "negative_order"]

_MONEY = ("subtotal", "discount", "shipping", "tax")


def record_key(order_id: int, *, id_prefix: str = "") -> str:
    """The key under which an order stands in the ledger."""
    return f"order:{id_prefix}{order_id}"


def order_records(
    *,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    returns: pl.DataFrame | None = None,
    return_lines: pl.DataFrame | None = None,
    handed_over: Collection[str] = frozenset(),
    id_prefix: str = "",
    product_id: ProductId = "sku",
    channels: Mapping[str, str] = CHANNELS,
    unlinked_returns: UnlinkedReturns = "hold_out",
) -> Prepared:
    """One whole order per counting order with at least one sale line; nothing is ever sent in part.

    A return (a counting order with return lines only) is no order of its own: Ometria does not say what a negative one
    would mean. It is folded into its purchase where that is known and among ``orders``. Otherwise ``unlinked_returns``
    says whether it is held out, with a message, or sent as an order of its own with negative amounts; where its
    purchase becomes known later, that order goes out as cancelled and the return is folded. Return lines of an exchange
    are not folded: its ``grand_total`` has them deducted already.

    An order that does not qualify (any more) goes out as cancelled if it was handed over before, else not at all.

    To bring a day up to date, give as ``orders`` those of the day and the purchases that the day's orders name in
    ``ORIGINAL_ORDER_ID``, and as ``returns`` every order that names one of these.

    Args:
        orders: rows of ``core.orders``; the record's partition is the order's own business date.
        lines: the rows of ``core.order_lines`` of ``orders``.
        returns: more rows of ``core.orders``, to be folded in; they may repeat rows of ``orders``.
        return_lines: the rows of ``core.order_lines`` of ``returns``.
        handed_over: keys of the ledger (see ``record_key``) that Ometria may hold, whatever became of them.
        id_prefix: goes before the order's id, so that it cannot meet an order of another source.
        product_id: what the product catalogue in Ometria is keyed by.
        channels: Ometria's name of each of our channels.
        unlinked_returns: what to do with a return whose purchase is not known.
    """
    both = orders if returns is None else pl.concat([orders, returns.select(orders.columns)])
    both_lines = lines if return_lines is None else pl.concat([lines, return_lines.select(lines.columns)])
    items = _items_by_order(both_lines.unique(["order_id", "line_no"], keep="first"))
    builder = _Builder(items, id_prefix=id_prefix, product_id=product_id, channels=channels)
    folded, unlinked = _returns_by_original(both.unique("order_id", keep="first"), items, orders["order_id"])
    records = []
    for order in orders.sort("order_id").iter_rows(named=True):
        key = record_key(order["order_id"], id_prefix=id_prefix)
        side = "return" if unlinked_returns == "negative_order" and order["order_id"] in unlinked else "sale"
        is_valid = order["counts"] and any(item.side == side for item in items[order["order_id"]])
        if is_valid or key in handed_over:
            payload = builder.order(order, folded[order["order_id"]], side=side, is_valid=is_valid)
            records.append(Record(key, order["business_date"], payload))
    messages = []
    if unlinked and unlinked_returns == "hold_out":
        messages.append(f"returns held out, their purchase is not known here: {_listed(unlinked)}")
    if builder.without_id:
        messages.append(f"order lines left out, they have no {product_id}: orders {_listed(builder.without_id)}")
    return Prepared(tuple(records), tuple(messages))


class _Builder:
    """Shapes orders, and remembers those of which a line had to be left out."""

    def __init__(
        self, items: Mapping[int, list[Item]], *, id_prefix: str, product_id: ProductId, channels: Mapping[str, str]
    ) -> None:
        self._items = items
        self._id_prefix = id_prefix
        self._product_id: ProductId = product_id
        self._channels = channels
        self.without_id: set[int] = set()

    def order(self, order: Row, returns: list[Row], *, side: str, is_valid: bool) -> dict[str, Any]:
        """The whole order with its line items of one side, and what came back of them."""
        sold = [item for item in self._items[order["order_id"]] if item.side == side]
        shaped = [(item, line_item(item, product_id=self._product_id)) for item in sold]
        if any(payload is None for _, payload in shaped):
            self.without_id.add(order["order_id"])
        line_items = [(item, payload) for item, payload in shaped if payload is not None]
        moment = order["ordered_at"] or order["hour_start"]
        payload: dict[str, Any] = {
            "@type": "order",
            "id": f"{self._id_prefix}{order['order_id']}",
            "timestamp": moment.astimezone(ZoneInfo(order["timezone"])).isoformat(timespec="seconds"),
            "status": "complete" if is_valid else "cancelled",
            "is_valid": is_valid,
            "currency": order["currency"],
            "grand_total": order["money_total_gross_all"],
            **_totals(order, sold),
            "channel": self._channels[order["channel"]],
            "store": order["store_id"],
            "lineitems": [payload for _, payload in line_items],
        }
        if address := email_address(order):
            payload["customer"] = {"id": customer_id(order, address), "email": address, **names(order)}
        for field, column in (("payment_method", "checkout_type_name"), ("shipping_method", "delivery_type_name")):
            if order[column]:
                payload[field] = order[column]
        for returned in returns:
            self._fold(returned, payload, line_items)
        return payload

    def _fold(self, returned: Row, payload: dict[str, Any], line_items: list[tuple[Item, dict[str, Any]]]) -> None:
        """Note on a purchase what one return took back of it."""
        came_back = self._items[returned["order_id"]]
        paid_back = returned["money_total_gross_all"]
        amount = -paid_back if paid_back is not None else -sum((item.total for item in came_back), Decimal("0.00"))
        payload["total_refunded"] = payload.get("total_refunded", Decimal("0.00")) + amount
        for item in came_back:
            line = _returned_line(item, line_items)
            if line is not None:
                line["quantity_refunded"] = line.get("quantity_refunded", 0) - item.quantity
                line["refunded"] = line.get("refunded", Decimal("0.00")) - item.total


def _returned_line(item: Item, line_items: list[tuple[Item, dict[str, Any]]]) -> dict[str, Any] | None:
    """The line of the purchase that came back: the one the till named, else the first of that product with any left."""
    named = item.product["original_sales_order_item_id"]
    for sold, payload in line_items:
        if named is not None and str(sold.product["order_item_id"]) == named:
            return payload
    for sold, payload in line_items:
        left = sold.quantity - payload.get("quantity_refunded", 0)
        if _product(sold) == _product(item) and left >= -item.quantity:
            return payload
    return None


def _product(item: Item) -> tuple[object, object]:
    return item.product["product_id"], item.product["sku"]


def _totals(order: Row, sold: Iterable[Item]) -> dict[str, Decimal]:
    """Subtotal, discount, shipping and tax of an order, those that it has. ``subtotal + discount`` is its net total."""
    discount = sum((item.discount for item in sold), Decimal("0.00"))
    net, vat = order["money_total_net"], order["money_final_vat"]
    found = (
        None if net is None else net + discount,
        -discount if discount else Decimal("0.00"),
        order["money_delivery_net"],
        None if vat is None else vat + (order["money_final_salestax"] or Decimal("0.00")),
    )
    return {name: amount for name, amount in zip(_MONEY, found, strict=True) if amount is not None}


def _items_by_order(lines: pl.DataFrame) -> defaultdict[int, list[Item]]:
    rows: defaultdict[int, list[Row]] = defaultdict(list)
    for row in lines.iter_rows(named=True):
        rows[row["order_id"]].append(row)
    return defaultdict(list, {order_id: items_of(of_order) for order_id, of_order in rows.items()})


def _returns_by_original(
    orders: pl.DataFrame, items: Mapping[int, list[Item]], originals: Iterable[int]
) -> tuple[defaultdict[int, list[Row]], set[int]]:
    """The returns of each purchase, oldest first, and those whose purchase is not among ``originals``."""
    known, folded, held_out = set(originals), defaultdict[int, list[Row]](list), set[int]()
    counting = orders.filter(pl.col("counts")).with_columns(_original=ORIGINAL_ORDER_ID).sort("order_id")
    for order in counting.iter_rows(named=True):
        sides = {item.side for item in items[order["order_id"]]}
        if sides != {"return"}:
            continue
        if order["_original"] in known:
            folded[order["_original"]].append(order)
        else:
            held_out.add(order["order_id"])
    return folded, held_out


def _listed(order_ids: Collection[int]) -> str:
    """A count and the first few order ids."""
    first = ", ".join(map(str, sorted(order_ids)[:5]))
    return f"{len(order_ids)} ({first}{', ...' if len(order_ids) > 5 else ''})"
