"""The local server that all sides load from, in a process of its own: a chain's Sitoo account, its pages ready.

Orders, z-reports and warehouse transactions are those of ``book``; sites, stores, registers and articles are the
sandbox's. As at Sitoo an API user may have one request in flight. Besides Sitoo's paths there are some below
``/control``, for the benchmark alone.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from base64 import b64decode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from benchmarks.book import Book
from benchmarks.listing import Listing, compressed
from benchmarks.rehearsal import rehearse
from benchmarks.serving import ACCOUNT_PATH, Wanted
from benchmarks.stock import transactions
from benchmarks.tills import ZReports
from sitoo_pipeline.sandbox.sitoo_app import SitooApp

_TOO_MANY = b'{"statuscode":429,"errortext":"Too many connections"}'


@dataclass
class _Flight:
    """In how much of the time a request is in flight, whatever their number."""

    now: int = 0
    since: float = 0.0
    seconds: float = 0.0
    first: float = 0.0
    last: float = 0.0

    def begin(self) -> None:
        at = time.perf_counter()
        self.first = self.first or at
        if not self.now:
            self.since = at
        self.now += 1

    def end(self) -> None:
        self.last = time.perf_counter()
        self.now -= 1
        if not self.now:
            self.seconds += self.last - self.since


class Account:
    """The ASGI application."""

    def __init__(self, wanted: Wanted) -> None:
        book = Book(wanted.orders, wanted.period)
        self._orders, self._stock, self._z_reports = book.listing(), transactions(book, wanted.stock), ZReports(book)
        self._now, self._latency = wanted.now, wanted.latency
        sitoo = SitooApp(
            chain=book.chain,
            clock=lambda: self._now,
            worker=ThreadPoolExecutor(max_workers=1),
            z_reports_missing=lambda: False,
        )
        self._sandbox = httpx.AsyncClient(transport=httpx.ASGITransport(sitoo.routes), base_url="http://sandbox")
        self._lists: dict[str, bytes] = {}
        self._busy: set[str] = set()
        self._forget()
        backfills = (rehearse(self._orders, wanted.period, users=users, now=self._now) for users in wanted.users)
        scripts = (self._orders.by_position(*span, now=self._now) for span in wanted.by_offset)
        self._orders.prepare(chain.from_iterable((*backfills, *scripts)))
        self._z_reports.prepare(wanted.z_starts, now=self._now)

    def _forget(self) -> None:
        self._asked: Counter[str] = Counter()
        self._flight, self._dated, self._making = _Flight(), _Flight(), 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, query = str(scope["path"]), scope["query_string"].decode()
        if path.startswith("/control/"):
            await _send(
                send, 200, json.dumps(self._control(path.removeprefix("/control/"), query)).encode(), gzip=False
            )
            return
        user = _user(scope)
        if user in self._busy:
            await _send(send, 429, _TOO_MANY, gzip=False)
            return
        self._busy.add(user)
        flights = [self._flight, self._dated] if path.removesuffix(".json").endswith("/orders") else [self._flight]
        for flight in flights:
            flight.begin()
        try:
            if self._latency:
                await asyncio.sleep(self._latency)
            body = await self._answer(path.removeprefix(ACCOUNT_PATH).removesuffix(".json"), query)
            self._busy.discard(user)  # a client that has read the answer may ask again at once
            await _send(send, 200, body, gzip=True)
        finally:
            self._busy.discard(user)
            for flight in flights:
                flight.end()

    def _control(self, what: str, query: str) -> object:
        if what == "watch":
            found = {
                "requests": self._asked,
                "in_flight": self._flight.seconds,
                "orders_in_flight": self._dated.seconds,
                "orders_span": self._dated.last - self._dated.first,
                "making": self._making,
            }
            self._forget()
            return found
        if what == "set":
            said = dict(parse_qsl(query))
            self._now, self._latency = int(said.get("now", self._now)), float(said.get("latency", self._latency))
        return {"orders": len(self._orders), "transactions": len(self._stock)}

    async def _answer(self, path: str, query: str) -> bytes:
        self._asked[path] += 1
        started = time.perf_counter()
        asked = dict(parse_qsl(query))
        listing = self._listing(path)
        if listing is not None:
            body, is_made = listing.answer(listing.find(asked, now=self._now), asked.get("fields"))
        elif path == "/pos-z-reports":
            until = min(self._now, int(asked.get("dateaddedto", self._now)))
            body, is_made = self._z_reports.answer(self._z_reports.find(int(asked.get("dateaddedfrom", 0)), until))
        else:
            return await self._reference(f"{path}?{query}")
        self._making += (time.perf_counter() - started) if is_made and listing is not self._stock else 0.0
        return body

    async def _reference(self, address: str) -> bytes:
        if address not in self._lists:
            self._lists[address] = compressed((await self._sandbox.get(address)).content)
        return self._lists[address]

    def _listing(self, path: str) -> Listing | None:
        if path == "/orders":
            return self._orders
        return self._stock if path.endswith("/warehousetransactions") else None


def _user(scope: Scope) -> str:
    """The API user, or the connection where nobody is named."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return b64decode(value.removeprefix(b"Basic ")).decode().partition(":")[0]
    return str(scope["client"])


async def _send(send: Send, status: int, body: bytes, *, gzip: bool) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if gzip:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    account = Account(Wanted.from_json(sys.argv[1]))
    # Named as TCP, so that asyncio sends each answer at once instead of waiting for the client's acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print(json.dumps(listener.getsockname()[1]), flush=True)
        config = uvicorn.Config(
            account, interface="asgi3", lifespan="off", log_level="critical", timeout_graceful_shutdown=1
        )
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
