"""One call of Ometria's push API: pacing, retries, and what an answer says.

What belongs here: HTTP. What does not: batches and records (``ometria``).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx
import orjson
import stamina

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_REASON_LENGTH = 200


@dataclass(frozen=True)
class Accepted:
    """Ometria took the request; ``rejected`` of its records it did not."""

    rejected: int
    text: str


@dataclass(frozen=True)
class Refused:
    """Ometria refused the request as it is; ``text`` is its reason."""

    text: str


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
def _certificates() -> ssl.SSLContext:
    """Read once: a target is opened for every date."""
    return httpx.create_ssl_context()


class Push:
    """``POST /push`` of one account. Arguments as ``Ometria``."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        requests_per_second: float,
        attempts: int,
        timeout: float,
        longest_wait: float,
    ) -> None:
        headers = {"X-Ometria-Auth": api_key, "Content-Type": "application/json"}
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, verify=_certificates())
        self._pause = 1 / requests_per_second
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._next_at = 0.0
        self._queue_left: int | None = None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __call__(self, bodies: Sequence[bytes]) -> Accepted | Refused:
        """Hand over records, each already JSON; all of one type.

        Raises:
            NotTakenError: where nothing usable came back.
        """
        body = b"[" + b",".join(bodies) + b"]"
        may_have_arrived = False
        for attempt in stamina.retry_context(
            on=self._how_long, attempts=self._attempts, timeout=None, wait_max=self._longest_wait
        ):
            with attempt:
                try:
                    return self._call(body, len(bodies))
                except NotTakenError as error:
                    may_have_arrived = error.may_have_arrived = may_have_arrived or error.may_have_arrived
                    raise
        raise AssertionError("the retries end with an answer or an error")

    def _how_long(self, error: Exception) -> bool | float:
        """Whether to try again, and when, where Ometria names a time."""
        if not isinstance(error, NotTakenError) or not error.is_transient:
            return False
        if error.wait is None:
            return True
        return error.wait if error.wait <= self._longest_wait else False

    def _call(self, body: bytes, number: int) -> Accepted | Refused:
        self._keep_pace(number)
        try:
            response = self._client.post("push", content=body)
        except _NOT_SENT as error:
            raise NotTakenError(
                f"Ometria cannot be reached ({type(error).__name__}): check OMETRIA_BASE_URL", stop=True
            ) from None
        except httpx.TransportError as error:
            raise NotTakenError(f"no answer from Ometria ({type(error).__name__})", may_have_arrived=True) from None
        self._queue_left = _number(response.headers.get("X-QueueSize-Remaining"))
        return _understood(response, number)

    def _keep_pace(self, number: int) -> None:
        """Wait for the turn; and longer once, where Ometria's queue has no room for this batch."""
        pause = self._next_at - time.monotonic()
        if self._queue_left is not None and self._queue_left < number:
            pause = max(pause, min(number * self._pause, self._longest_wait))
        if pause > 0:
            time.sleep(pause)
        self._next_at = time.monotonic() + self._pause


def _understood(response: httpx.Response, number: int) -> Accepted | Refused:
    """What an answer means for the ``number`` records of the request."""
    status = response.status_code
    if status in (401, 403):
        raise NotTakenError(
            f"Ometria refused the API key (HTTP {status}): check OMETRIA_API_KEY, and that the key may push records",
            stop=True,
            is_transient=False,
        )
    if status == 429:
        raise NotTakenError("Ometria takes no more records for now (HTTP 429)", stop=True, wait=_retry_after(response))
    if status == 408 or status >= 500:
        raise NotTakenError(f"Ometria failed (HTTP {status})", may_have_arrived=True, wait=_retry_after(response))
    if status in (400, 413, 422):
        return Refused(_words(response))
    if not response.is_success:
        raise NotTakenError(
            f"this is not Ometria's push API (HTTP {status}): check OMETRIA_BASE_URL", stop=True, is_transient=False
        )
    return _counted(response, number)


def _counted(response: httpx.Response, number: int) -> Accepted:
    """A 2xx answer: how many were rejected. One that does not add up says nothing about what was taken."""
    answer = _json_object(response)
    accepted, rejected = answer.get("accepted"), answer.get("rejected")
    if accepted is None and rejected is None and answer.get("status") == "OK":
        accepted, rejected = number, 0
    if not isinstance(accepted, int) or not isinstance(rejected, int) or accepted + rejected != number:
        raise NotTakenError(f"Ometria's answer makes no sense (HTTP {response.status_code})", may_have_arrived=True)
    text = f"request {str(answer.get('request_id', 'without id'))[:64]}"
    return Accepted(rejected, f"accepted, {text}" if rejected == 0 else f"rejected by Ometria, see its errors; {text}")


def _words(response: httpx.Response) -> str:
    """Why a request was refused, in Ometria's words where it has any."""
    answer = _json_object(response)
    said = next((answer[name] for name in ("message", "error_message", "error") if answer.get(name)), "no reason given")
    return f"HTTP {response.status_code}: {str(said)[:_REASON_LENGTH]}"


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of ``Retry-After``, in either of its forms; None where it is absent or no time at all."""
    value = response.headers.get("Retry-After", "")
    if (seconds := _number(value)) is not None:
        return float(seconds)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() else None
