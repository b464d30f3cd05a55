"""What every target that is spoken to by HTTP shares: certificates, how long it asks to wait, and a call in vain."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpx

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures after which the target surely has not seen the request."""


class NotTakenError(Exception):
    """No usable answer, in spite of the retries.

    ``may_have_arrived`` tells whether any attempt may have been taken all the same, ``stop`` that trying anything else
    now is of no use. ``wait`` is how many seconds the target asked for, and ``is_transient`` whether a repeat can help.
    """

    def __init__(
        self,
        message: str,
        *,
        may_have_arrived: bool = False,
        stop: bool = False,
        wait: float | None = None,
        is_transient: bool = True,
    ) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.stop = stop
        self.wait = wait
        self.is_transient = is_transient


@cache
def certificates() -> ssl.SSLContext:
    """The certificate authorities, read once: a target is opened for every date."""
    return httpx.create_ssl_context()


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of ``Retry-After``, in either of its forms; None where it is absent or no time at all."""
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
