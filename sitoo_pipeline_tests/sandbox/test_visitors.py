"""Custom metrics as Sitoo answers them: bare arrays, filters, bounds; and counters that count more than buyers."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from sitoo_pipeline_tests.sandbox.conftest import Json, World

VALUES = "/custom_metric_values.json"
NIGHT = "2026-10-25"
"""The clocks went back in it."""


def values(api: httpx.Client, **params: str | int) -> list[Json]:
    found: list[Json] = api.get(VALUES, params=params).raise_for_status().json()
    return found


def test_the_metrics_are_a_bare_array(api: httpx.Client) -> None:
    metrics = api.get("/custom_metrics.json").json()
    assert [(one["key"], one["grouping"], one["type"]) for one in metrics] == [
        ("cm_visitors", "date_store", "series"),
        ("cm_visitors_per_day", "date_store", "scalar"),
    ]
    assert api.get("/custom_metrics", params={"keys": "cm_visitors_per_day,cm_x"}).json() == metrics[1:]
    assert api.get("/custom_metrics.json", params={"keys": "cm_x"}).json() == []


def test_filters_and_bounds(api: httpx.Client) -> None:
    one_day = values(api, keys="cm_visitors", date=NIGHT)
    assert {(one["key"], one["date"]) for one in one_day} == {("cm_visitors", NIGHT)}
    stores = [one["store_id"] for one in one_day]
    assert len(stores) == len(set(stores)) == 3  # of four; one has no counter
    [again] = values(api, keys="cm_visitors", date=NIGHT, num_days=1, store_id=stores[0])
    assert again == one_day[0]
    assert {one["date"] for one in values(api, date="2026-10-11", num_days=3)} == {"2026-10-12", "2026-10-13"}
    assert values(api, keys="cm_visitors", date="2027-01-01", num_days=100) == []
    for wrong in ({"num_days": 0}, {"num_days": 101}, {"date": "25.10.2026"}):
        refused = api.get(VALUES, params={"keys": "cm_visitors", "date": NIGHT, **wrong})
        assert (refused.status_code, refused.json()["statuscode"]) == (400, 400)


def test_more_come_than_buy_and_the_day_is_the_sum_of_its_hours(api: httpx.Client, world: World) -> None:
    zone = ZoneInfo("Europe/Stockholm")
    bought: Counter[tuple[str, str, int]] = Counter()
    for order in world.orders:
        local = datetime.fromtimestamp(order["orderdate"], zone)
        bought[order["additionaldata"].get("store-externalid", ""), str(local.date()), local.hour] += 1
    series = values(api, keys="cm_visitors", date="2026-10-20", num_days=10)
    per_day = values(api, keys="cm_visitors_per_day", date="2026-10-20", num_days=10)
    scalars = {(one["store_id"], one["date"]): one["value_scalar"] for one in per_day}
    assert len(series) == len(scalars) == 30
    for one in series:
        told = one["value_series"]
        hours = {int(entry["label"]): entry["value"] for entry in told["series"]}
        assert (told["total_count"], told["total_value"]) == (len(hours), sum(hours.values()))
        assert scalars[one["store_id"], one["date"]] == told["total_value"] > 0
        for hour in range(24):
            assert hours.get(hour, 0) >= bought[one["store_id"], one["date"], hour], (one["date"], hour)


@pytest.mark.parametrize("path", [VALUES, "/custom_metrics.json"])
def test_who_may_ask(api: httpx.Client, path: str) -> None:
    assert httpx.get(f"{str(api.base_url).rstrip('/')}{path}", auth=("1500-1", "wrong")).status_code == 401
