"""A mail server, and who writes to whom: what every e-mail of the pipeline needs."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from sitoo_pipeline.settings.section import FileSecret, Section
from sitoo_pipeline.settings.values import Email, HostName, PlainText


def _ascii(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value) or set(value) & set('<>,;:"()[]\\'):
        raise ValueError("must be one plain e-mail address of ASCII characters, without a name before it")
    return value


AsciiEmail = Annotated[Email, AfterValidator(_ascii)]
MAIL_PASSWORD = Field(default=None, validate_default=True, description="the user's password")


class MailRoute(Section):
    """The server that an e-mail is handed to by SMTP, from whom it is, and whom it goes to."""

    host: HostName = Field(description="the mail server", examples=["smtp.example.com"])
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="how the connection is encrypted", examples=["starttls"]
    )
    port: int | None = Field(default=None, strict=True, ge=1, le=65535, description="its port", examples=[587])
    user: PlainText | None = Field(default=None, description="who logs in", examples=["pipeline@example.com"])
    password: Annotated[SecretStr | None, FileSecret("MAIL_PASSWORD")] = MAIL_PASSWORD
    sender: AsciiEmail = Field(description="the address that it is from", examples=["pipeline@example.com"])
    recipients: tuple[AsciiEmail, ...] = Field(
        min_length=1, description="the addresses that it goes to", examples=[["import@example.com"]]
    )

    @field_validator("password")
    @classmethod
    def _user_and_password(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if (value is None) != (info.data.get("user") is None):
            raise ValueError("must be set together with user; leave out both where the server asks for no login")
        return value

    @field_validator("recipients")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names an address twice; name each once")
        return value
