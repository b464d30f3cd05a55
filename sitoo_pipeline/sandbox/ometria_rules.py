"""What Ometria finds wrong with a record once it looks at it. As in Ometria, a finding does not name the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Record = dict[str, Any]
Finding = dict[str, str]

OPT_IN = ("EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT", "NOT_SPECIFIED")
_REQUIRED = {
    "order": ("id", "timestamp", "grand_total", "currency"),
    "contact": ("id", "email"),
    "product": ("id", "title", "price"),
    "custom_event": ("id", "timestamp", "event_type"),
}
_NOT_VALID = "not a valid value"


def finding(message: str, *path: str) -> Finding:
    """An entry of Ometria's list of errors."""
    return {"error_message": message, "error_path": " > ".join(("root", *path))}


def first_finding(record: Record) -> Finding | None:
    """The first thing that is wrong with a whole record; None where it is right."""
    return next(_findings(record), None)


def _findings(record: Record) -> Iterator[Finding]:
    kind = record.get("@type")
    if kind not in _REQUIRED:
        yield finding("Record has no known type", "@type")
        return
    for name in _REQUIRED[kind]:
        if record.get(name) in (None, ""):
            yield finding("This value is required", name)
    if "timestamp" in record and not _is_instant(record["timestamp"]):
        yield finding(_NOT_VALID, "timestamp")
    if kind == "order":
        yield from _of_order(record)
    if kind == "contact":
        yield from _of_contact(record)


def _of_order(record: Record) -> Iterator[Finding]:
    if not re.fullmatch(r"[A-Z]{3}", str(record["currency"])):
        yield finding(_NOT_VALID, "currency")
    if not _is_number(record["grand_total"]):
        yield finding(_NOT_VALID, "grand_total")
    for item in record.get("lineitems", []):
        for name in ("product_id", "quantity"):
            if item.get(name) in (None, ""):
                yield finding("This value is required", "lineitems", name)
        if item.get("subtotal") is None and item.get("unit_price") is None:
            yield finding("This value is required", "lineitems", "unit_price")


def _of_contact(record: Record) -> Iterator[Finding]:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", str(record["email"])):
        yield finding(_NOT_VALID, "email")
    if record.get("marketing_optin", OPT_IN[2]) not in OPT_IN:
        yield finding(_NOT_VALID, "marketing_optin")
    if not re.fullmatch(r"\+[1-9]\d{6,14}", str(record.get("phone_number", "+46700000000"))):
        yield finding(_NOT_VALID, "phone_number")


def _is_instant(value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False
