"""SameSystem's calls: departments, fields, a week, and the five ways to change a day of it.

A call that is refused with 401 is made once more with a new token; refused again, the user may not do it. What does not
belong here: when a call is made (``samesystem_day``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from sitoo_pipeline.sinks.samesystem_fields import Field
from sitoo_pipeline.sinks.samesystem_http import Http, UnauthorizedError
from sitoo_pipeline.sinks.samesystem_login import DepartmentLogin, Login, UserLogin
from sitoo_pipeline.sinks.samesystem_week import Week

T = TypeVar("T")


class Action(StrEnum):
    """What is done to a register's day or week; the word stands in the address."""

    UNAPPROVE = "unapprove_week"
    UNCONFIRM = "unconfirm"
    SAVE = "save"
    CONFIRM = "confirm"
    APPROVE = "approve_week"


@dataclass(frozen=True)
class Department:
    """A department: ``ctx_token`` stands in every address of it, ``dpt_no`` is the number that the client gave it."""

    name: str
    ctx_token: str
    dpt_no: str | None

    @property
    def label(self) -> str:
        """How it is spoken of."""
        return f"{self.dpt_no or 'without a number'} ({self.name or self.ctx_token})"


class NotAllowedError(Exception):
    """A new token did not help: the user may not do this."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"SameSystem does not let the API user {what}: give it the right to, or take it from the settings"
        )


class SameSystemApi:
    """The API of one SameSystem, as one user.

    Every call raises ``NotAnsweredError``, ``WrongAddressError``, ``NotAllowedError`` or ``CredentialsError`` where
    there is no usable answer, and ``RefusedError`` where the answer is no.
    """

    def __init__(self, http: Http, login: Login) -> None:
        self._http = http
        self._login = login

    def close(self) -> None:
        """Log out and close the connections."""
        self._login.close()
        self._http.close()

    def departments(self) -> tuple[Department, ...]:
        """The departments that the user sees."""

        def read(answer: Mapping[str, Any]) -> tuple[Department, ...]:
            return tuple(
                Department(
                    name=str(one.get("name") or ""),
                    ctx_token=_text(one["ctx_token"]),
                    dpt_no=None if one.get("dpt_no") in (None, "") else str(one["dpt_no"]).strip(),
                )
                for one in answer["departments"]
            )

        return self._call("GET", "departments", None, read, "read its departments")

    def fields(self, department: Department) -> tuple[Field, ...]:
        """The fields of the department's weekly balance."""

        def read(answer: Mapping[str, Any]) -> tuple[Field, ...]:
            return tuple(
                Field(
                    field_id=int(one["field_id"]),
                    name=str(one["name"]),
                    code=None if one.get("code") is None else str(one["code"]),
                    kind=str(one["field_type"]),
                    is_calculated=bool(one["calculated"]),
                )
                for one in answer["fields"]
            )

        path = f"{department.ctx_token}/weekly_balance/fields"
        return self._call("GET", path, department, read, f"read the weekly balance of {department.label}")

    def week(self, department: Department, day: date) -> Week:
        """The week of ``day`` as it is now."""
        path = f"{department.ctx_token}/weekly_balance/{day}"
        return self._call("GET", path, department, Week.read, f"read the weekly balance of {department.label}")

    def change(self, action: Action, department: Department, day: date, register: int, body: bytes = b"{}") -> None:
        """Save, confirm and so on. Not tried again where it may have been done: read the week then."""

        def read(answer: Mapping[str, Any]) -> None:
            if answer["status"] != "ok":
                raise ValueError("status")

        path = f"{department.ctx_token}/weekly_balance/{action}/{day}/{register}"
        self._call("POST", path, department, read, f"do {action} in {department.label}", body)

    def _call(
        self,
        method: str,
        path: str,
        department: Department | None,
        read: Callable[[dict[str, Any]], T],
        what: str,
        body: bytes = b"",
    ) -> T:
        ctx_token = department.ctx_token if department else None
        for renew in (False, True):
            headers = {"authorization": self._login.authorization(ctx_token, renew=renew)}
            try:
                return self._http.ask(
                    method, path, content=body, headers=headers, read=read, is_repeatable=method == "GET"
                )
            except UnauthorizedError:
                continue
        raise NotAllowedError(what)


@dataclass(frozen=True)
class Access:
    """How SameSystem is reached: address, user, patience.

    ``by_department`` takes a bearer token for each department instead of one token for all. ``ctx_tokens`` are the
    departments of stores where their numbers do not tell; given, no department is looked up.
    """

    base_url: str
    email: str
    password: str = field(repr=False)
    by_department: bool = False
    ctx_tokens: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 7
    timeout: float = 60
    longest_wait: float = 30

    def open(self) -> SameSystemApi:
        """The API; nothing is asked yet."""
        http = Http(
            base_url=self.base_url, attempts=self.attempts, timeout=self.timeout, longest_wait=self.longest_wait
        )
        kind = DepartmentLogin if self.by_department else UserLogin
        return SameSystemApi(http, kind(http, email=self.email, password=self.password))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("no text")
    return value
