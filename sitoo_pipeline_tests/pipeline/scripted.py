"""Sitoo over lists of objects that a test writes and may change: its paths, paging, filters and sort orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sitoo_pipeline_tests.sitoo.server import Answer, Request, answer, by_added, by_cursor, by_position, refusal
from sitoo_pipeline_tests.warehouse.support import documented

Json = dict[str, Any]

SITE: Json = documented("sites")["items"][0] | {"eshopid": 1}
_LISTS = {
    "/sites/1/stores.json": "stores",
    "/sites/1/warehouses.json": "warehouses",
    "/sites/1/cashregisters.json": "registers",
    "/sites/1/productgroups.json": "product_groups",
    "/sites/1/products.json": "products",
}


@dataclass
class Script:
    """Answers a ``Server``'s requests from ``objects``, as they are at that moment."""

    objects: Mapping[str, list[Json]]
    sites: list[Json] = field(default_factory=lambda: [SITE])

    def __call__(self, request: Request) -> Answer:
        query = request.query
        if request.path == "/sites.json":
            return answer(by_position(self.sites, query))
        if request.path in _LISTS:
            return answer(by_position(self.objects.get(_LISTS[request.path], []), query))
        if request.path == "/orders.json":
            page = by_cursor(self.objects["orders"], query, cursor="orderid", date="orderdate")
            wanted = set(query["fields"].split(","))
            page["items"] = [
                {k: v for k, v in item.items() if k in wanted or k in _UNDOCUMENTED} for item in page["items"]
            ]
            return answer(page)
        if request.path == "/sites/1/warehousetransactions.json":
            transactions = self.objects.get("warehouse_transactions", [])
            return answer(by_cursor(transactions, query, cursor="warehousetransactionid", date="datecreated"))
        if request.path == "/pos-z-reports":
            return answer(by_added(self.objects.get("z_reports", []), query))
        if request.path == "/custom_metrics.json" and "custom_metrics" in self.objects:
            return answer([one for one in self.objects["custom_metrics"] if one["key"] in query["keys"].split(",")])
        if request.path == "/custom_metric_values.json" and "custom_metric_values" in self.objects:
            first = date.fromisoformat(query["date"])
            days = {str(first + timedelta(days=number)) for number in range(int(query["num_days"]))}
            return answer([one for one in self.objects["custom_metric_values"] if one["date"] in days])
        return refusal(404, "Not found")


_UNDOCUMENTED = {"loyaltytier"}
"""A field that Sitoo sends although nobody asked for it."""
