"""What may be shown of a request and of an answer: nothing secret, nothing about a person.

Every text that leaves this package about a request goes through here. How errors are worded is in ``errors``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"
_TEXT_LIMIT = 200
_VALUE_LIMIT = 60

# Listed are the parameters whose values are safe, not those that are not: a parameter added later is hidden until
# somebody decides otherwise (email, personalid, mobile and pin are among Sitoo's parameters).
_SAFE_PARAMETERS = frozenset(
    {"start", "num", "sort", "fields", "eshopid", "store_id", "registerid", "warehouseid", "orderid", "orderstate"}
    | {"paymentstate", "ordertype", "creditorderid", "transactiontype", "warehousetransactionid", "sku", "productid"}
    | {"includenotregistered", "includeinactive"}
)
_RANGE = re.compile(r"(order|date|warehousetransaction)[a-z]*(from|to)")

_UNSAFE_TEXT = (
    (re.compile(r"(?<=://)[^/@\s]+@"), ""),  # user and password in an address
    (re.compile(r"\b(Basic|Bearer)\s+[\w+/=.~-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"[^\s@<>\"'=]+@[^\s@<>\"']+"), HIDDEN),  # e-mail addresses
    (re.compile(r"\+?\d(?:[\s-]?\d){8,}"), HIDDEN),  # phone numbers and personal identity numbers
)


def safe_query(params: Mapping[str, str]) -> str:
    """The query of a request as it may be shown: values only of parameters known to be harmless, long ones cut."""
    return "&".join(f"{name}={_safe_value(name, value)}" for name, value in params.items())


def safe_text(text: str, *, secrets: Iterable[str] = ()) -> str:
    """A text from outside on one short line, without ``secrets``, credentials, e-mail addresses and long numbers."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _UNSAFE_TEXT:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"


def _safe_value(name: str, value: str) -> str:
    if name not in _SAFE_PARAMETERS and not _RANGE.fullmatch(name):
        return HIDDEN
    return value if len(value) <= _VALUE_LIMIT else value[:_VALUE_LIMIT] + "…"
