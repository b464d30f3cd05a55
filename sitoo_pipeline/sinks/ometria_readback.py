"""Reading a record back from Ometria, and whether it is the one that was pushed.

The shape of what Ometria answers is not documented. Compared are therefore plain values that both sides have under the
same name, and how many line items there are; a time may be written in another zone, a number in another form.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import httpx

from sitoo_pipeline.sinks.contract import Record
from sitoo_pipeline.sinks.ometria_http import Api, Pace, json_of, wrong_address
from sitoo_pipeline.sinks.target_http import NotTakenError

_PATHS = {"order": "orders", "contact": "contacts"}
_NOT_COMPARED = frozenset({"timestamp", "store"})


class Readback:
    """``GET /orders/{id}`` and ``GET /contacts/{id}`` of one account."""

    def __init__(self, api: Api, *, pace: Pace) -> None:
        self._api, self._pace = api, pace

    def differs(self, record: Record) -> str:
        """In words, how what Ometria holds differs from the record; empty where it is the same.

        Raises:
            NotTakenError: it cannot be read.
        """
        kind, number = record.payload["@type"], str(record.payload["id"])
        held = self._api.call(
            "GET", f"{_PATHS[kind]}/{quote(number, safe='')}", pace=self._pace, understood=_understood
        )
        if held is None:
            return "not there"
        names = differences(record.payload, held)
        return f"other values there: {', '.join(names)}" if names else ""


def differences(pushed: Mapping[str, Any], held: Mapping[str, Any]) -> list[str]:
    """The names of the fields that both have with different values."""
    names = [
        name
        for name, value in pushed.items()
        if name in held and name not in _NOT_COMPARED and not name.startswith("@") and _plain(value) is not None
    ]
    found = [name for name in names if _plain(pushed[name]) != _plain(held[name])]
    items, others = pushed.get("lineitems"), held.get("lineitems")
    if items is not None and isinstance(others, list) and len(items) != len(others):
        found.append("lineitems")
    return found


def _plain(value: object) -> object:
    """A value in a form that can be compared: a number whatever its notation. None for what is no value."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, (str, int, float, Decimal)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return number if number.is_finite() else str(value)


def _understood(response: httpx.Response) -> dict[str, Any] | None:
    if response.status_code == 404:
        return None
    if not response.is_success:
        raise wrong_address(response)
    answer = json_of(response)
    if not isinstance(answer, dict) or "id" not in answer:
        raise NotTakenError("what Ometria answers to a read makes no sense")
    return answer
