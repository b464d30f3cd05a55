"""Ometria over HTTP: records pushed and read back, its list of errors, and transactional e-mail. Limits are here.

What a record must be is in ``ometria_rules``, what is held in ``ometria_state``, e-mail in ``ometria_email``.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from sitoo_pipeline.sandbox.ometria_email import Outbox
from sitoo_pipeline.sandbox.ometria_profiles import Profile, profiles
from sitoo_pipeline.sandbox.ometria_rules import Record, finding, first_finding
from sitoo_pipeline.sandbox.ometria_state import OmetriaState

MOST_RECORDS = 100
LARGEST_RECORD = 60 * 1024


class Ometria:
    """One account. ``requests`` are the pushed bodies, oldest first; ``state`` and ``outbox`` may be told how to be.

    Attributes:
        rejects_at_once: A record that is wrong is counted in the answer. Otherwise, as in Ometria, the answer says
            accepted, and only a record that is too large is refused at once.
        shows_queue: Answers have the headers of the queue.
    """

    def __init__(
        self, *, pushes_per_second: float = 1000, reads_per_second: float = 1000, emails_per_second: float = 1000
    ) -> None:
        self.state, self.outbox = OmetriaState(), Outbox()
        self.requests: list[Any] = []
        self.rejects_at_once = False
        self.shows_queue = True
        self._pushes, self._reads, self._emails = map(_Rate, (pushes_per_second, reads_per_second, emails_per_second))
        self.routes = Router(
            [
                Route("/push", self._push, methods=["POST"]),
                Route("/push/_errors", self._errors),
                Route("/transactional-email/send", self._email, methods=["POST"]),
                Route("/orders/{id:path}", self._reader("order")),
                Route("/contacts/{id:path}", self._reader("contact")),
            ],
            redirect_slashes=False,
            default=_refusal(404, "Not found"),
        )

    @property
    def records(self) -> dict[str, dict[str, Record]]:
        """Everything held, by type and id."""
        return self.state.records

    @property
    def orders(self) -> dict[str, Record]:
        """The orders held, by id."""
        return self.records["order"]

    @property
    def contacts(self) -> dict[str, Record]:
        """The contacts held, by id."""
        return self.records["contact"]

    @property
    def profiles(self) -> list[Profile]:
        """The persons that the contacts and orders make up."""
        return profiles(self.contacts, self.orders)

    @property
    def errors(self) -> list[dict[str, str]]:
        """The last hundred refusals, the newest last."""
        return self.state.errors

    async def _push(self, request: Request) -> Response:
        if self._pushes.is_exceeded():
            return self._with_queue(_refusal(429, "Too many requests"))
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return _refusal(400, "Payload invalid: not JSON")
        self.requests.append(body)
        if not isinstance(body, list) or not all(isinstance(record, dict) for record in body):
            return _refusal(400, "Payload invalid: must be an array of objects")
        if len(body) > MOST_RECORDS:
            return _refusal(400, "Payload invalid: Too many records")
        if len({record.get("@type") for record in body}) > 1:
            return _refusal(400, "Payload invalid: One type per request")
        if len(body) > self.state.queue_room:
            return self._with_queue(_refusal(429, "Too many records in the queue"))
        taken = [record for record in body if self._takes(record)]
        self.state.take(taken)
        counted = {"accepted": len(taken), "rejected": len(body) - len(taken)}
        answer = {"status": "OK", "request_id": f"{len(self.requests):032x}", **counted}
        return self._with_queue(reply(200, answer))

    def _takes(self, record: Record) -> bool:
        if len(orjson.dumps(record)) > LARGEST_RECORD:
            found = finding("Payload invalid: Record is too large.")
        elif not self.rejects_at_once or not (wrong := first_finding(record) or self.state.refuses(record)):
            return True
        else:
            found = wrong
        self.state.refuse(found)
        return False

    async def _errors(self, request: Request) -> Response:
        if self._reads.is_exceeded():
            return _refusal(429, "Too many requests")
        room = self.state.queue_room  # first: an empty queue means that every error is on the list
        return self._with_queue(reply(200, self.state.errors), room)

    async def _email(self, request: Request) -> Response:
        if self._emails.is_exceeded():
            return _refusal(429, "Too many requests")
        try:
            mail = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return _refusal(400, "Payload invalid: not JSON")
        wrong = self.outbox.take(mail)
        return _refusal(400, wrong) if wrong else reply(200, {"status": "OK"})

    def _reader(self, kind: str) -> Any:
        async def read(request: Request) -> Response:
            if self._reads.is_exceeded():
                return _refusal(429, "Too many requests")
            record = self.records[kind].get(request.path_params["id"])
            return _refusal(404, "Not found") if record is None else reply(200, record)

        return read

    def _with_queue(self, response: Response, room: int | None = None) -> Response:
        if self.shows_queue:
            response.headers["X-QueueSize-Limit"] = str(self.state.queue_limit)
            response.headers["X-QueueSize-Remaining"] = str(self.state.queue_room if room is None else room)
        return response


class _Rate:
    """How many requests of one kind a second takes."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._recent: deque[float] = deque()

    def is_exceeded(self) -> bool:
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        if len(self._recent) >= self._per_second:
            return True
        self._recent.append(now)
        return False


def _refusal(status: int, message: str) -> Response:
    return reply(status, {"status": "error", "message": message})


def reply(status: int, body: object) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")
