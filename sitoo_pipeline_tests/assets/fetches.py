"""A Sitoo of hourly orders whose requests a test can watch and spoil, and what is asked of fetches from it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sitoo_pipeline.assets.fetching import Fetched
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.windows import window
from sitoo_pipeline.tables import raw
from sitoo_pipeline_tests.pipeline.scripted import Json
from sitoo_pipeline_tests.sitoo.server import Request, Server

FIRST = date(2026, 3, 2)
PIECES = [[FIRST + timedelta(days=start + day) for day in range(2)] for start in (0, 2, 4)]
ORDERS: list[Json] = [
    {"orderid": number, "orderdate": int(datetime(2026, 2, 28, tzinfo=UTC).timestamp()) + 3600 * number, "eshopid": 1}
    for number in range(1, 24 * 12)
]
"""One each hour, from before the first window to after the last."""


@dataclass
class Sitoo:
    """A server whose requests for orders a test can watch and spoil."""

    server: Server
    runtime: Runtime

    @property
    def windows(self) -> list[tuple[int, int]]:
        """What was asked for, once for each list."""
        asked = [request.query for request in self.server.seen if "orderdatefrom" in request.query]
        return list(dict.fromkeys((int(query["orderdatefrom"]), int(query["orderdateto"])) for query in asked))


def ids(fetched: Fetched) -> set[int]:
    return {
        record["orderid"]
        for file in fetched.landed.files
        for record in json.loads(gzip.decompress(file.read_bytes()))["items"]
    }


def needed(runtime: Runtime, dates: list[date]) -> set[int]:
    span = window(runtime, raw.ORDERS, dates)
    assert span.end_second
    return {one["orderid"] for one in ORDERS if span.first_second <= one["orderdate"] < span.end_second}


def starts_with(request: Request, runtime: Runtime, dates: list[date]) -> bool:
    """Whether a request is for the window that ends with ``dates``."""
    return request.query.get("orderdateto") == str(window(runtime, raw.ORDERS, dates).end_second)


def landed_folders(runtime: Runtime) -> list[Path]:
    return sorted((runtime.account.landing_folder / "orders").glob("*/*"))
