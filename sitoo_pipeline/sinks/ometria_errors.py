"""Ometria's list of errors: what it found wrong with records after it had taken them.

The list has the last hundred errors of the whole account, without ids, numbers or times. So all that can be known is
what is new on it since it was looked at before, and that only where something else is on it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from sitoo_pipeline.sinks.ometria_http import Api, Pace, json_of, wrong_address
from sitoo_pipeline.sinks.target_http import NotTakenError

LIST_LENGTH = 100
"""Most errors that the list has; the oldest fall off."""


class Error(NamedTuple):
    """One error, in Ometria's words."""

    message: str
    path: str

    @property
    def text(self) -> str:
        """Both in one line."""
        return f"{self.message} ({self.path})" if self.path else self.message


@dataclass(frozen=True)
class Found:
    """What is new on the list. ``is_blind`` says that nothing could have been seen: it is full of one same error."""

    errors: tuple[Error, ...] = ()
    is_blind: bool = False


class ErrorList:
    """``GET /push/_errors`` of one account, watched for a while after each push.

    Args:
        api: of the account.
        pace: the limit of reads.
        wait: for how many seconds after a push an error is expected. Less where Ometria says that its queue is empty.
        every: seconds between two looks.
    """

    def __init__(self, api: Api, *, pace: Pace, wait: float, every: float) -> None:
        self._api, self._pace = api, pace
        self._wait, self._every = wait, every
        self._seen: list[Error] = []
        self._new: list[Error] = []

    def start(self) -> None:
        """Look at the list before anything is pushed: what is on it is of others.

        Raises:
            NotTakenError: the list cannot be read.
        """
        self._seen, self._new = self._read(), []

    def refresh(self) -> None:
        """Look again, and remember what is new.

        Raises:
            NotTakenError: the list cannot be read.
        """
        now = self._read()
        self._new += new_errors(self._seen, now)
        self._seen = now

    def settle(self) -> Found:
        """Wait until what was pushed has been looked at by Ometria; what is new on the list since the last call.

        Raises:
            NotTakenError: the list cannot be read.
        """
        before = list(self._seen)
        until = time.monotonic() + self._wait
        self.refresh()
        while not self._is_queue_empty() and (left := until - time.monotonic()) > 0:
            time.sleep(min(self._every, left))
            self.refresh()
        found, self._new = tuple(self._new), []
        is_blind = not found and len(before) >= LIST_LENGTH and len(set(before)) == 1
        return Found(found, is_blind)

    def _is_queue_empty(self) -> bool:
        return self._api.queue_limit is not None and self._api.queue_room == self._api.queue_limit

    def _read(self) -> list[Error]:
        return self._api.call("GET", "push/_errors", pace=self._pace, understood=_understood)


def new_errors(before: Sequence[Error], now: Sequence[Error]) -> list[Error]:
    """What came onto the list, whichever end of it is the newest; oldest errors may have fallen off meanwhile."""
    seen, listed = list(before), list(now)
    best = listed
    for gone in range(len(seen) + 1):
        kept = seen[gone:]
        if listed[: len(kept)] == kept:
            best = listed[len(kept) :]
            break
    for new in range(len(best)):
        kept = listed[new:]
        if kept == seen[: len(kept)]:
            return listed[:new]
    return best


def _understood(response: httpx.Response) -> list[Error]:
    if not response.is_success:
        raise wrong_address(response)
    answer = json_of(response)
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        raise NotTakenError("Ometria's list of errors makes no sense")
    return [Error(str(each.get("error_message", "")), str(each.get("error_path", ""))) for each in answer]
