"""One request to the Sitoo REST API v2: authentication, time limits, retries, and failures told in plain words.

Each API user's connection is lent to one request at a time (``session``). Paging is in ``paging``, the names of paths
and parameters in ``resources``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx

from sitoo_pipeline.sitoo.body import Body, Expect, error_text, inflate, read_body
from sitoo_pipeline.sitoo.decoding import UnusableBodyError, decode
from sitoo_pipeline.sitoo.errors import (
    BadRequest,
    CredentialsRefused,
    NotFound,
    PermanentSitooError,
    SitooError,
    TooManyRequests,
    TransientSitooError,
    Unreachable,
)
from sitoo_pipeline.sitoo.redaction import safe_query, safe_text
from sitoo_pipeline.sitoo.retry import RetryPolicy, requested_wait
from sitoo_pipeline.sitoo.session import ApiUser, Lent, Session, Sessions, connection, receive

Value = str | int | Sequence[str] | Sequence[int] | None
Params = Mapping[str, Value]

_PERMANENT: dict[int, type[PermanentSitooError]] = {
    400: BadRequest,
    401: CredentialsRefused,
    403: CredentialsRefused,
    404: NotFound,
}
_TRANSIENT: dict[int, type[TransientSitooError]] = {408: TransientSitooError, 429: TooManyRequests}


class SitooClient:
    """A connection to one Sitoo account. Safe to share between threads; each API user serves one at a time."""

    def __init__(
        self,
        *,
        base_url: str,
        users: Sequence[ApiUser],
        retry: RetryPolicy | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        absent: set[str] | None = None,
    ) -> None:
        """Prepare, without connecting.

        Args:
            base_url: The account's whole base URL, such as ``https://api.mysitoo.com/v2/accounts/1500``.
            users: The account's API users, at least one; each adds one request that may be in flight.
            retry: How transient failures are tried again; the defaults of ``RetryPolicy`` where it is not given.
            connect_timeout: Seconds for a connection to come about.
            read_timeout: Seconds without a single byte arriving.
            absent: Paths that this account is known not to have, for which others stand in. It is added to; give the
                same set to the clients of one account, so that each path is asked for in vain only once.

        Raises:
            ValueError: ``base_url`` is no http(s) URL, or there is no API user, or one is given twice.
        """
        if not users or len({user.api_id for user in users}) < len(users):
            raise ValueError("users must be at least one API user, and each only once")
        self._base_url = _checked(base_url)
        self.absent = set() if absent is None else absent
        self._retry = retry or RetryPolicy()
        # Shorter ones would blot out parts of ordinary words; Sitoo's passwords have 40 characters.
        self._secrets = tuple(user.password for user in users if len(user.password) > 3)
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        self._sessions = Sessions(Session(user.api_id, connection(user, timeout)) for user in users)
        self._resting: dict[int, str] = {}
        self._count = 0
        self._count_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SitooClient({self._base_url!r}, {self.concurrency} API users)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.all:
            session.http.close()

    @property
    def concurrency(self) -> int:
        """How many requests may be in flight at once: the number of API users."""
        return len(self._sessions.all)

    @property
    def requests(self) -> int:
        """How many requests were sent so far, tries included."""
        return self._count

    @property
    def is_busy(self) -> bool:
        """Whether an API user is at work: its request is in flight, or rests before it is tried again."""
        return self._sessions.are_busy

    @property
    def retrying(self) -> str:
        """What came back to a request that rests before it is tried again; empty where none does."""
        return next(iter(self._resting.copy().values()), "")

    def get(
        self,
        path: str,
        params: Params | None = None,
        expect: Expect = "envelope",
        decoded: Callable[[bytes], Any] = decode,
    ) -> Body:
        """Fetch one answer, trying again while the failure may pass.

        Args:
            path: Path below the base URL, such as ``/orders.json``; ids in it already percent-encoded.
            params: Query parameters. Several values become one comma-separated value, because Sitoo uses only the last
                of a repeated parameter; one that is None is left out.
            expect: The form of the answer.
            decoded: How its body is decoded: as any JSON, or by a ``Decoder`` for records of a known shape.

        Raises:
            TransientSitooError: It still failed after the last try.
            PermanentSitooError: Trying again does not help.
        """
        query = {name: _wire(value) for name, value in (params or {}).items() if value is not None}
        tried = f"GET {path}" + (f"?{safe_query(query)}" if query else "")
        url = self._base_url + path + (f"?{urlencode(query, quote_via=quote, safe=',')}" if query else "")
        lent = Lent(self._sessions)
        try:
            for attempt in self._retry.tries():
                with attempt:
                    self._resting.pop(id(lent), None)
                    try:
                        return self._get_once(
                            lent, url=url, tried=tried, tries=attempt.num, expect=expect, decoded=decoded
                        )
                    except TransientSitooError as error:
                        self._resting[id(lent)] = error.came_back
                        raise
        finally:
            self._resting.pop(id(lent), None)
            lent.give_back()
        raise AssertionError("stamina either returns or raises")

    def _get_once(
        self, lent: Lent, *, url: str, tried: str, tries: int, expect: Expect, decoded: Callable[[bytes], Any]
    ) -> Body:
        session = lent.session()
        with self._count_lock:
            self._count += 1
        try:
            response, raw = receive(session, url)
            encoding = response.headers.get("Content-Encoding", "")
            if response.is_success:
                lent.pass_on()
                data, document = read_body(raw=raw, encoding=encoding, expect=expect, decoded=decoded)
                return Body(data=data, document=document, tries=tries)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            came_back = f"no connection to {self._base_url}, {self._words(error)}"
            raise Unreachable(tried, came_back, tries=tries) from None
        except httpx.TransportError as error:
            came_back = f"the connection broke, {self._words(error)}"
            raise TransientSitooError(tried, came_back, tries=tries) from None
        except UnusableBodyError as error:
            status = response.status_code
            said = safe_text(error.said, secrets=self._secrets)
            came_back = f"{status} with {error}" + (f", {said!r}" if said else "")
            remedy = "If it stays, look at the setting base_url, and at what may answer in Sitoo's place (a proxy)."
            raise TransientSitooError(tried, came_back, status=status, tries=tries, remedy=remedy) from error
        said = safe_text(_refusal_text(raw, encoding), secrets=self._secrets)
        raise _refusal(response, said=said, api_id=session.api_id, tried=tried, tries=tries)

    def _words(self, error: httpx.HTTPError) -> str:
        """What happened to a connection. It replaces the error, whose text can quote what the server sent."""
        return safe_text(f"{type(error).__name__} {error}", secrets=self._secrets)


def _refusal(response: httpx.Response, *, said: str, api_id: str, tried: str, tries: int) -> SitooError:
    """The error for an answer whose status is not one of success."""
    status = response.status_code
    came_back = f"{status} {httpx.codes.get_reason_phrase(status)}".strip() + (f", {said!r}" if said else "")
    if status in (401, 403, 429):
        came_back += f" to API user {api_id}"
    if status in _TRANSIENT or status >= 500:
        kind = _TRANSIENT.get(status, TransientSitooError)
        wait = requested_wait(response.headers)
        return kind(tried, came_back, status=status, tries=tries, retry_after=wait)
    remedy = "Look at the setting base_url: Sitoo's API does not redirect, so another address or scheme is meant."
    return _PERMANENT.get(status, PermanentSitooError)(
        tried, came_back, status=status, tries=tries, remedy=remedy if response.is_redirect else ""
    )


def _refusal_text(raw: bytes, encoding: str) -> str:
    """Sitoo's words about a refusal, or what came in their place."""
    try:
        return error_text(decode(inflate(raw=raw, encoding=encoding)))
    except UnusableBodyError as error:
        return str(error) if raw else ""


def _wire(value: str | int | Sequence[str] | Sequence[int]) -> str:
    """A parameter's value as Sitoo reads it: lists comma-separated, truth values in lower case."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    return ",".join(str(one) for one in value)


def _checked(base_url: str) -> str:
    """The base URL without trailing slash, query, and user and password, which would otherwise win over ``users``."""
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("base_url must be a URL such as https://api.mysitoo.com/v2/accounts/1500")
    return str(url.copy_with(userinfo=b"", query=None, fragment=None)).rstrip("/")
