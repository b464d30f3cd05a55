"""Who may call SameSystem: the login with its ten-minute token, and the newer one with a token per department.

Documented: the address, the fields and the ten minutes of the first. Of the second only what one client does is known:
the address, the fields, the bearer token and its hour. Assumed, as the stricter of what is possible: a login ends the
token of the one before; a department's token opens that department only, and not the list of departments.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

LOGIN_SECONDS = 10 * 60
DEPARTMENT_SECONDS = 60 * 60

_HEADER = re.compile(r'Token token="([^"]+)"|Bearer (\S+)')


class Tokens:
    """The tokens that are out. ``ends_earlier`` is whether a login ends the token of the one before.

    Args:
        user: e-mail address and password of the API user.
        clock: the time in epoch seconds.
    """

    def __init__(self, user: tuple[str, str], clock: Callable[[], float]) -> None:
        self.user = user
        self.ends_earlier = True
        self._clock = clock
        self._count = 0
        self._until: dict[tuple[str, str | None], float] = {}

    def login(self, email: object, password: object, ctx_token: str | None = None) -> str | None:
        """A new token, for one department or for all; None for wrong credentials."""
        if (email, password) != self.user:
            return None
        if self.ends_earlier:
            self._until = {key: until for key, until in self._until.items() if key[1] != ctx_token}
        self._count += 1
        digest = sha256(f"{self.user[1]}/{ctx_token}/{self._count}".encode()).digest()
        token = urlsafe_b64encode(digest)[:22].decode()
        self._until[token, ctx_token] = self._clock() + (LOGIN_SECONDS if ctx_token is None else DEPARTMENT_SECONDS)
        return token

    def opens(self, authorization: str, ctx_token: str | None) -> bool:
        """Whether a request with this header may go on, to a department or (None) to what belongs to none."""
        key = _key(authorization, ctx_token)
        return key is not None and self._clock() < self._until.get(key, 0)

    def logout(self, authorization: str) -> None:
        """Ends a login's token."""
        key = _key(authorization, None)
        if key is not None:
            self._until.pop(key, None)

    def expire(self) -> None:
        """Ends all tokens now, as if their time were over."""
        self._until.clear()


def _key(authorization: str, ctx_token: str | None) -> tuple[str, str | None] | None:
    match = _HEADER.fullmatch(authorization)
    if match is None or (match[2] and ctx_token is None):
        return None
    return (match[1], None) if match[1] else (match[2], ctx_token)
