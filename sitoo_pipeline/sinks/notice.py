"""A notice to people: an alert or a digest, by webhook and by e-mail, with as much patience as a notice is worth.

What belongs here: handing it over. What does not: what it says (``assets/digest``). Whoever tells people of a failure
must not fail because of it, so what goes wrong here comes back as words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime, make_msgid
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina

from sitoo_pipeline.sinks.contract import State
from sitoo_pipeline.sinks.smtp import MailServer, MailServerError, hand_over
from sitoo_pipeline.sinks.target_http import certificates

_POLICY = SMTP.clone(cte_type="7bit")
_ATTEMPTS = 3
_SECONDS = 10.0


@dataclass(frozen=True)
class Notice:
    """What is told: a ``subject``, ``lines`` below it, and ``facts`` for programs. No secrets, no personal data."""

    subject: str
    lines: Sequence[str]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole of it, for people."""
        return "\n".join([self.subject, "", *self.lines])


@dataclass(frozen=True)
class Mailbox:
    """Where notices go by e-mail, and from whom they are."""

    server: MailServer
    sender: str
    recipients: Sequence[str]


def post(notice: Notice, url: str) -> str | None:
    """Post it as JSON: ``text`` (what chat systems show), ``subject`` and the facts. Returns why it was not taken."""
    receiver = urlsplit(url).netloc.rpartition("@")[2]  # the path of such an address is often a secret
    said = {**notice.facts, "subject": notice.subject, "text": notice.text}
    try:
        with httpx.Client(timeout=_SECONDS, verify=certificates()) as client:
            for attempt in stamina.retry_context(on=_may_pass, attempts=_ATTEMPTS, wait_initial=0.2, wait_max=2.0):
                with attempt:
                    client.post(url, json=said).raise_for_status()
    except httpx.HTTPStatusError as error:
        return f"the webhook at {receiver} answers {error.response.status_code}: check webhook_url_env"
    except httpx.HTTPError as error:
        return f"the webhook at {receiver} cannot be reached ({type(error).__name__}): check webhook_url_env"
    return None


def _may_pass(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def mail(notice: Notice, box: Mailbox) -> str | None:
    """Hand it to the mail server. Returns why it was not taken."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = box.sender
    message["To"] = ", ".join(box.recipients)
    message["Subject"] = notice.subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=box.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(notice.lines))
    try:
        with box.server.session() as smtp:
            content = message.as_bytes(policy=_POLICY)
            answered = hand_over(smtp, sender=box.sender, recipients=box.recipients, content=content)
    except MailServerError as error:
        return str(error)
    return None if answered.state is State.DELIVERED else answered.text
