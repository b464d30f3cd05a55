"""Ometria's push API, and what it then holds. Orders and contacts replace earlier ones with the same id as a whole."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

MOST_RECORDS = 100
LARGEST_RECORD = 60 * 1024
_REQUIRED = {"order": ("id", "timestamp", "grand_total", "currency"), "contact": ("id", "email")}
_MOST_ERRORS = 100

Record = dict[str, Any]


class Ometria:
    """What the account holds.

    ``records`` is by type and id, ``requests`` are the bodies received, oldest first, ``errors`` the last refusals.
    """

    def __init__(self, *, pushes_per_second: int) -> None:
        self.records: dict[str, dict[str, Record]] = defaultdict(dict)
        self.requests: list[Any] = []
        self.errors: deque[dict[str, str]] = deque(maxlen=_MOST_ERRORS)
        self._pushes_per_second = pushes_per_second
        self._recent: deque[float] = deque()
        self.routes = Router(
            [
                Route("/push", self._push, methods=["POST"]),
                Route("/push/_errors", self._errors),
                Route("/orders/{id:path}", self._reader("order")),
                Route("/contacts/{id:path}", self._reader("contact")),
            ],
            redirect_slashes=False,
            default=reply(404, {"status": "error", "message": "Not found"}),
        )

    @property
    def orders(self) -> dict[str, Record]:
        """The orders held, by id."""
        return self.records["order"]

    @property
    def contacts(self) -> dict[str, Record]:
        """The contacts held, by id."""
        return self.records["contact"]

    async def _push(self, request: Request) -> Response:
        if self._is_too_fast():
            return reply(429, {"status": "error", "message": "Too many requests"})
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return reply(400, {"status": "error", "message": "Payload invalid: not JSON"})
        self.requests.append(body)
        if not isinstance(body, list) or not all(isinstance(record, dict) for record in body):
            return reply(400, {"status": "error", "message": "Payload invalid: must be an array of objects"})
        if len(body) > MOST_RECORDS:
            return reply(400, {"status": "error", "message": "Payload invalid: Too many records"})
        if len({record.get("@type") for record in body}) > 1:
            return reply(400, {"status": "error", "message": "Payload invalid: One type per request"})
        refused = sum(not self._take(record) for record in body)
        answer = {
            "status": "OK",
            "request_id": f"{len(self.requests):032x}",
            "accepted": len(body) - refused,
            "rejected": refused,
        }
        return reply(200, answer)

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        if len(self._recent) >= self._pushes_per_second:
            return True
        self._recent.append(now)
        return False

    def _take(self, record: Record) -> bool:
        """Keeps a valid record; a refused one leaves an error, which as in Ometria does not name the record."""
        if len(orjson.dumps(record)) > LARGEST_RECORD:
            return self._refuse("Record is too large.", "root")
        kind = record.get("@type")
        if not isinstance(kind, str):
            return self._refuse("Record has no type", "root > @type")
        for name in _REQUIRED.get(kind, ("id",)):
            if record.get(name) in (None, ""):
                return self._refuse("This value is required", f"root > {name}")
        self.records[kind][str(record["id"])] = record
        return True

    def _refuse(self, message: str, path: str) -> bool:
        self.errors.append({"error_message": message, "error_path": path})
        return False

    async def _errors(self, request: Request) -> Response:
        return reply(200, list(self.errors))

    def _reader(self, kind: str) -> Any:
        async def read(request: Request) -> Response:
            record = self.records[kind].get(request.path_params["id"])
            return reply(404, {"status": "error", "message": "Not found"}) if record is None else reply(200, record)

        return read


def reply(status: int, body: object) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")
