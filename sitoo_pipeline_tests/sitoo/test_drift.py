"""unknown_fields(): every undocumented field by its path, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from sitoo_pipeline.sitoo import Shape, unknown_fields

SHAPE: Shape = {
    "orderid": None,
    "additionaldata": None,
    "orderitems": {"sku": None, "salestaxes": {"name": None}},
    "store": {"name": None},
}


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], set()),
        ([{"orderid": 1, "additionaldata": {"anything": "goes"}}], set()),
        ([{"orderid": 1}, {"orderid": 2, "tip": "1.00"}, {"tip": "2.00", "table": 7}], {"tip", "table"}),
        ([{"orderitems": [{"sku": "1"}, {"sku": "2", "newfield": 1}]}], {"orderitems.newfield"}),
        ([{"orderitems": [{"salestaxes": [{"name": "GA", "rate": 4}]}]}], {"orderitems.salestaxes.rate"}),
        ([{"store": {"name": "x", "owner": "y"}}], {"store.owner"}),
        ([{"orderitems": None, "store": None}, {"orderitems": [None, 7], "store": "text"}, None, 3], set()),
        ([{"orderitems": {"newfield": 1}}], {"orderitems.newfield"}),
    ],
)
def test_paths_of_unknown_fields(records: list[Any], found: set[str]) -> None:
    assert unknown_fields(records, SHAPE) == found
