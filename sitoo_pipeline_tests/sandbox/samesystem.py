"""A clock that is set by hand, and a client of SameSystem's API that does nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from sitoo_pipeline.sandbox import Sandbox

Json = dict[str, Any]

PLAIN = httpx.create_ssl_context(verify=False)  # made once: there is no TLS on loopback
MONDAY = "2026-11-02"
DAYS = tuple(f"2026-11-0{number}" for number in range(2, 9))
FULL = {"Gross sales": 125.5, "Net sales": 100.4, "Transactions": 4}


@dataclass
class Clock:
    """What time it is in the sandbox."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Client:
    """Calls with the token of the last login."""

    sandbox: Sandbox
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    timeout: float = 10

    def login(self, **wrong: str) -> httpx.Response:
        email, password = self.sandbox.samesystem_user
        answer = self.post("/login", {"email": email, "password": password, **wrong})
        if answer.status_code == 201:
            self.headers["authorization"] = f'Token token="{answer.json()["token"]}"'
        return answer

    def get(self, path: str) -> httpx.Response:
        return self._ask("GET", path)

    def post(self, path: str, body: Json | None = None) -> httpx.Response:
        return self._ask("POST", path, content=orjson.dumps(body or {}))

    def balance(self, path: str, dpt_no: str = "0101") -> str:
        return f"/{self.sandbox.samesystem.state.department(dpt_no).ctx_token}/weekly_balance/{path}"

    def week(self, day: str, dpt_no: str = "0101") -> Json:
        answer = self.get(self.balance(day, dpt_no))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def save(
        self, day: str, values: Mapping[str, object], *, dpt_no: str = "0101", register: int = 1, **more: object
    ) -> httpx.Response:
        department = self.sandbox.samesystem.state.department(dpt_no)
        lines = [{"field_id": department.field_id(name), "value": value} for name, value in values.items()]
        return self.post(self.balance(f"save/{day}/{register}", dpt_no), {"lines": lines, **more})

    def act(self, action: str, day: str, *, dpt_no: str = "0101", register: int = 1) -> httpx.Response:
        return self.post(self.balance(f"{action}/{day}/{register}", dpt_no))

    def confirm_week(self, *, dpt_no: str = "0101", register: int = 1) -> None:
        for day in DAYS:
            assert self.act("confirm", day, dpt_no=dpt_no, register=register).status_code == 200

    def _ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        url = f"{self.sandbox.samesystem_url}{path}"
        return httpx.request(method, url, content=content, headers=self.headers, verify=PLAIN, timeout=self.timeout)


def refused(answer: httpx.Response, status: int, said: str) -> bool:
    """Whether an answer is a failure with that status and, in its description, those words."""
    body = answer.json()
    return answer.status_code == status and body["status"] == "fail" and said in body["description"]
