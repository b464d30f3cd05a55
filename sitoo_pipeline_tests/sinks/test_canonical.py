"""One form of JSON to compare content by, one for the wire; money exact in both."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sitoo_pipeline.sinks.canonical import canonical_json, content_hash, wire_json


def test_equal_content_has_equal_bytes_whatever_its_order() -> None:
    assert content_hash({"b": Decimal("1.10"), "a": 1}) == content_hash({"a": 1, "b": Decimal("1.10")})
    assert content_hash({"a": Decimal("1.10")}) != content_hash({"a": Decimal("1.11")})


def test_money_is_text_to_compare_and_a_number_to_send() -> None:
    value = {"amount": Decimal("9007199254740993.10"), "none": Decimal("-0.05"), "day": date(2024, 5, 2)}
    assert canonical_json(value) == b'{"amount":"9007199254740993.10","day":"2024-05-02","none":"-0.05"}'
    assert wire_json(value) == b'{"amount":9007199254740993.10,"none":-0.05,"day":"2024-05-02"}'


def test_what_json_has_no_form_for_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical_json({"a": object()})
