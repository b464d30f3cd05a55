"""One form of JSON for comparing content, and one for the wire.

Both keep money exact: it is Decimal up to the last byte. What does not belong here: what a payload consists of.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """Compact JSON with sorted keys and Decimal as text: equal content gives equal bytes.

    Raises:
        TypeError: for a value that JSON has no form for.
    """
    return orjson.dumps(value, default=_decimal_as_text, option=orjson.OPT_SORT_KEYS)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def wire_json(value: Any) -> bytes:
    """Compact JSON with Decimal as a number of exactly its own digits: ``Decimal("12.50")`` becomes ``12.50``."""
    return orjson.dumps(value, default=_decimal_as_number)


def _decimal_as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _decimal_as_number(value: object) -> orjson.Fragment:
    return orjson.Fragment(_decimal_as_text(value))
