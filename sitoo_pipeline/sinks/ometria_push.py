"""One push: records handed to Ometria in one request, and what its answer says.

What belongs here: what ``POST /push`` answers. What does not: batches and records (``ometria``), and HTTP
(``ometria_http``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from sitoo_pipeline.sinks.ometria_http import Api, Pace, json_object, words_of, wrong_address
from sitoo_pipeline.sinks.target_http import NotTakenError


@dataclass(frozen=True)
class Accepted:
    """Ometria took the request; ``rejected`` of its records it did not. The others it has yet to look at."""

    rejected: int
    text: str


@dataclass(frozen=True)
class Refused:
    """Ometria refused the request as it is; ``text`` is its reason."""

    text: str


class Push:
    """``POST /push`` of one account, at most ``requests_per_second`` times a second."""

    def __init__(self, api: Api, *, requests_per_second: float) -> None:
        self._api = api
        self._pace = Pace(requests_per_second)

    def __call__(self, bodies: Sequence[bytes]) -> Accepted | Refused:
        """Hand over records, each already JSON; all of one type.

        Raises:
            NotTakenError: where nothing usable came back.
        """
        return self._api.call(
            "POST",
            "push",
            pace=self._pace,
            content=b"[" + b",".join(bodies) + b"]",
            understood=lambda response: _understood(response, len(bodies)),
        )


def _understood(response: httpx.Response, number: int) -> Accepted | Refused:
    """What an answer means for the ``number`` records of the request."""
    if response.status_code in (400, 413, 422):
        return Refused(words_of(response))
    if not response.is_success:
        raise wrong_address(response)
    answer = json_object(response)
    accepted, rejected = answer.get("accepted"), answer.get("rejected")
    if accepted is None and rejected is None and answer.get("status") == "OK":
        accepted, rejected = number, 0
    if not isinstance(accepted, int) or not isinstance(rejected, int) or accepted + rejected != number:
        # An answer that does not add up says nothing about what was taken.
        raise NotTakenError(f"Ometria's answer makes no sense (HTTP {response.status_code})", may_have_arrived=True)
    text = f"request {str(answer.get('request_id', 'without id'))[:64]}"
    return Accepted(rejected, f"accepted, {text}" if rejected == 0 else f"rejected by Ometria, see its errors; {text}")
