"""SameSystem's public API: login, departments, and the weekly balance per day and register.

Documented: addresses, bodies, the ten-minute token, 401 with ``unauthorized`` where the user lacks a right, 412 where a
day cannot be confirmed, and that a request either says it is JSON or has an address that ends in ``.json``.
Assumed, as the stricter of what is possible: an expired token looks exactly like a missing right; so does a department
that is not the user's; a wrong login is 401 and ``fail``; a request that is not marked as JSON is refused with 406.
No limit of requests is documented, and there is none here; faults can have the server answer 429 all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from sitoo_pipeline.sandbox.samesystem_departments import Department, build_departments
from sitoo_pipeline.sandbox.samesystem_nights import Nights
from sitoo_pipeline.sandbox.samesystem_saving import RefusedError, parse, read_figures
from sitoo_pipeline.sandbox.samesystem_state import Key, State
from sitoo_pipeline.sandbox.samesystem_tokens import DEPARTMENT_SECONDS, Tokens
from sitoo_pipeline.sandbox.samesystem_week import week
from sitoo_pipeline.sandbox.stores import Store

USER_NAME = "POS integration"

_RIGHTS = ("read", "save", "confirm", "unconfirm", "approve_week", "unapprove_week")
_FORM = "application/x-www-form-urlencoded"
_UNAUTHORIZED = {"status": "unauthorized"}


class SameSystem:
    """SameSystem with one API user and the departments of a chain.

    ``state`` is what it holds, ``tokens`` who may call it (``tokens.expire()`` ends them all), ``nights`` what it does
    by itself. ``rights`` are what the user may do, and ``saved_status`` is the status of a save: 200 in the document of
    today, 201 in an older one; all four may be changed while the sandbox runs.

    Args:
        user: e-mail address and password of the API user.
        stores: each has a department, by its external id.
        clock: the time in epoch seconds.
        zone: the client's time zone.
    """

    def __init__(
        self, user: tuple[str, str], *, stores: Iterable[Store], clock: Callable[[], float], zone: ZoneInfo
    ) -> None:
        def local() -> datetime:
            return datetime.fromtimestamp(clock(), zone)

        self.state = State(build_departments(stores), local)
        self.nights = Nights(self.state, local)
        self.tokens = Tokens(user, clock)
        self.rights = set(_RIGHTS)
        self.saved_status = 200
        read, weekly = self._opened(_fields, "read"), "/{ctx_token}/weekly_balance"
        self._routes = Router(
            [
                Route("/login", _json(self._login), methods=["POST"]),
                Route("/logout", _json(self._logout), methods=["POST"]),
                Route("/departments", _json(self._departments)),
                Route("/{ctx_token}/oauth/token", self._department_token, methods=["POST"]),
                Route(f"{weekly}/fields", _json(read)),
                Route(f"{weekly}/{{date}}", _json(self._opened(self._week, "read"))),
                Route(
                    f"{weekly}/save/{{date}}/{{register}}", _json(self._opened(self._save, "save")), methods=["POST"]
                ),
                *(
                    Route(f"{weekly}/{action}/{{date}}/{{register}}", _json(self._changing(action)), methods=["POST"])
                    for action in _RIGHTS[2:]
                ),
            ],
            redirect_slashes=False,
            default=_reply(404, _failed("Not found")),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; what nights have done since the last one comes first."""
        self.nights.pass_by()
        path = scope["path"]
        inner = {**scope, "path": path.removesuffix(".json"), "samesystem.json": path.endswith(".json")}
        await self._routes(inner, receive, send)

    async def _login(self, request: Request) -> Response:
        body = parse(await request.body())
        token = self.tokens.login(body.get("email"), body.get("password"))
        if token is None:
            return _reply(401, _failed("Wrong e-mail or password"))
        return _reply(201, {"status": "ok", "token": token})

    async def _logout(self, request: Request) -> Response:
        if not self.tokens.opens(_authorization(request), None):
            return _reply(401, _UNAUTHORIZED)
        self.tokens.logout(_authorization(request))
        return _reply(200, {"status": "ok"})

    async def _department_token(self, request: Request) -> Response:
        content = await request.body()
        is_form = request.headers.get("content-type", "").startswith(_FORM)
        try:
            body = dict(parse_qsl(content.decode())) if is_form else parse(content)
        except RefusedError as error:
            return _reply(400, {"error": "invalid_request", "error_description": error.description})
        if body.get("grant_type") != "password":
            return _reply(400, {"error": "unsupported_grant_type"})
        ctx_token = request.path_params["ctx_token"]
        known = ctx_token in self.state.departments
        token = self.tokens.login(body.get("username"), body.get("password"), ctx_token) if known else None
        if token is None:
            return _reply(401, {"error": "invalid_grant"})
        return _reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": DEPARTMENT_SECONDS})

    async def _departments(self, request: Request) -> Response:
        if not self.tokens.opens(_authorization(request), None):
            return _reply(401, _UNAUTHORIZED)
        departments = [
            {"name": department.name, "ctx_token": department.ctx_token, "dpt_no": department.dpt_no}
            for department in self.state.departments.values()
        ]
        return _reply(200, {"departments": departments})

    async def _week(self, request: Request, department: Department) -> Response:
        return _reply(200, week(self.state, department, _date(request)))

    async def _save(self, request: Request, department: Department) -> Response:
        key = _key(request, department)
        figures = read_figures(parse(await request.body()), department, key.register)
        self.state.save(key, figures, USER_NAME)
        done = f"Weekly balance numbers for {key.day} register #{key.register} has been saved."
        return _reply(self.saved_status, {"status": "ok", "description": done})

    def _changing(self, action: str) -> Any:
        """What confirms, approves, or takes that back."""
        change = getattr(self.state, action)

        async def answer(request: Request, department: Department) -> Response:
            change(_key(request, department), USER_NAME)
            return _reply(200, {"status": "ok"})

        return self._opened(answer, action)

    def _opened(self, answer: Any, right: str) -> Any:
        """What ``answer`` says to someone who may enter the department and has the right."""

        async def checked(request: Request) -> Response:
            ctx_token = request.path_params["ctx_token"]
            department = self.state.departments.get(ctx_token)
            is_open = self.tokens.opens(_authorization(request), ctx_token)
            if not is_open or department is None or right not in self.rights:
                return _reply(401, _UNAUTHORIZED)
            return await answer(request, department)  # type: ignore[no-any-return]

        return checked


async def _fields(request: Request, department: Department) -> Response:
    groups = {"expense_groups": department.expense_groups, "deposit_groups": department.deposit_groups}
    named = {key: [{"group_id": number, "name": name} for number, name in g.items()] for key, g in groups.items()}
    return _reply(200, {"fields": [field.described() for field in department.fields], **named})


def _json(answer: Any) -> Any:
    """What ``answer`` says to a request that is marked as JSON; a refusal is told with its description."""

    async def checked(request: Request) -> Response:
        is_json = request.headers.get("content-type", "").startswith("application/json")
        if not is_json and not request.scope["samesystem.json"]:
            return _reply(406, _failed("Set the content type to application/json or append .json to the address"))
        try:
            return await answer(request)  # type: ignore[no-any-return]
        except RefusedError as error:
            return _reply(error.status, _failed(error.description))

    return checked


def _key(request: Request, department: Department) -> Key:
    day = _date(request)
    register = request.path_params["register"]
    if not register.isdecimal() or int(register) not in department.registers(day):
        raise RefusedError(f"Register #{register} does not exist in the week of {day}", 404)
    return Key(department.ctx_token, day, int(register))


def _date(request: Request) -> date:
    text = request.path_params["date"]
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 -- a date, without a time
    except ValueError as error:
        raise RefusedError(f"{text!r} is not a date like 2013-12-01") from error


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "")


def _failed(description: str) -> dict[str, str]:
    return {"status": "fail", "description": description}


def _reply(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
