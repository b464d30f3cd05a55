"""Calls of Ometria's API: pacing, retries, and what every failure means.

What belongs here: HTTP that is the same for every call. What does not: pushes (``ometria_push``), the list of errors
(``ometria_errors``), reading back (``ometria_readback``), e-mail (``ometria_receipt``).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import orjson
import stamina

from sitoo_pipeline.sinks.target_http import NOT_SENT, NotTakenError, certificates, retry_after

_REASON_LENGTH = 200
_MOST_AT_ONCE = 100

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Patience:
    """How long a call is tried: ``attempts`` at most, ``timeout`` seconds for each part of an answer.

    Between two attempts are at most ``longest_wait`` seconds; where Ometria asks for more, the next run tries again.
    """

    attempts: int = 4
    timeout: float = 30
    longest_wait: float = 60


class Pace:
    """A limit of requests per second, which holds in each second wherever it begins: the first few may go at once."""

    def __init__(self, per_second: float) -> None:
        self._at_once = max(1, int(min(per_second, _MOST_AT_ONCE)))
        self._seconds = self._at_once / per_second
        self._sent_at: deque[float] = deque(maxlen=self._at_once)

    def wait(self) -> None:
        """Sleep until the next request may go."""
        if len(self._sent_at) == self._at_once:
            pause = self._sent_at[0] + self._seconds - time.monotonic()
            if pause > 0:
                time.sleep(pause)
        self._sent_at.append(time.monotonic())


class Api:
    """The API of one account. ``queue_room`` and ``queue_limit`` are what the last answer said of Ometria's queue."""

    def __init__(self, *, base_url: str, api_key: str, patience: Patience) -> None:
        headers = {"X-Ometria-Auth": api_key, "Content-Type": "application/json"}
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=patience.timeout, verify=certificates())
        self.patience = patience
        self.queue_room: int | None = None
        self.queue_limit: int | None = None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        pace: Pace,
        understood: Callable[[httpx.Response], Answer],
        content: bytes | None = None,
        is_repeatable: bool = True,
    ) -> Answer:
        """One call, tried as often as it makes sense.

        Args:
            method: of HTTP.
            path: below the base URL.
            pace: the limit that the call counts against.
            understood: what an answer means, for one that is no failure of the server, the key or the pace; raises
                ``NotTakenError`` where it makes no sense.
            content: the body.
            is_repeatable: whether a call that may have arrived can be made again.

        Raises:
            NotTakenError: where nothing usable came back.
        """

        def how_long(error: Exception) -> bool | float:
            if not isinstance(error, NotTakenError) or not error.is_transient:
                return False
            if error.may_have_arrived and not is_repeatable:
                return False
            if error.wait is None:
                return True
            return error.wait if error.wait <= self.patience.longest_wait else False

        may_have_arrived = False
        for attempt in stamina.retry_context(
            on=how_long, attempts=self.patience.attempts, timeout=None, wait_max=self.patience.longest_wait
        ):
            with attempt:
                try:
                    pace.wait()
                    return understood(self._answer(method, path, content))
                except NotTakenError as error:
                    may_have_arrived = error.may_have_arrived = may_have_arrived or error.may_have_arrived
                    raise
        raise AssertionError("the retries end with an answer or an error")

    def _answer(self, method: str, path: str, content: bytes | None) -> httpx.Response:
        try:
            response = self._client.request(method, path, content=content)
        except NOT_SENT as error:
            raise NotTakenError(
                f"Ometria cannot be reached ({type(error).__name__}): check OMETRIA_BASE_URL", stop=True
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise NotTakenError(f"no answer from Ometria ({type(error).__name__})", may_have_arrived=True) from None
        self.queue_room = number_of(response.headers.get("X-QueueSize-Remaining"))
        self.queue_limit = number_of(response.headers.get("X-QueueSize-Limit"))
        _raise_for(response)
        return response


def _raise_for(response: httpx.Response) -> None:
    """The failures that mean the same for every call."""
    status = response.status_code
    if status in (401, 403):
        raise NotTakenError(
            f"Ometria refused the API key for {response.request.method} {_resource(response)} (HTTP {status}): "
            "check OMETRIA_API_KEY, and that the key may do this",
            stop=True,
            is_transient=False,
        )
    if status == 429:
        raise NotTakenError("Ometria takes no more for now (HTTP 429)", stop=True, wait=retry_after(response))
    if status == 408 or status >= 500:
        raise NotTakenError(f"Ometria failed (HTTP {status})", may_have_arrived=True, wait=retry_after(response))


def wrong_address(response: httpx.Response) -> NotTakenError:
    """For an answer that nothing of Ometria's would give."""
    return NotTakenError(
        f"this is not Ometria's API (HTTP {response.status_code} for {_resource(response)}): check OMETRIA_BASE_URL",
        stop=True,
        is_transient=False,
    )


def _resource(response: httpx.Response) -> str:
    """The kind of thing that was asked for, without an id: that may be a person's."""
    path = response.request.url.path
    known = ("push/_errors", "push", "orders", "contacts", "transactional-email/send")
    return next((name for name in known if f"/{name}" in path), "an address")


def words_of(response: httpx.Response) -> str:
    """Why a request was refused, in Ometria's words where it has any."""
    answer = json_object(response)
    said = next((answer[name] for name in ("message", "error_message", "error") if answer.get(name)), "no reason given")
    return f"HTTP {response.status_code}: {str(said)[:_REASON_LENGTH]}"


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The object that an answer is; empty where it is none."""
    answer = json_of(response)
    return answer if isinstance(answer, dict) else {}


def json_of(response: httpx.Response) -> Any:
    """What an answer says as JSON; None where it is none."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None


def number_of(value: str | None) -> int | None:
    """A whole number; None for anything else."""
    return int(value) if value is not None and value.isdecimal() else None
