"""One small chain over the night the clocks went back, served once for all tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from sitoo_pipeline.sandbox import Chain, Faults, Sandbox
from sitoo_pipeline.sandbox.samesystem_app import SameSystem
from sitoo_pipeline_tests.sandbox.samesystem import Client, Clock

CHAIN = Chain(stores=4, seed=7, opened=date(2026, 10, 12), orders_per_day=60)
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)

Json = dict[str, Any]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chain=CHAIN, now=NOW) as running:
        yield running


@pytest.fixture(scope="session")
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url, timeout=30) as client:
        yield client


@dataclass(frozen=True)
class World:
    """Everything the chain has, read page by page."""

    orders: list[Json]
    z_reports: list[Json]
    transactions: list[Json]

    @property
    def counting(self) -> list[Json]:
        return [
            order
            for order in self.orders
            if order["ordertypeid"] == 10 and order["orderstateid"] not in (20, -1) and order["paymentstateid"] == 20
        ]


def everything(client: httpx.Client, path: str, key: str, fields: str = "") -> list[Json]:
    found: list[Json] = []
    after = 0
    while True:
        params: dict[str, str | int] = {f"{key}from": after + 1, "sort": key, "num": 1000, "fields": fields}
        items = client.get(path, params=params).json()["items"]
        if not items:
            return found
        found += items
        after = items[-1][key]


def all_z_reports(client: httpx.Client) -> list[Json]:
    found: dict[tuple[str, int], Json] = {}
    since = 0
    while True:
        page = client.get("/pos-z-reports", params={"dateaddedfrom": since}).json()
        known = len(found)
        found |= {(report["registerid"], report["zreportid"]): report for report in page}
        if len(found) == known:
            return list(found.values())
        since = page[-1]["dateadded"]


@pytest.fixture(scope="session")
def world(api: httpx.Client) -> World:
    transactions = everything(api, "/sites/1/warehousetransactions.json", "warehousetransactionid")
    return World(everything(api, "/orders.json", "orderid"), all_z_reports(api), transactions)


@pytest.fixture
def clock() -> Clock:
    """SameSystem's time, noon of the tenth in UTC until it is advanced."""
    return Clock(NOW)


@pytest.fixture(scope="session")
def _samesystem() -> Iterator[Sandbox]:
    with Sandbox(chain=CHAIN, now=NOW) as running:
        yield running


@pytest.fixture
def client(_samesystem: Sandbox, clock: Clock) -> Client:
    """A client of a SameSystem that holds nothing yet, behind a server that has no faults."""
    _samesystem.faults = Faults()
    _samesystem.samesystem = SameSystem(
        _samesystem.samesystem_user, stores=CHAIN.store_list, clock=lambda: clock().timestamp(), zone=CHAIN.zone
    )
    return Client(_samesystem)
