"""A small account called ``demo``, as the pages for people suppose it: loaded, delivered and published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from sitoo_pipeline.sandbox import VISITORS_METRIC, Chain, Sandbox
from sitoo_pipeline_tests.pipeline.expected import fetch
from sitoo_pipeline_tests.pipeline.project import Project, days
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server

CHAIN = Chain(stores=2, seed=3, opened=date(2026, 10, 19), orders_per_day=20)
NOW = datetime(2026, 10, 26, 12, tzinfo=UTC)
DATES = days("2026-10-22", "2026-10-24")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two stores and three days, with an order that breaks a rule and one that is not what its till reported.

    The last day was loaded twice: one of its orders came late.
    """
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        objects = fetch(sandbox.sitoo_url, sandbox.api_users[0])
        with httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url) as client:
            asked = {"keys": VISITORS_METRIC, "date": str(DATES[0]), "num_days": str(len(DATES))}
            objects["custom_metrics"] = client.get("/custom_metrics.json", params=asked).json()
            objects["custom_metric_values"] = client.get("/custom_metric_values.json", params=asked).json()
    first, second, *_ = filter(_is_plain_sale, objects["orders"])
    first["moneytotal_net"] = "12,50"
    second["orderitems"][0]["moneyitemtotal_net"] = "9999.00"
    late = next(order for order in objects["orders"] if _is_plain_sale(order, DATES[2]))
    known = {**objects, "orders": [order for order in objects["orders"] if order is not late]}
    with Server(Script(known)) as server:
        counters = f'visitors = {{ metric = "{VISITORS_METRIC}" }}\n'
        project = Project.make(
            tmp_path_factory.mktemp("pages"), server, start_date=DATES[0], name="demo", more=counters
        )
        outcome = project.run(DATES)
        assert (outcome.done, outcome.failed, outcome.warnings) == (DATES, {}, [])
        known["orders"] = objects["orders"]
        project.load(DATES[2:])
        yield project


def _is_plain_sale(order: dict[str, Any], on: date = DATES[1]) -> bool:
    """Whether a till of the store 0101 sold one kind of goods on that day, and was paid."""
    day = datetime.fromtimestamp(order["orderdate"], tz=CHAIN.zone).date()
    return (
        (day, order["additionaldata"].get("store-externalid")) == (on, "0101")
        and (order["ordertypeid"], order["orderstateid"], order["paymentstateid"]) == (10, 10, 20)
        and [line["quantity"] > 0 for line in order["orderitems"]] == [True]
    )
