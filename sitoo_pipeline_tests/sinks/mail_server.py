"""A mail server on loopback for these tests: it keeps what it took, and answers as it is told."""

from __future__ import annotations

import asyncio
import email.policy
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CERTIFICATE = Path(__file__).with_name("localhost.pem")
USER, PASSWORD = "pipeline", "the-password-of-the-tests"
BROKEN_OFF = "broken off"
"""An answer to a message that never comes, because the connection ends."""


@dataclass(frozen=True)
class Taken:
    """A message that the server took, with the addresses that it was handed over for."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = BytesParser(policy=email.policy.default).parsebytes(self.content)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def files(self) -> dict[str, bytes]:
        """The attachments, by name."""
        found = {}
        for part in self.message.iter_attachments():
            assert part.get_content_type() == "text/csv"
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            found[part.get_filename() or ""] = content
        return found


class MailServer:
    """Takes every message, but answers first with what ``answers`` has for a command (``MAIL``, ``RCPT``, ``DATA``).

    The connections are encrypted by ``STARTTLS`` (or from the first byte), and ask for the login of the tests, if
    asked to.
    """

    def __init__(self, *, security: str = "none", asks_for_login: bool = False, size_limit: int = 1_000_000) -> None:
        self.taken: list[Taken] = []
        self.answers: dict[str, deque[str]] = {"MAIL": deque(), "RCPT": deque(), "DATA": deque()}
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        options: dict[str, Any] = {
            "tls_context": context if security == "starttls" else None,
            "auth_required": asks_for_login,
            "auth_require_tls": security == "starttls",  # an encryption from the first byte does not count there
            "authenticator": self._authenticate,
            "data_size_limit": size_limit,
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if security == "tls" else None,
            server_hostname="localhost" if security == "tls" else None,
            **options,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        is_right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=is_right)  # one that was not handled is answered by the server

    def _told(self, command: str) -> str | None:
        return self.answers[command].popleft() if self.answers[command] else None

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if told := self._told("MAIL"):
            return told
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if told := self._told("RCPT"):
            return told
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        told = self._told("DATA")
        if told not in (None, BROKEN_OFF):
            return told
        assert isinstance(envelope.content, bytes)
        assert envelope.mail_from
        self.taken.append(Taken(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        if told == BROKEN_OFF:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return f"250 OK, queued for {envelope.rcpt_tos[0]} as 4711"
