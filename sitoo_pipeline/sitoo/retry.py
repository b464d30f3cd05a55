"""How long to wait before a request is tried again.

The retrying itself is stamina's; here are only the policy and what Sitoo's answer says about waiting.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import stamina

from sitoo_pipeline.sitoo.errors import TransientSitooError

_log = logging.getLogger(__name__)

# Where structlog is installed, as it is with Dagster, stamina prints every retry to standard output. Ours are logged.
stamina.instrumentation.set_on_retry_hooks([])

_SECONDS = re.compile(r"\d{1,12}(\.\d+)?")
_EPOCH_FROM = 1_000_000_000  # a reset time above this is an instant in epoch seconds, below it a number of seconds


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently a transient failure is tried again. All waits are in seconds.

    Attributes:
        attempts: Requests in all, the first included.
        wait_initial: First wait; it doubles each time, and up to as much again is added at random.
        wait_max: Longest wait of our own choosing.
        retry_after_max: Longest wait that Sitoo may ask for; a longer one is cut to this.
    """

    attempts: int = 7
    wait_initial: float = 0.5
    wait_max: float = 30.0
    retry_after_max: float = 600.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")
        if min(self.wait_initial, self.wait_max, self.retry_after_max) < 0:
            raise ValueError("waits must not be negative")

    def tries(self) -> Iterator[stamina.Attempt]:
        """The attempts under this policy, each to be entered as a context."""
        return iter(
            stamina.retry_context(
                on=self._wait,
                attempts=self.attempts,
                timeout=None,  # each request has its own time limits
                wait_initial=self.wait_initial,
                wait_max=self.wait_max,
                wait_jitter=self.wait_initial,
            )
        )

    def _wait(self, error: Exception) -> bool | float:
        """Whether to try again (stamina then chooses the wait), or the seconds that Sitoo asked for."""
        if not isinstance(error, TransientSitooError):
            return False
        _log.warning("%s: %s", error.tried, error.came_back)
        if not error.retry_after:
            return True
        jitter = random.uniform(0, self.wait_initial)  # noqa: S311 (spreads clients, hides nothing)
        return min(error.retry_after, self.retry_after_max) + jitter


def requested_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait according to an answer's headers, or None where they do not say.

    ``Retry-After`` is seconds or an HTTP date (RFC 9110, 10.2.3), ``X-Rate-Limit-Reset`` an instant in epoch seconds,
    as one integrator reads it from Sitoo. Instants are compared with the answer's own ``Date``, so that a wrong clock
    on this machine does not matter. Of several waits the longest counts.
    """
    now = _instant(headers.get("Date", "")) or time.time()
    waits: list[float] = []
    if retry_after := headers.get("Retry-After", "").strip():
        if _SECONDS.fullmatch(retry_after):
            waits.append(float(retry_after))
        elif (instant := _instant(retry_after)) is not None:
            waits.append(instant - now)
    if _SECONDS.fullmatch(reset := headers.get("X-Rate-Limit-Reset", "").strip()):
        waits.append(float(reset) - now if float(reset) >= _EPOCH_FROM else float(reset))
    return max(0.0, *waits) if waits else None


def _instant(http_date: str) -> float | None:
    """An HTTP date in epoch seconds, or None where it is none."""
    try:
        instant = parsedate_to_datetime(http_date)
    except (TypeError, ValueError, OverflowError):
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
