"""Faults that the servers can be told to have: which requests go wrong, how and how often, and what is then sent."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

USUAL_KINDS = ("429-seconds", "429-date", "500", "503", "cut", "html", "missing-items", "reset")
KINDS = (*USUAL_KINDS, "reset-before", "slow")
_REFUSALS = {
    "429-seconds": (429, "Too many requests"),
    "429-date": (429, "Too many requests"),
    "500": (500, "Internal error"),
    "503": (503, "Service unavailable"),
}


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a sandbox.

    Args:
        rate: share of the matching requests that get a fault, 0 to 1.
        kinds: the faults to choose from, of ``KINDS``. A refusal (429, 500, 503) does nothing, and nor does
            ``reset-before``, a connection that is reset before anything was done. The others do what was asked and
            spoil the answer: a body that breaks off, an HTML page, a JSON object without its list, a connection that is
            reset, a body that stops halfway for a while.
        match: limits faults to requests whose path and query (percent-encoded, as sent) match: a regular expression to
            search for, or a function.
        times: how many faults at most, None without limit.
        burst: how many matching requests in a row get a fault once it comes.
        seed: what chance decides.
        retry_after: seconds that a 429 asks to wait.
        latency_ms: how long every request is kept waiting.
        pause_ms: how long a slow body stops.
        account_z_reports_missing: ``/pos-z-reports`` answers 404, as where only z-reports per register exist.
    """

    rate: float = 0.0
    kinds: tuple[str, ...] = USUAL_KINDS
    match: str | Callable[[str], bool] | None = None
    times: int | None = None
    burst: int = 1
    seed: int = 1
    retry_after: int = 1
    latency_ms: int = 0
    pause_ms: int = 1000
    account_z_reports_missing: bool = False

    def __post_init__(self) -> None:
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(f"unknown faults {sorted(unknown)}; there are {', '.join(KINDS)}")

    def matches(self, target: str) -> bool:
        """Whether a request for ``target`` (path and query) may get a fault."""
        if self.match is None:
            return True
        return self.match(target) if callable(self.match) else re.search(self.match, target) is not None


class FaultPlan:
    """Decides request by request, for one ``Faults``."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._rng = random.Random(faults.seed)  # noqa: S311 -- repeatable, not secret
        self._left = faults.times
        self._burst: tuple[str, int] = ("", 0)

    def draw(self, target: str) -> str | None:
        """The fault that the next request, for ``target``, gets; None where it gets none."""
        if not self.faults.rate or self._left == 0 or not self.faults.matches(target):
            return None
        kind, more = self._burst
        if not more:
            if self._rng.random() >= self.faults.rate:
                return None
            kind, more = self._rng.choice(self.faults.kinds), self.faults.burst
        self._burst = (kind, more - 1)
        if self._left is not None:
            self._left -= 1
        return kind


def refusal(kind: str, faults: Faults) -> tuple[int, bytes, dict[str, str]] | None:
    """Status, body and headers of a fault that refuses the request; None for a fault that spoils the answer."""
    if kind not in _REFUSALS:
        return None
    status, text = _REFUSALS[kind]
    headers = {"content-type": "application/json"}
    if kind == "429-seconds":
        headers["retry-after"] = str(faults.retry_after)
    if kind == "429-date":
        headers["retry-after"] = formatdate(time.time() + faults.retry_after, usegmt=True)
    return status, orjson.dumps({"statuscode": status, "errortext": text}), headers


async def send_response(
    send: Send, status: int, body: bytes, headers: dict[str, str], *, length: int | None = None
) -> None:
    """Sends a whole response, or one that announces ``length`` bytes and breaks off."""
    fields = {**headers, "content-length": str(len(body) if length is None else length)}
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})


async def send_spoilt(
    kind: str, faults: Faults, status: int, body: bytes, headers: dict[str, str], *, receive: Receive, send: Send
) -> None:
    """Answers with what the fault ``kind`` leaves of a good response."""
    if kind == "cut":
        await send_response(send, status, body[: len(body) // 2], headers, length=len(body))
    elif kind == "html":
        page = b"<!DOCTYPE html><html><head><title>Please sign in</title></head><body>Proxy</body></html>"
        await send_response(send, 200, page, {"content-type": "text/html"})
    elif kind == "missing-items":
        await send_response(send, status, orjson.dumps({"totalcount": 0}), {"content-type": "application/json"})
    elif kind == "slow":
        half = len(body) // 2
        await send_response(send, status, body[:half], headers, length=len(body))
        await asyncio.sleep(faults.pause_ms / 1000)
        await send({"type": "http.response.body", "body": body[half:], "more_body": False})
    else:
        reset(receive)


def reset(receive: Any) -> None:
    """Breaks the connection of a request, without an answer."""
    # ASGI has no message for a broken connection; ``receive`` is bound to uvicorn's request, which has the transport.
    transport = receive.__self__.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def target_of(scope: Scope) -> str:
    """Path and query of a request as they were sent."""
    query = scope["query_string"].decode()
    path = (scope.get("raw_path") or scope["path"].encode()).decode()
    return f"{path}?{query}" if query else path
