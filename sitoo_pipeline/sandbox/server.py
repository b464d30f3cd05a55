"""The servers: one port for Sitoo and the targets, with access rules, compression, faults and a record of requests."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from types import TracebackType
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.faults import FaultPlan, Faults, refusal, reset, send_response, send_spoilt, target_of
from sitoo_pipeline.sandbox.ometria_app import Ometria, reply
from sitoo_pipeline.sandbox.samesystem_app import SameSystem
from sitoo_pipeline.sandbox.sitoo_app import SitooApp, error
from sitoo_pipeline.sandbox.stores import ACCOUNT

_SITOO = f"/v2/accounts/{ACCOUNT}"
_OMETRIA = "/ometria/v2"
_SAMESYSTEM = "/samesystem/api/v1"
_SMALLEST_COMPRESSED = 200

_log = logging.getLogger(__name__)

Now = datetime | Callable[[], datetime] | None
Answer = tuple[int, bytes, dict[str, str]]


class Sandbox:
    """Sitoo, Ometria and SameSystem on loopback while the ``with`` block lasts.

    Args:
        chain: the stores behind Sitoo.
        host: address to listen on.
        port: port to listen on; 0 lets the operating system choose.
        now: what time it is in the chain: the real time, a fixed one, or a function that tells it. Only what has
            arrived by then can be seen.
        faults: what goes wrong; may be replaced at any time.
        api_users: how many API users Sitoo knows. Each may have one request in flight.
        pushes_per_second: how many pushes Ometria takes.
    """

    def __init__(
        self,
        *,
        chain: Chain | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        now: Now = None,
        faults: Faults | None = None,
        api_users: int = 2,
        pushes_per_second: int = 1000,
    ) -> None:
        self.chain = chain or Chain()
        self.api_users = tuple((f"{ACCOUNT}-{n}", _secret(f"{self.chain.seed}/{n}")) for n in range(1, api_users + 1))
        self.ometria_key = _secret(f"{self.chain.seed}/ometria")
        self.ometria = Ometria(pushes_per_second=pushes_per_second)
        self.samesystem_user = ("pos-api@lindo.example", _secret(f"{self.chain.seed}/samesystem"))
        self.samesystem = SameSystem(
            self.samesystem_user, stores=self.chain.store_list, clock=self._clock, zone=self.chain.zone
        )
        self.requests: list[tuple[str, str, str]] = []
        self.faults = faults or Faults()
        self._now, self._host, self._wanted_port = now, host, port
        self._logins = {b64encode(f"{user}:{password}".encode()).decode(): user for user, password in self.api_users}
        self._busy: set[str] = set()

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""
        return self._plan.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._plan = FaultPlan(faults)

    @property
    def sitoo_url(self) -> str:
        """Sitoo's base URL, with the account."""
        return f"http://{self._host}:{self.port}{_SITOO}"

    @property
    def ometria_url(self) -> str:
        """Ometria's base URL."""
        return f"http://{self._host}:{self.port}{_OMETRIA}"

    @property
    def samesystem_url(self) -> str:
        """SameSystem's base URL; ``samesystem_user`` may log in there."""
        return f"http://{self._host}:{self.port}{_SAMESYSTEM}"

    def clear_requests(self) -> None:
        """Forgets the requests served so far."""
        self.requests.clear()

    def __enter__(self) -> Sandbox:
        # Named as TCP, so that asyncio sends each answer at once instead of waiting for the client's acknowledgement.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self._host, self._wanted_port))
        self._socket.listen(128)
        self.port: int = self._socket.getsockname()[1]
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-worker")
        self._sitoo = SitooApp(
            chain=self.chain,
            clock=self._clock,
            worker=self._worker,
            z_reports_missing=lambda: self.faults.account_z_reports_missing,
        )
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            lifespan="off",
            ws="none",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # faults end in broken responses on purpose
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="sandbox", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._server.started:
            raise RuntimeError(f"the sandbox could not start on {self._host}:{self.port}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._worker.shutdown()
        self._socket.close()

    def _clock(self) -> int:
        if self._now is None:
            return int(time.time())
        moment = self._now() if callable(self._now) else self._now
        return int(moment.timestamp())

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: recorded, perhaps refused or spoilt by a fault, else answered by the application it is for."""
        target = target_of(scope)
        self.requests.append((scope["method"], scope["path"], scope["query_string"].decode()))
        kind, faults = self._plan.draw(target), self.faults
        refused = refusal(kind, faults) if kind else None
        if refused is not None:
            await send_response(send, *refused)
            return
        if kind == "reset-before":
            reset(receive)
            return
        try:
            found = await self._answer(scope, receive, faults)
        except ClientDisconnect:
            return  # whoever asked is gone before it had said everything
        except Exception:
            _log.exception("the sandbox failed on %s %s", scope["method"], scope["path"])
            found = await _collected(error(500, "Internal error"), scope, receive)
        answer = _compressed(scope, *found)
        if kind:
            await send_spoilt(kind, faults, *answer, receive=receive, send=send)
        else:
            await send_response(send, *answer)

    async def _answer(self, scope: Scope, receive: Receive, faults: Faults) -> Answer:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["path"].removesuffix(".json")
        if path.startswith(f"{_OMETRIA}/"):
            await asyncio.sleep(faults.latency_ms / 1000)
            if headers.get("x-ometria-auth") != self.ometria_key:
                return await _collected(reply(403, {"status": "error", "message": "Forbidden"}), scope, receive)
            return await _collected(self.ometria.routes, {**scope, "path": path.removeprefix(_OMETRIA)}, receive)
        if scope["path"].startswith(f"{_SAMESYSTEM}/"):
            await asyncio.sleep(faults.latency_ms / 1000)
            return await _collected(
                self.samesystem, {**scope, "path": scope["path"].removeprefix(_SAMESYSTEM)}, receive
            )
        user = self._logins.get(headers.get("authorization", "").removeprefix("Basic "))
        if user is None:
            return await _collected(error(401, "Authorization failed"), scope, receive)
        if not path.startswith(f"{_SITOO}/") or scope["method"] != "GET":
            return await _collected(error(404, "Not found"), scope, receive)
        if user in self._busy:
            return await _collected(error(429, "Too many connections"), scope, receive)
        self._busy.add(user)
        try:
            await asyncio.sleep(faults.latency_ms / 1000)
            return await _collected(self._sitoo.routes, {**scope, "path": path.removeprefix(_SITOO)}, receive)
        finally:
            # Free before the answer leaves: a client that has read it may ask again at once.
            self._busy.discard(user)


async def _collected(app: Any, scope: Scope, receive: Receive) -> Answer:
    """What ``app`` would send, as a whole."""
    status, headers, body = 404, dict[str, str](), b""

    async def collect(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers, body
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            body += message.get("body", b"")

    await app(scope, receive, collect)
    return status, body, headers


def _compressed(scope: Scope, status: int, body: bytes, headers: dict[str, str]) -> Answer:
    """The answer as gzip where the client accepts it; the same body always gives the same bytes."""
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"").lower()
    headers = {name: value for name, value in headers.items() if name != "content-length"}
    if b"gzip" not in accepted or len(body) < _SMALLEST_COMPRESSED:
        return status, body, headers
    return status, gzip.compress(body, compresslevel=4, mtime=0), {**headers, "content-encoding": "gzip"}


def _secret(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:40]
