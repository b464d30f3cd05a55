"""Which orders get a digital receipt, and what is on it. Pure: frames in, records out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sitoo_pipeline.sinks.contract import Prepared, Record, State
from sitoo_pipeline.sinks.ledger_rows import Entry
from sitoo_pipeline.sinks.ometria_customers import Row, email_address, names
from sitoo_pipeline.sinks.ometria_lines import items_of

_ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Sender:
    """Who sends the receipts, and as what. In sandbox mode Ometria does everything but send the e-mail."""

    name: str
    email: str
    subject: str
    stream: str
    template_id: int
    is_sandbox: bool


def receipt_key(order_id: int) -> str:
    """The key of an order's receipt in the ledger."""
    return f"receipt:{order_id}"


def receipt_records(
    *, orders: pl.DataFrame, lines: pl.DataFrame, entries: Mapping[str, Entry], since: datetime, sender: Sender
) -> Prepared:
    """A receipt for each counting order of a till whose customer left an e-mail address. One per order, for ever.

    An order that has its receipt gets no other one, also when it changes. One that surely was not sent, or of which
    nobody knows, is among the records whatever its age: it is sent when it can be, or listed until a person decides.

    Args:
        orders: rows of ``core.orders``; the record's partition is the order's own business date.
        lines: the rows of ``core.order_lines`` of these orders.
        entries: what the ledger says of them, by ``receipt_key``.
        since: an order of before this instant, of which no receipt was begun, gets none any more.
        sender: who sends them.
    """
    by_order: defaultdict[int, list[Row]] = defaultdict(list)
    for line in lines.iter_rows(named=True):
        by_order[line["order_id"]].append(line)
    records = []
    counting = orders.filter(pl.col("counts"), pl.col("channel") == "pos").sort("order_id")
    for order in counting.iter_rows(named=True):
        key = receipt_key(order["order_id"])
        entry, address = entries.get(key), email_address(order)
        is_young = _moment(order) >= since
        is_begun = entry is not None and (entry.state is State.RETRY or entry.state.is_uncertain)
        is_sent = entry is not None and entry.state is State.DELIVERED
        if address and not is_sent and (is_young or is_begun):
            payload = _email(order, address, by_order[order["order_id"]], sender)
            records.append(Record(key, order["business_date"], payload))
    return Prepared(tuple(records))


def _moment(order: Row) -> datetime:
    moment: datetime = order["ordered_at"] or order["hour_start"]
    return moment


def _email(order: Row, address: str, lines: Iterable[Row], sender: Sender) -> dict[str, Any]:
    name = " ".join(names(order).values())
    return {
        "transactional": True,
        "sandbox": sender.is_sandbox,
        "stream": sender.stream,
        "template_id": sender.template_id,
        "subject": sender.subject,
        "from": {"email": sender.email, "name": sender.name},
        "to": {"email": address, **({"name": name} if name else {})},
        "data": _variables(order, list(lines)),
    }


def _variables(order: Row, lines: list[Row]) -> dict[str, Any]:
    """What the template may use. Amounts are text with two decimals; a template shows them as they are."""
    items = items_of(lines)
    return {
        "order_id": str(order["order_id"]),
        "receipt_id": order["receipt_id"] or "",
        "store_id": order["store_id"],
        "store_name": order["store_name"] or "",
        "time": _moment(order).astimezone(ZoneInfo(order["timezone"])).isoformat(timespec="seconds"),
        "currency": order["currency"],
        "lines": [
            {
                "name": item.product["product_name"] or "",
                "sku": item.product["sku"] or "",
                "quantity": item.quantity,
                "total": _text(item.total),
            }
            for item in items
        ],
        "net": _text(order["money_total_net"]),
        "vat": _text(order["money_final_vat"]),
        "discount": _text(sum((line["discount_gross"] for line in lines), _ZERO)),
        "roundoff": _text(order["money_total_gross_roundoff"]),
        "total": _text(order["money_total_gross_all"]),
    }


def _text(amount: Decimal | None) -> str:
    return format(_ZERO if amount is None else amount, "f")
