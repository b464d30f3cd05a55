"""One message to a webhook's receiver: retries, and what its answer means.

What belongs here: HTTP. What does not: what is in a message (``webhook``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import stamina

from sitoo_pipeline.sinks.target_http import NOT_SENT, NotTakenError, certificates, retry_after
from sitoo_pipeline.sinks.webhook_signature import key_of, signed_headers

_OF_THE_SETTINGS = (401, 403, 404, 405)
_REASON_LENGTH = 200


@dataclass(frozen=True)
class Refused:
    """The receiver refuses the message as it is, or wants no more of them at all."""

    text: str
    wants_no_more: bool = False


class Call:
    """Posting to one address. Arguments as ``Webhook``."""

    def __init__(self, url: str, *, secret: str, attempts: int, timeout: float, longest_wait: float) -> None:
        self._key = key_of(secret)
        self._url = url
        # Paths of such addresses are often secrets themselves.
        self._receiver = urlsplit(url).netloc
        self._client = httpx.Client(timeout=timeout, verify=certificates())
        self._attempts = attempts
        self._longest_wait = longest_wait

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __call__(self, message_id: str, body: bytes) -> str | Refused:
        """Hand over a message, already JSON; returns the answer in words.

        Raises:
            NotTakenError: where nothing usable came back.
        """
        may_have_arrived = False
        for attempt in stamina.retry_context(
            on=self._how_long, attempts=self._attempts, timeout=None, wait_max=self._longest_wait
        ):
            with attempt:
                try:
                    return self._post(message_id, body)
                except NotTakenError as error:
                    may_have_arrived = error.may_have_arrived = may_have_arrived or error.may_have_arrived
                    raise
        raise AssertionError("the retries end with an answer or an error")

    def _how_long(self, error: Exception) -> bool | float:
        """Whether to try again, and when, where the receiver names a time."""
        if not isinstance(error, NotTakenError) or not error.is_transient:
            return False
        if error.wait is None:
            return True
        return error.wait if error.wait <= self._longest_wait else False

    def _post(self, message_id: str, body: bytes) -> str | Refused:
        headers = signed_headers(self._key, message_id=message_id, at=datetime.now(UTC), body=body)
        try:
            response = self._client.post(
                self._url, content=body, headers={"Content-Type": "application/json", **headers}
            )
        except NOT_SENT as error:
            raise NotTakenError(
                f"{self._receiver} cannot be reached ({type(error).__name__}): check the webhook's url", stop=True
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise NotTakenError(
                f"no answer from {self._receiver} ({type(error).__name__})", may_have_arrived=True
            ) from None
        return self._understood(response)

    def _understood(self, response: httpx.Response) -> str | Refused:
        status = response.status_code
        if response.is_success:
            return f"HTTP {status}"
        if status == 410:
            gone = f"{self._receiver} wants no more messages (HTTP 410): take the webhook out of the settings"
            return Refused(gone, wants_no_more=True)
        if status == 429:
            busy = f"{self._receiver} takes no more messages for now (HTTP 429)"
            raise NotTakenError(busy, stop=True, wait=retry_after(response))
        if status == 408 or status >= 500:
            failed = f"{self._receiver} failed (HTTP {status})"
            raise NotTakenError(failed, may_have_arrived=True, wait=retry_after(response))
        if response.is_redirect or status in _OF_THE_SETTINGS:
            wrong = f"{self._receiver} answers HTTP {status}: check the webhook's url and secret"
            raise NotTakenError(wrong, stop=True, is_transient=False)
        return Refused(f"HTTP {status}: {_words(response)}")


def _words(response: httpx.Response) -> str:
    """The receiver's reason, in one line."""
    line = " ".join("".join(each if each.isprintable() else " " for each in response.text[:2000]).split())
    return line[:_REASON_LENGTH] or "no reason given"
