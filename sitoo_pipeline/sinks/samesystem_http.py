"""One request to SameSystem: retries, and what an answer means.

What belongs here: HTTP, and which request may be repeated. What does not: tokens (``samesystem_login``), addresses
(``samesystem_api``) and figures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import stamina

from sitoo_pipeline.sinks.target_http import NOT_SENT, certificates, retry_after

T = TypeVar("T")

_DESCRIPTION_LENGTH = 200


class NotAnsweredError(Exception):
    """No usable answer, in spite of the retries.

    ``may_have_arrived`` tells whether what was asked may have been done all the same, ``stop`` that trying anything
    else now is of no use, ``wait`` how many seconds SameSystem asked for.
    """

    def __init__(
        self, message: str, *, may_have_arrived: bool = False, stop: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.stop = stop
        self.wait = wait


class RefusedError(Exception):
    """SameSystem does not do what it was asked, and says why."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(f"{description} (HTTP {status})")
        self.status = status


class UnauthorizedError(Exception):
    """The token is old, or the user may not do this: the two look the same."""


class WrongAddressError(Exception):
    """Something answers that is not SameSystem's API."""


class Http:
    """Requests to one SameSystem.

    Args:
        base_url: address of the API.
        attempts: tries of one request, the first included.
        timeout: longest wait for an answer, in seconds.
        longest_wait: longest wait between two tries, in seconds; one that SameSystem asks for beyond it ends the tries.
    """

    def __init__(self, *, base_url: str, attempts: int, timeout: float, longest_wait: float) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=timeout, verify=certificates())
        self._attempts = attempts
        self._longest_wait = longest_wait

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        read: Callable[[dict[str, Any]], T],
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = True,
        attempts: int | None = None,
    ) -> T:
        """What ``read`` makes of the answer, an object of JSON with exact decimals.

        A request that is not repeatable is tried again only where it surely was not carried out.

        Args:
            method: of HTTP.
            path: below the base URL.
            read: takes the answer apart; with LookupError, TypeError or ValueError it says that it makes no sense.
            content: the body.
            headers: beside the content type, which is JSON unless given here.
            is_repeatable: whether doing it twice is the same as doing it once.
            attempts: other than usual.

        Raises:
            NotAnsweredError: nothing usable came back.
            RefusedError: SameSystem refused it, with a reason.
            UnauthorizedError: SameSystem refused the token or the user.
            WrongAddressError: it is no SameSystem.
        """

        def how_long(error: Exception) -> bool | float:
            if not isinstance(error, NotAnsweredError) or (error.may_have_arrived and not is_repeatable):
                return False
            if error.wait is None:
                return True
            return error.wait if error.wait <= self._longest_wait else False

        for attempt in stamina.retry_context(
            on=how_long, attempts=attempts or self._attempts, timeout=None, wait_max=self._longest_wait
        ):
            with attempt:
                return self._ask(method, path, read, content, {"content-type": "application/json", **(headers or {})})
        raise AssertionError("the retries end with an answer or an error")

    def _ask(
        self, method: str, path: str, read: Callable[[dict[str, Any]], T], content: bytes, headers: Mapping[str, str]
    ) -> T:
        try:
            response = self._client.request(method, path, content=content, headers=headers)
        except NOT_SENT as error:
            said = f"SameSystem cannot be reached ({type(error).__name__}): check SAMESYSTEM_BASE_URL"
            raise NotAnsweredError(said, stop=True) from None
        except httpx.TransportError as error:
            said = f"no answer from SameSystem ({type(error).__name__})"
            raise NotAnsweredError(said, may_have_arrived=True) from None
        status = response.status_code
        if status == 429:
            said = "SameSystem takes no more requests for now (HTTP 429)"
            raise NotAnsweredError(said, stop=True, wait=retry_after(response))
        if status == 408 or status >= 500:
            said = f"SameSystem failed (HTTP {status})"
            raise NotAnsweredError(said, may_have_arrived=True, wait=retry_after(response))
        answer = _json_object(response)
        if status == 401:
            raise UnauthorizedError
        if not response.is_success:
            if "status" not in answer and "error" not in answer:
                raise WrongAddressError(f"this is not SameSystem's API (HTTP {status}): check SAMESYSTEM_BASE_URL")
            raise RefusedError(status, _description(answer))
        try:
            return read(answer)
        except (LookupError, TypeError, ValueError, ArithmeticError):
            said = f"SameSystem's answer makes no sense (HTTP {status})"
            raise NotAnsweredError(said, may_have_arrived=True) from None


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _description(answer: Mapping[str, Any]) -> str:
    said = next((answer[name] for name in ("description", "error_description", "error") if answer.get(name)), "")
    return str(said)[:_DESCRIPTION_LENGTH] or "no reason given"
