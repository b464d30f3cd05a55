"""A server on loopback whose every answer a test writes, and lists that page as Sitoo's do."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

ACCOUNT = "/v2/accounts/1500"
Record = dict[str, Any]


@dataclass(frozen=True)
class Request:
    path: str  # below the account, percent-decoded
    query: dict[str, str]
    headers: Mapping[str, str]

    @property
    def api_id(self) -> str:
        return base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[0]


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None  # send only so many bytes of the body, then close the connection


def answer(
    document: Any, status: int = 200, *, compress: bool = True, headers: Mapping[str, str] | None = None
) -> Answer:
    body = json.dumps(document).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    if compress:
        return Answer(gzip.compress(body), status, {**sent, "Content-Encoding": "gzip"})
    return Answer(body, status, sent)


def refusal(status: int, text: str = "No", headers: Mapping[str, str] | None = None) -> Answer:
    return answer({"statuscode": status, "errortext": text}, status, headers=headers)


class Server:
    """Answers every GET with ``script(request)`` and remembers the requests."""

    def __init__(self, script: Callable[[Request], Answer]) -> None:
        self.script = script
        self.seen: list[Request] = []
        self.in_flight: dict[str, int] = {}
        self.most_in_flight: dict[str, int] = {}
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each body waits until the client has acknowledged its head

            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # clients that hang up are part of the tests

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}{ACCOUNT}"

    @property
    def queries(self) -> list[dict[str, str]]:
        return [request.query for request in self.seen]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        headers = {name.title(): value for name, value in handler.headers.items()}
        path = unquote(parts.path).removeprefix(ACCOUNT)
        request = Request(path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers)
        user = request.api_id
        with self._lock:
            self.seen.append(request)
            self.in_flight[user] = self.in_flight.get(user, 0) + 1
            self.most_in_flight[user] = max(self.most_in_flight.get(user, 0), self.in_flight[user])
        try:
            given = self.script(request)
        finally:
            with self._lock:
                self.in_flight[user] -= 1
        with suppress(BrokenPipeError, ConnectionResetError):
            self._send(handler, given)

    def _send(self, handler: BaseHTTPRequestHandler, given: Answer) -> None:
        handler.send_response_only(given.status)
        for name, value in given.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(given.body)))
        handler.end_headers()
        if given.cut is not None:
            handler.wfile.write(given.body[: given.cut])
            handler.close_connection = True
            return
        handler.wfile.write(given.body)


def script_of(*answers: Answer) -> Callable[[Request], Answer]:
    """The given answers one after the other, the last one for ever."""
    remaining = list(answers)

    def next_answer(_: Request) -> Answer:
        return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    return next_answer


def _ids(query: Mapping[str, str], name: str) -> set[str] | None:
    return set(query[name].split(",")) if name in query else None


def by_cursor(records: list[Record], query: Mapping[str, str], *, cursor: str, date: str, most: int = 1000) -> Record:
    """A list as Sitoo answers it: newest first and ten records, unless it is asked otherwise."""
    found = [
        record
        for record in records
        if int(query.get(f"{cursor}from", -1)) <= record[cursor]
        and record[cursor] < int(query.get(f"{cursor}to", 10**12))
        and int(query.get(f"{date}from", 0)) <= record[date] <= int(query.get(f"{date}to", 10**12))
        and (_ids(query, cursor) is None or str(record[cursor]) in (_ids(query, cursor) or ()))
    ]
    found.sort(key=lambda record: record[cursor], reverse=query.get("sort", "-") != cursor)
    return by_position(found, query, most=most)


def by_position(records: list[Record], query: Mapping[str, str], *, most: int = 1000) -> Record:
    start, num = int(query.get("start", 0)), min(int(query.get("num", 10)), most)
    return {"totalcount": len(records), "items": records[start : start + num]}


def by_added(records: list[Record], query: Mapping[str, str], *, most: int = 500) -> list[Record]:
    registers = _ids(query, "registerid")
    found = [
        record
        for record in records
        if int(query.get("dateaddedfrom", 0)) <= record["dateadded"] <= int(query.get("dateaddedto", 10**12))
        and (registers is None or record["registerid"] in registers)
    ]
    return sorted(found, key=lambda record: record["dateadded"])[:most]
