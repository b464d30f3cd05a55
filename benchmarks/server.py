"""The local server that both sides load from, in a process of its own: a chain's Sitoo account, every answer made once.

An answer is the sandbox's own, compressed and kept under its address, so that from the second time on a page costs the
server nothing. The first time is for a rehearsal that is not measured. Stock is that of one store.
"""

from __future__ import annotations

import argparse
import gzip
import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from benchmarks.period import TIMEZONE, Period
from sitoo_pipeline.sandbox import Chain
from sitoo_pipeline.sandbox.sitoo_app import SitooApp

STORES = 20
HISTORY = timedelta(days=21)
"""The chain opened a while before the period, so that returns have purchases and tills a past."""
AFTERWARDS = timedelta(days=4)
"""The server's clock stands a while after the period, so that what tills sold offline has arrived."""
_BUSYNESS = 1.1  # an average day of the chain has so many times the orders that it is asked for
_ACCOUNT = "/v2/accounts/1500"


@dataclass(frozen=True)
class Server:
    """The running server: the account's base URL."""

    url: str

    def requests(self) -> Counter[str]:
        """Requests per path since the last call."""
        found = httpx.get(self.url.replace(_ACCOUNT, "/requests"), trust_env=False).json()
        return Counter(found)


@contextmanager
def serving(orders: int, period: Period) -> Iterator[Server]:
    """A server with about ``orders`` orders in ``period``, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.server", str(orders), *period.arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield Server(f"http://127.0.0.1:{port}{_ACCOUNT}")
        finally:
            process.terminate()


class Recorded:
    """Every answer of a chain's account, made when it is first asked for."""

    def __init__(self, orders: int, period: Period) -> None:
        per_store = max(1, round(orders / (period.days * STORES * _BUSYNESS)))
        chain = Chain(stores=STORES, opened=period.first - HISTORY, orders_per_day=per_store, timezone=TIMEZONE)
        self._warehouse = chain.store_list[0].warehouseid
        now = int(datetime.combine(period.last + AFTERWARDS, time(12), tzinfo=chain.zone).timestamp())
        sitoo = SitooApp(
            chain=chain, clock=lambda: now, worker=ThreadPoolExecutor(max_workers=1), z_reports_missing=lambda: False
        )
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(sitoo.routes), base_url="http://sandbox")
        self._answers: dict[str, Response] = {}
        self._asked: Counter[str] = Counter()

    @property
    def app(self) -> Router:
        """The ASGI application."""
        return Router([Route("/requests", self._requests), Mount(_ACCOUNT, Route("/{path:path}", self._answer))])

    async def _requests(self, request: Request) -> Response:
        asked, self._asked = self._asked, Counter()
        return JSONResponse(asked)

    async def _answer(self, request: Request) -> Response:
        path, query = f"/{request.path_params['path']}".removesuffix(".json"), request.url.query
        self._asked[path] += 1
        address = f"{path}?{query}"
        if address not in self._answers:
            if path.endswith("/warehousetransactions"):
                query += f"&warehouseid={self._warehouse}"
            found = await self._client.get(f"{path}?{query}")
            body, headers = gzip.compress(found.content, compresslevel=6, mtime=0), {"content-encoding": "gzip"}
            self._answers[address] = Response(body, found.status_code, headers, media_type="application/json")
        return self._answers[address]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("orders", type=int)
    parser.add_argument("first", type=date.fromisoformat)
    parser.add_argument("last", type=date.fromisoformat)
    asked = parser.parse_args()
    recorded = Recorded(asked.orders, Period(asked.first, asked.last))
    # Named as TCP, so that asyncio sends each answer at once instead of waiting for the client's acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print(json.dumps(listener.getsockname()[1]), flush=True)
        config = uvicorn.Config(recorded.app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
