"""Line items of an Ometria order, from order lines. Pure.

Amounts follow Ometria's own importer: ``subtotal`` is net before discount, ``discount`` negative, and
``total = subtotal + discount + tax`` includes VAT. What does not belong here: the order around the items.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

Row = Mapping[str, Any]
ProductId = Literal["sku", "product_id"]

_CENT = Decimal("0.01")
_ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Item:
    """One product line with the rows that belong to it (a discount row, for one), all amounts signed as in Sitoo."""

    product: Row
    side: str
    quantity: int
    net: Decimal
    tax: Decimal
    discount: Decimal
    """Discount given, excluding VAT, positive."""

    @property
    def total(self) -> Decimal:
        """Amount including VAT."""
        return self.net + self.tax

    @property
    def subtotal(self) -> Decimal:
        """Amount before discount, excluding VAT."""
        return self.net + self.discount


def items_of(lines: Iterable[Row]) -> list[Item]:
    """The product lines of one order (``core.order_lines``), in its order; lines of quantity 0 are left out."""
    rows = sorted(lines, key=lambda row: row["line_no"])
    belonging: dict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        belonging[row["product_line_no"]].append(row)
    return [
        Item(
            product=row,
            side=row["side"],
            quantity=row["quantity"],
            net=_sum(part["money_item_total_net"] for part in belonging[row["line_no"]]),
            tax=_sum(part["money_item_total_vat"] for part in belonging[row["line_no"]]),
            discount=_sum(_net_discount(part) for part in belonging[row["line_no"]]),
        )
        for row in rows
        if row["product_line_no"] == row["line_no"] and row["side"] is not None
    ]


def line_item(item: Item, *, product_id: ProductId) -> dict[str, Any] | None:
    """A sold item as Ometria takes it; None where the line does not have the id that the catalogue is keyed by."""
    identity = item.product[product_id]
    if identity is None:
        return None
    payload: dict[str, Any] = {
        "product_id": str(identity),
        "quantity": item.quantity,
        "unit_price": _rounded(item.subtotal / item.quantity),
        "subtotal": item.subtotal,
        "discount": -item.discount if item.discount else _ZERO,
        "tax": item.tax,
        "total": item.total,
    }
    return payload | ({"sku": item.product["sku"]} if item.product["sku"] else {})


def _net_discount(line: Row) -> Decimal:
    return _rounded(line["discount_gross"] / (1 + (line["vat_percent"] or _ZERO) / 100))


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), _ZERO)
