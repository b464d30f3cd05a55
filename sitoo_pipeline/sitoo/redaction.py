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
    # e-mail addresses; looked for from where a word begins, since from each of its letters a long one takes minutes
    (re.compile(r"(?<![^\s@<>\"'=])[^\s@<>\"'=]+@[^\s@<>\"']+"), HIDDEN),
    # phone numbers and personal identity numbers, as people write them: 070 - 123 45 67, (070) 123 45 67, 190101+1234
    (re.compile(r"\+?\d(?:\)?\s?[-+]?\s?\d){8,}"), HIDDEN),
)


# What looks like a long number and is none of a person's: ids of runs, hashes, dates with their times, ranges of ids.
# On a terminal the code of a colour may stand right before it.
_BEGIN = r"(?:\b|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm)|(?<=\x1b\[\d;\d\dm))"
_HARMLESS = (
    rf"{_BEGIN}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b|{_BEGIN}[0-9a-f]{{32,}}\b"
    rf"|{_BEGIN}\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[+-]\d\d:?\d\d\b)?)?(?![-\d])"
    rf"|\b{_RANGE.pattern}=\d+"
)
_NUMBERS = re.compile(rf"{_HARMLESS}|(?P<number>{_UNSAFE_TEXT[-1][0].pattern})")


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """A text of our own for a log, as long as it is: without ``secrets``, credentials, e-mail addresses, long numbers.

    Ids of runs, hashes, dates and ranges of ids stay.
    """
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _UNSAFE_TEXT[:-1]:
        text = pattern.sub(replacement, text)
    return _NUMBERS.sub(lambda found: HIDDEN if found["number"] else found[0], text)


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
