"""Who a customer is for Ometria, and the contacts that follow from orders. Pure: frames in, records out.

What belongs here: everything that names a person. What does not: orders (``ometria_orders``) and sending (``ometria``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from sitoo_pipeline.sinks.contract import Prepared, Record

Row = Mapping[str, Any]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def email_address(order: Row) -> str | None:
    """The e-mail address of an order in lower case; None where there is none, or a text that is no address."""
    address = (order["email"] or "").strip().lower()
    return address if _EMAIL.fullmatch(address) else None


def customer_id(order: Row, address: str) -> str:
    """The customer's id: the CRM's own where the order knows it, else a hash of the address.

    An id must not be personal data (so an address that a CRM uses as its id is hashed too), and the same customer must
    have the same id in every run.
    """
    known: str | None = order["crm_customer_id"]
    if known and "@" not in known:
        return known
    return "e-" + hashlib.sha256((known or address).strip().lower().encode()).hexdigest()[:32]


def names(order: Row) -> dict[str, str]:
    """First and last name, each only where the order has one."""
    found = {"firstname": order["name_first"], "lastname": order["name_last"]}
    return {field: name.strip() for field, name in found.items() if name and name.strip()}


def contact_records(
    *, orders: pl.DataFrame, collection: str = "sitoo", id_prefix: str = "", opt_in: bool = False
) -> Prepared:
    """One contact per customer who left an e-mail address with a counting order.

    Name, telephone and address are those of the customer's newest order in the frame. The record belongs to that
    order's business date, and ``newest_wins``: going over an earlier period again does not bring an old name back.

    Args:
        orders: rows of ``core.orders``, any mixture.
        collection: Ometria's ``@collection``: one per source, so that it cannot blank what another source knows.
        id_prefix: goes before the contact's ``id``; the ``customer_id`` has none.
        opt_in: say that these customers opted in to marketing. Never forced: an opt-out elsewhere stands. Without it
            nothing is said at all.
    """
    newest: dict[str, tuple[dict[str, Any], str]] = {}
    counting = orders.filter(pl.col("counts"), pl.col("email").is_not_null())
    for order in counting.sort("hour_start", "ordered_at", "order_id").iter_rows(named=True):
        if address := email_address(order):
            newest[customer_id(order, address)] = (order, address)
    records = []
    for customer, (order, address) in sorted(newest.items()):
        payload = {
            "@type": "contact",
            "@collection": collection,
            "id": f"{id_prefix}{customer}",
            "customer_id": customer,
            "email": address,
            **names(order),
        }
        if phone := _phone(order):
            payload["phone_number"] = phone
        if opt_in:
            payload["marketing_optin"] = "EXPLICITLY_OPTEDIN"
        records.append(Record(f"contact:{payload['id']}", order["business_date"], payload, newest_wins=True))
    return Prepared(tuple(records))


def _phone(order: Row) -> str | None:
    """The telephone number where it is in the international form (E.164), written with or without spaces."""
    number = re.sub(r"[\s-]", "", order["phone"] or "")
    return number if _E164.fullmatch(number) else None
