"""An API user's own connection: who asks, how long is waited, and one answer as it comes over the wire.

Sitoo answers 429 to a second request in flight of the same API user, so a connection is lent to one request at a time.
What an answer means, and whether it is asked for again, is in ``client``.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections import deque
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
    """The connections of all API users of an account, each lent to one request at a time, in the order of asking."""

    def __init__(self, sessions: Iterable[Session]) -> None:
        self.all = tuple(sessions)
        self._free = deque(self.all)
        self._waiting: deque[SimpleQueue[Session]] = deque()
        self._lock = Lock()

    @property
    def are_busy(self) -> bool:
        """Whether one of them is lent."""
        return len(self._free) < len(self.all)

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return len(self._waiting)

    def lend(self) -> Session:
        """A connection; waits for one where none is free."""
        with self._lock:
            if self._free:
                return self._free.popleft()
            place: SimpleQueue[Session] = SimpleQueue()
            self._waiting.append(place)
        try:
            return place.get()
        except BaseException:  # an interrupt
            with self._lock:
                is_given = place not in self._waiting
                if not is_given:
                    self._waiting.remove(place)
            if is_given:
                self.take_back(place.get())
            raise

    def take_back(self, session: Session) -> bool:
        """Lend it to the one who waits longest, if any does; whether one did."""
        with self._lock:
            if not self._waiting:
                self._free.append(session)
                return False
            session.sent.clear()
            self._waiting.popleft().put(session)
            return True


class Lent:
    """An API user's connection for one request, tries included.

    It is kept while the request is tried again: a user told to wait rests. It is passed on as soon as an answer is
    received, so that the next request goes out before this one's body is decoded.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._held: Session | None = None

    def session(self) -> Session:
        """The connection; waits for one where none is held."""
        if self._held is None:
            self._held = self._sessions.lend()
        return self._held

    def give_back(self) -> bool:
        """Let the next one have it; whether one waited for it."""
        if self._held is None:
            return False
        held, self._held = self._held, None
        return self._sessions.take_back(held)

    def pass_on(self) -> None:
        """The same, and wait until the request of the one who waited for it is on its way.

        Decoding a body keeps every other thread waiting, also the one that sends.
        """
        held = self._held
        if self.give_back() and held is not None:
            held.sent.wait(_SENDING_SECONDS)


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
        if step.endswith(".send_request_body.complete"):  # a proxy's CONNECT has one too, and comes sooner
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
