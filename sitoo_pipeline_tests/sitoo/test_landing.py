"""land(): whole folders or none, whatever happens on the way."""

from __future__ import annotations

import gzip
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline.sitoo import RESOURCES, Landed, Scope, SitooClient, Window, land
from sitoo_pipeline.sitoo.errors import NotFound, PermanentSitooError, TransientSitooError
from sitoo_pipeline_tests.sitoo.conftest import Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Record, Request, answer, by_added, by_cursor, by_position, refusal

DAY = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
START = DAY.first_second
ORDERS: list[Record] = [{"orderid": 7 + 3 * n, "orderdate": START + 30 * n} for n in range(2500)]


def serve_orders(request: Request) -> Answer:
    return answer(by_cursor(ORDERS, request.query, cursor="orderid", date="orderdate"))


def records_in(landed: Landed) -> list[Record]:
    pages: list[Any] = [json.loads(gzip.decompress(file.read_bytes())) for file in landed.files]
    return [record for page in pages for record in (page["items"] if landed.layout == "envelope" else page)]


def ids_in(landed: Landed, name: str = "orderid") -> list[int]:
    return [record[name] for record in records_in(landed)]


def land_orders(client: SitooClient, folder: Path, **more: Any) -> Landed:
    return land(client=client, resource=RESOURCES["orders"], folder=folder, **{"window": DAY, **more})


def test_every_page_is_on_disk_as_received_and_in_order(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(serve_orders)
    landed = land_orders(connect(server), tmp_path / "landing" / "day")

    assert landed.folder == tmp_path / "landing" / "day"
    assert [file.name for file in landed.files] == ["0000.json.gz", "0001.json.gz", "0002.json.gz"]
    assert sorted(landed.folder.iterdir()) == list(landed.files)
    assert (landed.layout, landed.records, landed.requests, landed.resource) == ("envelope", 2500, 3, "orders")
    assert ids_in(landed) == [order["orderid"] for order in ORDERS]
    expected = serve_orders(Request("/orders.json", server.queries[0], {})).body
    assert gzip.decompress(landed.files[0].read_bytes()) == gzip.decompress(expected)
