"""An API user's own connection: who asks, how long is waited, and one answer as it comes over the wire.

Sitoo answers 429 to a second request in flight of the same API user, so a connection is lent to one request at a time.
What an answer means, and whether it is asked for again, is in ``client``.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

import httpx

# httpx logs whole addresses and httpcore the headers of answers: both can hold what nobody should read in a log.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

_BODY_SECONDS = 600.0  # a body that trickles in never trips the read time limit, so a whole answer has one too
_SENDING_SECONDS = 0.05  # sending takes a hundredth of it, unless the connection has to be made anew


@dataclass(frozen=True, kw_only=True)
class ApiUser:
    """Credentials of one API user: ``api_id`` such as ``1500-1``, and its password."""

    api_id: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Session:
    """An API user's own connection; ``sent`` tells that the request for which it was lent last is on its way."""

    api_id: str
    http: httpx.Client
    sent: Event = field(default_factory=Event, repr=False)


class Sessions:
    """The connections of all API users of an account, each lent to one request at a time.

    Attributes:
        all: The connections.
        waiting: How many requests wait for one.
    """

    def __init__(self, sessions: Iterable[Session]) -> None:
        self.all = tuple(sessions)
        self._free: SimpleQueue[Session] = SimpleQueue()
        self.waiting = 0
        self._lock = Lock()
        for session in self.all:
            self._free.put(session)

    @property
    def are_busy(self) -> bool:
        """Whether one of them is lent."""
        return self._free.qsize() < len(self.all)

    def lend(self) -> Session:
        """A free connection; waits for one."""
        with self._lock:
            self.waiting += 1
        try:
            return self._free.get()
        finally:
            with self._lock:
                self.waiting -= 1

    def take_back(self, session: Session) -> None:
        """Lend it to the next one. Where one waits for it, this ends when that one's request is on its way.

        Who gives it back goes on to decode a body, which keeps every other thread waiting, also the one that sends.
        """
        is_awaited = self.waiting > 0
        session.sent.clear()
        self._free.put(session)
        if is_awaited:
            session.sent.wait(_SENDING_SECONDS)


class Lent:
    """An API user's connection for one request, tries included.

    It is kept while the request is tried again: a user told to wait rests. It is given back as soon as an answer is
    received, so that the next request goes out before this one's body is decoded.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._held: Session | None = None

    def session(self) -> Session:
        """The connection; waits for a free one where none is held."""
        if self._held is None:
            self._held = self._sessions.lend()
        return self._held

    def give_back(self) -> None:
        """Let the next one have it."""
        if self._held is not None:
            held, self._held = self._held, None
            self._sessions.take_back(held)


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


def receive(session: Session, url: str) -> tuple[httpx.Response, bytes]:
    """The answer and its body as it came over the wire, still compressed."""
    deadline = time.monotonic() + _BODY_SECONDS
    chunks: list[bytes] = []

    def follow(step: str, said: dict[str, Any]) -> None:
        if step.endswith(".send_request_body.complete"):
            session.sent.set()

    try:
        with session.http.stream("GET", url, extensions={"trace": follow}) as response:
            for chunk in response.iter_raw():
                chunks.append(chunk)
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"the body had not arrived after {_BODY_SECONDS:.0f} s")
    finally:
        session.sent.set()
    return response, b"".join(chunks)
