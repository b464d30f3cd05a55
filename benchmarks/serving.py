"""What the local server is to serve, and its control from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from benchmarks.measure import clean_environment
from benchmarks.period import TIMEZONE, Period
from benchmarks.rehearsal import DAYS_PER_RUN
from sitoo_pipeline.assets.windows import CLOCK_SKEW

ACCOUNT_PATH = "/v2/accounts/1500"
_AFTERWARDS = timedelta(days=4)


@dataclass(frozen=True)
class Wanted:
    """What a server is to serve.

    Attributes:
        orders: How many orders the period has.
        period: The period.
        now: The server's clock, in epoch seconds: later orders cannot be seen.
        latency: Seconds before each answer.
        stock: How many stores keep stock.
        users: For these numbers of API users, every page of orders that a backfill of the period asks for is made at
            start. Who asks for pages ahead asks for other pages.
        by_offset: Spans in epoch seconds, both included, whose pages of orders are made at start, for reads by
            position.
        z_starts: Epoch seconds from which all z-reports are read; these answers too are made at start.
    """

    orders: int
    period: Period
    now: int
    latency: float = 0.0
    stock: int = 1
    users: tuple[int, ...] = ()
    by_offset: tuple[tuple[int, int], ...] = ()
    z_starts: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        orders: int,
        period: Period,
        *,
        users: tuple[int, ...] = (1,),
        for_scripts: bool = False,
        now: int | None = None,
    ) -> Wanted:
        """An account with every page ready that a backfill of the period asks for, or also floor and dlt.

        It is as a while after the period, or at ``now``.
        """
        later = datetime.combine(period.last + _AFTERWARDS, time(12), tzinfo=ZoneInfo(TIMEZONE))
        runs = range(0, period.days, DAYS_PER_RUN)
        return cls(
            orders,
            period,
            now or int(later.timestamp()),
            users=users,
            by_offset=(period.seconds,) if for_scripts else (),
            z_starts=tuple(_midnight(period.day(number)) - int(CLOCK_SKEW.total_seconds()) for number in runs),
        )

    @classmethod
    def from_json(cls, text: str) -> Wanted:
        """What ``as_json`` wrote."""
        said = json.loads(text)
        period = Period(*map(date.fromisoformat, said.pop("period")))
        spans = tuple((since, until) for since, until in said.pop("by_offset"))
        users, z_starts = tuple(said.pop("users")), tuple(said.pop("z_starts"))
        return cls(**said, users=users, by_offset=spans, z_starts=z_starts, period=period)

    def as_json(self) -> str:
        """As an argument of the server's command."""
        return json.dumps({**vars(self), "period": self.period.arguments})


@dataclass(frozen=True)
class Watched:
    """What a server saw since the last look.

    Attributes:
        requests: Requests by path.
        in_flight: Seconds in which at least one request was in flight.
        orders_in_flight: The same for requests of orders alone.
        orders_span: Seconds from the first of these to the end of the last.
        making: Seconds that the server spent on making pages of orders that were not ready.
    """

    requests: Counter[str]
    in_flight: float
    orders_in_flight: float
    orders_span: float
    making: float


@dataclass(frozen=True)
class Server:
    """The running server: the account's base URL."""

    url: str

    def watch(self) -> Watched:
        """What it saw since the last look."""
        said = self._control("watch")
        return Watched(**{**said, "requests": Counter(said["requests"])})

    def set(self, **said: float) -> None:
        """Change its clock (``now``) or its ``latency``."""
        self._control("set", said)

    def _control(self, what: str, said: dict[str, float] | None = None) -> dict[str, Any]:
        url = self.url.replace(ACCOUNT_PATH, f"/control/{what}")
        return dict(httpx.get(url, params=said, trust_env=False, timeout=60).json())


@contextmanager
def serving(wanted: Wanted) -> Iterator[Server]:
    """A server until the end of the block. It starts to listen when every page is ready."""
    command = [sys.executable, "-m", "benchmarks.server", wanted.as_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline()
            if not port:
                raise RuntimeError("the benchmark's server did not start")
            yield Server(f"http://127.0.0.1:{int(port)}{ACCOUNT_PATH}")
        finally:
            process.terminate()


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=ZoneInfo(TIMEZONE)).timestamp())
