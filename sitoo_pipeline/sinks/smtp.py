"""A mail server: logging in, and handing over one message, with what its answers mean for a delivery.

What belongs here: SMTP. What does not: what is in the message (``weekly_balance_mail``).
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from sitoo_pipeline.sinks.contract import State

Security = Literal["starttls", "tls", "none"]
USUAL_PORT: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}

_ASKS_FOR_LOGIN = (530, 535)
_PATIENCE = 600.0
"""Seconds for the answer to a whole message: RFC 5321 (4.5.3.2.6) allows a server that long to take it over."""
_ANSWER_LENGTH = 200
_ADDRESS = re.compile(r"[^\s<>:,;]+@[^\s<>:,;]+")


class MailServerError(Exception):
    """The server cannot be used; nothing was handed to it. The text says what to do."""


@dataclass(frozen=True)
class Answered:
    """What became of a message, in the server's words; ``stop`` says that another one would fare no better now."""

    state: State
    text: str
    stop: bool = False


@dataclass(frozen=True)
class MailServer:
    """Where messages are handed over, and as whom. Time limits in seconds."""

    host: str
    security: Security = "starttls"
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 60.0

    @property
    def address(self) -> str:
        """Host and port, as they are shown."""
        return f"{self.host}:{self.port or USUAL_PORT[self.security]}"

    @contextmanager
    def session(self) -> Iterator[smtplib.SMTP]:
        """A connection over which messages can be handed over, encrypted and logged in as the settings say.

        Raises:
            MailServerError: there is no such connection.
        """
        try:
            smtp = self._connected()
        except OSError as error:
            raise MailServerError(self._trouble(error)) from None
        try:
            yield smtp
        finally:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        port = self.port or USUAL_PORT[self.security]
        if self.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, port, timeout=self.timeout, context=ssl.create_default_context()
            )
        else:
            smtp = smtplib.SMTP(self.host, port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo_or_helo_if_needed()
            if self.user is not None and self.password is not None:
                smtp.login(self.user, self.password)
        except UnicodeEncodeError:
            smtp.close()
            raise MailServerError("user and password of a mail server must be ASCII characters") from None
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _trouble(self, error: OSError) -> str:
        """Why there is no session. ``smtplib``'s errors are OSErrors too."""
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return f"the mail server {self.address} refuses the login ({error.smtp_code}): check user and password_env"
        if isinstance(error, smtplib.SMTPNotSupportedError):
            what = "STARTTLS" if self.security == "starttls" and "STARTTLS" in str(error) else "a login"
            return f"the mail server {self.address} does not offer {what}: check security, port and user"
        if isinstance(error, ssl.SSLError):
            said = f"{error.reason or type(error).__name__}: check security, port and the server's certificate"
            return f"no encrypted connection to the mail server {self.address}: {said}"
        if isinstance(error, smtplib.SMTPResponseException):
            said = shown(error.smtp_code, error.smtp_error)
            return f"the mail server {self.address} takes no messages now: {said}"
        return f"the mail server {self.address} cannot be reached ({type(error).__name__}): check host, port, security"


def hand_over(smtp: smtplib.SMTP, *, sender: str, recipients: Sequence[str], content: bytes) -> Answered:
    """Hand over a message to all recipients, or to none where the server refuses one of them.

    Until the server was sent the message nothing can have been taken; once it was, only its answer tells.
    """
    size = [f"size={len(content)}"] if smtp.has_extn("size") else []
    try:
        answers = [smtp.mail(sender, size)]
        answers += [smtp.rcpt(address) for address in recipients]
        for code, text in answers:
            if code not in (250, 251):
                return _refused(code, text)
    except (smtplib.SMTPException, OSError) as error:
        return Answered(State.RETRY, f"the mail server broke off before the message ({type(error).__name__})")
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(max(_PATIENCE, smtp.timeout))
        code, text = smtp.data(content)
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        return Answered(State.UNKNOWN, f"the mail server broke off after the message was sent ({type(error).__name__})")
    return Answered(State.DELIVERED, shown(code, text)) if code // 100 == 2 else _refused(code, text)


def _refused(code: int, text: bytes | str) -> Answered:
    said = shown(code, text)
    if code in _ASKS_FOR_LOGIN:
        return Answered(State.RETRY, f"the mail server asks for a login: set user and password_env ({said})", stop=True)
    if code // 100 == 5:
        return Answered(State.REJECTED, said)
    return Answered(State.RETRY, f"the mail server does not take it now: {said}", stop=code == 421)


def shown(code: int, text: bytes | str) -> str:
    """A server's answer as it may be kept: one line, short, without addresses of people."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    line = " ".join("".join(each if each.isprintable() else " " for each in words).split())
    return f"{code} {_ADDRESS.sub('(address)', line)[:_ANSWER_LENGTH]}".rstrip()
