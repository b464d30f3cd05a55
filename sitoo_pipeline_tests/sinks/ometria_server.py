"""A push API for these tests: it remembers what it was given and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "the-key-of-the-tests"
Answer = Callable[[list[dict[str, Any]]], Response]


class OmetriaServer:
    """``POST /v2/push`` and the list of errors on loopback.

    ``answers`` are used up one by one, before the ordinary answer to a push; ``rejects`` tells which records are
    refused. ``errors`` is the list, ``queue`` the headers that come with it: an empty queue unless told otherwise.
    """

    def __init__(self) -> None:
        self.base_url = ""
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.requests: list[list[dict[str, Any]]] = []
        self.held: dict[str, dict[str, Any]] = {}
        self.answers: deque[Answer] = deque()
        self.errors: Any = []
        self.errors_status = 200
        self.queue = {"X-QueueSize-Limit": "50000", "X-QueueSize-Remaining": "50000"}
        self.rejects: Callable[[dict[str, Any]], bool] = lambda record: False

    def __enter__(self) -> Self:
        routes = [Route("/v2/push", self._push, methods=["POST"]), Route("/v2/push/_errors", self._errors)]
        app = Starlette(routes=routes)
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v2"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    async def _push(self, request: Request) -> Response:
        body = await request.body()
        records = json.loads(body, parse_float=Decimal)
        self.requests.append(records)
        if self.answers:
            return self.answers.popleft()(records)
        if request.headers.get("X-Ometria-Auth") != KEY:
            return JSONResponse({"message": "forbidden"}, 403)
        return self.take(records)

    async def _errors(self, request: Request) -> Response:
        if request.headers.get("X-Ometria-Auth") != KEY:
            return JSONResponse({"message": "forbidden"}, 403)
        return JSONResponse(self.errors, self.errors_status, headers=self.queue)

    def take(self, records: list[dict[str, Any]]) -> Response:
        """The ordinary answer: keeps the records that are not refused."""
        taken = [record for record in records if not self.rejects(record)]
        self.held.update({record["id"]: record for record in taken})
        rejected = len(records) - len(taken)
        return JSONResponse({"status": "OK", "request_id": "r-1", "accepted": len(taken), "rejected": rejected})

    def take_and_fail(self, records: list[dict[str, Any]]) -> Response:
        """Keeps the records and answers as if it had failed."""
        self.take(records)
        return Response("<html>bad gateway</html>", 502)


def status(code: int, body: Any = None, **headers: str) -> Answer:
    """An answer with this status that keeps nothing."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: JSONResponse(body, code, headers=named)
