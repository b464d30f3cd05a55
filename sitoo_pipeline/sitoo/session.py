"""An API user's own connection: who asks, how long is waited, and one answer as it comes over the wire.

Sitoo answers 429 to a second request in flight of the same API user, so a connection is lent to one request at a time.
What an answer means, and whether it is asked for again, is in ``client``.
"""

from __future__ import annotations

import logging
import ssl
import time
from dataclasses import dataclass, field
from functools import cache
from queue import SimpleQueue

import httpx

# httpx logs whole addresses and httpcore the headers of answers: both can hold what nobody should read in a log.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

_BODY_SECONDS = 600.0  # a body that trickles in never trips the read time limit, so a whole answer has one too


@dataclass(frozen=True, kw_only=True)
class ApiUser:
    """Credentials of one API user: ``api_id`` such as ``1500-1``, and its password."""

    api_id: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Session:
    """An API user's own connection."""

    api_id: str
    http: httpx.Client


class Lent:
    """An API user's connection for one request, tries included.

    It is kept while the request is tried again: a user told to wait rests. It is given back as soon as an answer is
    received, so that the next request goes out while this one's body is decoded.
    """

    def __init__(self, free: SimpleQueue[Session]) -> None:
        self._free = free
        self._held: Session | None = None

    def session(self) -> Session:
        """The connection; waits for a free one where none is held."""
        if self._held is None:
            self._held = self._free.get()
        return self._held

    def give_back(self) -> None:
        """Let the next one have it."""
        if self._held is not None:
            held, self._held = self._held, None
            self._free.put(held)


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: reading the list of authorities takes longer than a request."""
    return httpx.create_ssl_context()


def connection(user: ApiUser, timeout: httpx.Timeout) -> httpx.Client:
    """A connection that says who asks; it comes about with the first request."""
    return httpx.Client(
        verify=_certificates(),
        auth=httpx.BasicAuth(user.api_id, user.password),
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "sitoo-pipeline"},
        timeout=timeout,
        # A proxy from the environment is respected, except for a server on this machine.
        mounts={"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None},
    )


def receive(http: httpx.Client, url: str) -> tuple[httpx.Response, bytes]:
    """The answer and its body as it came over the wire, still compressed."""
    deadline = time.monotonic() + _BODY_SECONDS
    chunks: list[bytes] = []
    with http.stream("GET", url) as response:
        for chunk in response.iter_raw():
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"the body had not arrived after {_BODY_SECONDS:.0f} s")
    return response, b"".join(chunks)
