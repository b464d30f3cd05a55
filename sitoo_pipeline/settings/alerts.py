"""Who is told of failures, and of the state of the dates once a day."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from sitoo_pipeline.settings.mail import MAIL_PASSWORD, MailRoute
from sitoo_pipeline.settings.section import FileSecret, Section
from sitoo_pipeline.settings.values import web_address_with_query


def _address(value: SecretStr | None) -> SecretStr | None:
    try:
        web_address_with_query(value.get_secret_value() if value else "https://example.com")
    except ValueError:  # its text shows the address, which is a secret here
        raise ValueError("must be a web address, such as https://example.com/hooks/1") from None
    return value


class AlertMail(MailRoute):
    """Alerts and the digest by e-mail."""

    password: Annotated[SecretStr | None, FileSecret("ALERT_MAIL_PASSWORD")] = MAIL_PASSWORD


class Alerts(Section):
    """An alert at once for a run that failed, and a digest each morning."""

    webhook_url: Annotated[SecretStr | None, AfterValidator(_address), FileSecret("ALERT_WEBHOOK_URL")] = Field(
        default=None, description="where messages are posted to, as JSON with a text"
    )
    mail: AlertMail | None = Field(default=None, description="the same by e-mail")
    repeat_hours: int = Field(
        default=24, strict=True, ge=1, le=8760, description="how long the same failure is not told again", examples=[24]
    )
