"""A receiver of webhooks on loopback, which checks signatures by the specification and answers as it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = bytes(range(40, 72))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOLERANCE = 5 * 60


class WrongSignatureError(Exception):
    """A message that does not come from who holds the secret, or is too old."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """The id of a message that is signed rightly; written from the specification, not from the sender."""
    named = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = named["webhook-id"], named["webhook-timestamp"]
    if abs(now - int(timestamp)) > TOLERANCE:
        raise WrongSignatureError("the time")
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    for signature in named["webhook-signature"].split(" "):
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value.encode(), expected):
            return message_id
    raise WrongSignatureError("the signature")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    takes: bool = False
    """Whether the message is taken all the same."""
    is_lost: bool = False
    """Whether the connection is reset instead of an answer."""


class Receiver:
    """Keeps the rows of each table, date and store, each message once by its id.

    ``answers`` are used up one by one; ``refuses`` tells for which messages the answer is 400.
    """

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.ids: list[str] = []
        self.processed: set[str] = set()
        self.rows: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self.answers: deque[Answer] = deque()
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/hooks/a-secret-path"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        try:
            message_id = verify(SECRET, dict(handler.headers.items()), body, now=time.time())
        except WrongSignatureError as error:
            return _send(handler, Answer(401, str(error).encode()))
        assert handler.headers["Content-Type"] == "application/json"
        message = json.loads(body)
        self.messages.append(message)
        self.ids.append(message_id)
        answer = self.answers.popleft() if self.answers else Answer(204, takes=True)
        if answer.takes and self.refuses(message):
            answer = Answer(400, b"no such\nstore")
        if answer.takes and message_id not in self.processed:
            self.processed.add(message_id)
            self._take(message)
        return _send(handler, answer)

    def _take(self, message: dict[str, Any]) -> None:
        for store in message["data"]["stores"]:
            self.rows[message["type"], message["data"]["business_date"], store["store_id"]] = store["rows"]


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.close_connection = answer.is_lost
    if answer.is_lost:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return
    handler.send_response_only(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.status != 204:
        handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body)
