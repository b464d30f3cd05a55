"""The ways a request to Sitoo fails, as types: does trying again help, and what is to be done.

``SitooError`` is either a ``TransientSitooError`` (the same request may succeed later) or a ``PermanentSitooError`` (it
will not, until somebody changes something). What may be shown of a request is decided in ``redaction``.
"""

from __future__ import annotations


class SitooError(Exception):
    """A request to Sitoo that failed.

    The text holds, in this order, what was tried, what came back, after how many tries, and what to do. It is safe to
    show: no secret and no personal data.

    Attributes:
        tried: Method, path and safe query.
        came_back: What came back instead of an answer, on one line.
        remedy: What to do about it.
        status: HTTP status, where there was an answer.
        tries: How many requests were sent before giving up.
    """

    default_remedy = "Try again later."

    def __init__(
        self, tried: str, came_back: str, *, remedy: str = "", status: int | None = None, tries: int = 1
    ) -> None:
        self.tried = tried
        self.came_back = came_back
        self.remedy = remedy or self.default_remedy
        self.status = status
        self.tries = tries
        count = "1 try" if tries == 1 else f"{tries} tries"
        super().__init__(f"{tried}: {came_back} (after {count}). {self.remedy}")


class TransientSitooError(SitooError):
    """A failure that may pass: too many requests, a fault on Sitoo's side, the network, or a broken body.

    Attributes:
        retry_after: Seconds that Sitoo asked to wait, where it did.
    """

    default_remedy = "This usually passes: run it again. If it does not, ask Sitoo whether its API works."

    def __init__(
        self,
        tried: str,
        came_back: str,
        *,
        remedy: str = "",
        status: int | None = None,
        tries: int = 1,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(tried, came_back, remedy=remedy, status=status, tries=tries)
        self.retry_after = retry_after


class TooManyRequests(TransientSitooError):  # noqa: N818 (as httpx names its own: what happened, without Error)
    """429: another request of the same API user is in flight, or its rate is used up."""

    default_remedy = (
        "Something else may be using the same API user: give this pipeline API users of its own (api_id, api_password)."
    )


class Unreachable(TransientSitooError):  # noqa: N818
    """No connection: no such host, refused, no route, or no valid certificate."""

    default_remedy = "Look at the setting base_url (host name and scheme), and at network, firewall and proxy."


class PermanentSitooError(SitooError):
    """A failure that stays until somebody changes something."""

    default_remedy = "Trying again will not help: Sitoo does not accept this request."


class CredentialsRefused(PermanentSitooError):  # noqa: N818
    """401 or 403."""

    default_remedy = (
        "Look at the settings api_id and api_password, and whether this machine's IP address is on the allow-list "
        "(Sitoo Backoffice, Settings, Sitoo REST API)."
    )


class NotFound(PermanentSitooError):  # noqa: N818
    """404: no such account, or this account has no such resource."""

    default_remedy = (
        "Look at the setting base_url: it ends in /v2/accounts/<account number>, as shown in Sitoo Backoffice, "
        "Settings, Sitoo REST API."
    )


class BadRequest(PermanentSitooError):  # noqa: N818
    """400: Sitoo does not understand a parameter."""

    default_remedy = "A parameter is not as Sitoo wants it: compare it with the resource's documentation."
