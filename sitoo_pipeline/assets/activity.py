"""What is being done for one account right now: counted by those who do it, read by whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from threading import Lock
from typing import TypeVar

from sitoo_pipeline.sitoo import SitooClient

T = TypeVar("T")


class Activity:
    """Counts of one process, from its start. Written in several threads.

    Attributes:
        step: What dates are worked on now, such as ``raw.orders``; empty where that is nothing with dates.
        done: For each table and target how many dates are done, whatever became of them.
        orders: Orders that came from Sitoo.
    """

    def __init__(self) -> None:
        self.step = ""
        self.done: Counter[str] = Counter()
        self.orders = 0
        self._clients: list[SitooClient] = []
        self._requests = 0
        self._lock = Lock()

    @property
    def requests(self) -> int:
        """Requests that were sent to Sitoo."""
        with self._lock:
            return self._requests + sum(client.requests for client in self._clients)

    @property
    def waiting_for(self) -> str:
        """What a request to Sitoo waits for; empty where none is under way."""
        with self._lock:
            clients = list(self._clients)
        retried = [came_back for client in clients if (came_back := client.retrying)]
        if retried:
            return f"Sitoo, to ask again after: {retried[0]}"
        return "Sitoo" if any(client.is_busy for client in clients) else ""

    @contextmanager
    def using(self, client: SitooClient) -> Iterator[None]:
        """Count the requests of ``client``, which is in use until the end of the block."""
        with self._lock:
            self._clients.append(client)
        try:
            yield
        finally:
            with self._lock:
                self._clients.remove(client)
                self._requests += client.requests

    def counting(self, tables: Sequence[str], work: Callable[[Sequence[date]], T]) -> Callable[[Sequence[date]], T]:
        """The same ``work`` of a step that makes ``tables``, its dates counted when they are done.

        Several dates that fail together are not: they are tried again one by one.
        """

        def counted(dates: Sequence[date]) -> T:
            self.step = tables[0]
            try:
                found = work(dates)
            except Exception:
                if len(dates) == 1:
                    self.done.update(tables)
                raise
            self.done.update(dict.fromkeys(tables, len(dates)))
            return found

        return counted

    def arrived(self, orders: int) -> None:
        """Count orders that came from Sitoo."""
        with self._lock:
            self.orders += orders
