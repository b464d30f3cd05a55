"""Decoder: what any JSON decoder makes of a body, and which fields of it nobody documented, once or again."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitoo_pipeline.sitoo.decoding import Decoder, Record, UnusableBodyError, decode, value_of
from sitoo_pipeline.sitoo.drift import Shape, unknown_fields
from sitoo_pipeline_tests.sitoo.test_drift import SHAPE

LEAVES = st.sampled_from([None, True, 0, -3, 2.5, "", "text", "Å", {}, {"free": None, "map": "1"}, [], [1, None]])
NAMES = ("tip", "class", "_mood", "external id", "items", "get", "")


def objects(shape: Shape, *, strange: bool) -> st.SearchStrategy[Any]:
    """Objects of ``shape`` with some of its fields; strange ones with others too, and some that are no objects."""
    fields = {}
    for name, inner in shape.items():
        one = LEAVES if inner is None else objects(inner, strange=strange)
        fields[name] = one if inner is None else st.none() | one | st.lists(one, max_size=2)
    if not strange:
        return st.fixed_dictionaries({}, optional=fields)
    return st.fixed_dictionaries({}, optional=fields | dict.fromkeys(NAMES, LEAVES)) | LEAVES


BODIES = st.lists(objects(SHAPE, strange=False), max_size=3) | st.lists(objects(SHAPE, strange=True), max_size=3)


def bare(value: Any) -> Any:
    """A decoded value without what is null in its objects: a record does not tell that from what it lacks."""
    if isinstance(value, Record):
        value = {field.encode_name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if one is not None}
    return [bare(one) for one in value] if isinstance(value, list) else value


@given(st.lists(BODIES, max_size=3), st.booleans())
def test_bodies_say_the_same_and_their_unknown_fields_are_found(bodies: list[list[Any]], is_array: bool) -> None:
    decoder = Decoder(SHAPE)
    found: set[str] = set()
    for items in [*bodies, *bodies]:
        document = decoder(orjson.dumps(items if is_array else {"totalcount": 7, "items": items, "more": 1}))
        records = document if is_array else document["items"]
        assert is_array or document["totalcount"] == 7
        assert bare(records) == bare(items)
        for name in SHAPE:
            assert bare([value_of(one, name) for one in records]) == bare([value_of(one, name) for one in items])
        found |= unknown_fields(items, SHAPE)
        assert decoder.unknown_fields == found


def test_fields_once_found_are_known_from_there_on() -> None:
    decoder = Decoder(SHAPE)
    item = {"orderid": 1, "tip": "1.00", "external id": 5, "orderitems": [{"sku": "2", "class": 3}]}
    text = orjson.dumps({"items": [item], "totalcount": 1})
    assert [isinstance(decoder(text)["items"][0], Record) for _ in range(3)] == [False, True, True]
    assert decoder.unknown_fields == {"tip", "external id", "orderitems.class"}


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b'{"items": [{"orderid": 1', b'[{"orderid": "\xff"}]', b"[]]", b'["\\ud800"]']
)
def test_what_is_no_json_is_refused_in_the_same_words(text: bytes) -> None:
    with pytest.raises(UnusableBodyError) as plainly:
        decode(text)
    with pytest.raises(UnusableBodyError, match=str(plainly.value)):
        Decoder(SHAPE)(text)


@pytest.mark.parametrize(
    "document", [{"statuscode": 400, "errortext": "no"}, {"items": 3}, {"items": None}, 7, "x", [], {}]
)
def test_documents_of_another_form_are_as_any_decoder_has_them(document: Any) -> None:
    assert Decoder(SHAPE)(orjson.dumps(document)) == document
