"""Servers and clients for these tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sitoo_pipeline.sitoo import ApiUser, RetryPolicy, SitooClient
from sitoo_pipeline_tests.sitoo.server import Answer, Request, Server

PASSWORD = "Pa55w0rd-of-forty-characters-0123456789x"
HASTY = RetryPolicy(attempts=3, wait_initial=0.001, wait_max=0.002, retry_after_max=0.002)

Serve = Callable[[Callable[[Request], Answer]], Server]
Connect = Callable[..., SitooClient]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers by a script."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(Server(script))


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client of a server, by default with one API user and little patience."""
    with ExitStack() as stack:

        def connected(server: Server | str, *, users: int = 1, retry: RetryPolicy = HASTY, **more: Any) -> SitooClient:
            url = server if isinstance(server, str) else server.url
            named = tuple(ApiUser(api_id=f"1500-{number}", password=PASSWORD) for number in range(1, users + 1))
            return stack.enter_context(SitooClient(base_url=url, users=named, retry=retry, **more))

        yield connected
