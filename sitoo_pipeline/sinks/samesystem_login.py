"""Who calls SameSystem: one token for the user, or one for each department.

The documented way is ``POST /login``: its token opens all departments of the user for ten minutes, and may end the one
before. The other way is known from one client only: ``POST /{ctx_token}/oauth/token`` gives a bearer token for one
department and one hour. What does not belong here: what is done with a token.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from sitoo_pipeline.sinks.samesystem_http import (
    Http,
    NotAnsweredError,
    RefusedError,
    UnauthorizedError,
    WrongAddressError,
)

_USER_SECONDS = 9 * 60
"""A token lives ten minutes; an older one is not tried."""
_DEPARTMENT_SECONDS = 55 * 60


class CredentialsError(Exception):
    """SameSystem refuses e-mail address and password; ``stop`` where that holds for all departments."""

    def __init__(self, *, ctx_token: str | None = None) -> None:
        department = f" to the department {ctx_token}" if ctx_token else ""
        also = "that the ctx_token is right" if ctx_token else "that the user is one for API usage"
        super().__init__(
            f"SameSystem refused the login{department}: check SAMESYSTEM_EMAIL and SAMESYSTEM_PASSWORD, and {also}"
        )
        self.stop = ctx_token is None


class Login(Protocol):
    """How requests are authorized."""

    def authorization(self, ctx_token: str | None, *, renew: bool = False) -> str:
        """The header for a department, or (None) for what belongs to none; ``renew`` where the last was refused.

        Raises:
            CredentialsError: SameSystem refuses the user.
            NotAnsweredError: no usable answer.
        """

    def close(self) -> None:
        """End what was begun; errors are of no interest."""


class UserLogin:
    """One token for all departments."""

    def __init__(self, http: Http, *, email: str, password: str) -> None:
        self._http = http
        self._body = orjson.dumps({"email": email, "password": password})
        self._header = ""
        self._until = 0.0

    def authorization(self, ctx_token: str | None, *, renew: bool = False) -> str:
        """The same for every department."""
        if renew or time.monotonic() >= self._until:
            token = _token(self._http, "login", "token", self._body)
            self._header, self._until = f'Token token="{token}"', time.monotonic() + _USER_SECONDS
        return self._header

    def close(self) -> None:
        """Log out, which SameSystem asks for."""
        if self._header:
            with suppress(NotAnsweredError, RefusedError, UnauthorizedError, WrongAddressError):
                headers = {"authorization": self._header}
                self._http.ask("POST", "logout", headers=headers, read=lambda answer: answer["status"], attempts=1)
            self._header, self._until = "", 0.0


class DepartmentLogin:
    """A token for each department; the list of departments takes an ordinary login, which ends at once."""

    def __init__(self, http: Http, *, email: str, password: str) -> None:
        self._http = http
        self._user = UserLogin(http, email=email, password=password)
        self._body = urlencode({"grant_type": "password", "username": email, "password": password}).encode()
        self._tokens: dict[str, tuple[str, float]] = {}

    def authorization(self, ctx_token: str | None, *, renew: bool = False) -> str:
        """The department's own."""
        if ctx_token is None:
            return self._user.authorization(None, renew=renew)
        header, until = self._tokens.get(ctx_token, ("", 0.0))
        if renew or time.monotonic() >= until:
            token = _token(self._http, f"{ctx_token}/oauth/token", "access_token", self._body, ctx_token)
            header = f"Bearer {token}"
            self._tokens[ctx_token] = header, time.monotonic() + _DEPARTMENT_SECONDS
        return header

    def close(self) -> None:
        """End the ordinary login; the departments' tokens end by themselves."""
        self._user.close()


def _token(http: Http, path: str, name: str, body: bytes, ctx_token: str | None = None) -> str:
    """The token that SameSystem gives; a department's is asked for by a form, as OAuth has it."""

    def read(answer: dict[str, Any]) -> str:
        if not isinstance(answer[name], str) or not answer[name].isprintable():
            raise ValueError(name)
        return str(answer[name])

    headers = {"content-type": "application/x-www-form-urlencoded"} if ctx_token else None
    try:
        return http.ask("POST", path, content=body, headers=headers, read=read)
    except (UnauthorizedError, RefusedError):
        raise CredentialsError(ctx_token=ctx_token) from None
