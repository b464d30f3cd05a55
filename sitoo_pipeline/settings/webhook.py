"""Any other system that takes the figures as webhooks, signed as Standard Webhooks says."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator

from sitoo_pipeline.settings.section import FileSecret, Section
from sitoo_pipeline.settings.values import WebAddressWithQuery

_PREFIX = "whsec_"
_LENGTHS = range(24, 65)
"""Bytes that a key may have, by the specification."""


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except binascii.Error:
        key = b""
    if len(key) not in _LENGTHS:
        raise ValueError(
            f"must be {_PREFIX} and the base64 of {_LENGTHS[0]} to {_LENGTHS[-1]} random bytes, "
            "as the receiving system shows it"
        )
    return value


class Webhook(Section):
    """One receiver of the hourly and daily figures."""

    url: WebAddressWithQuery = Field(
        description="where the figures are posted to", examples=["https://example.com/hooks/sitoo"]
    )
    secret: Annotated[SecretStr, AfterValidator(_secret), FileSecret("WEBHOOK_SECRET")] = Field(
        description="the secret that messages are signed with"
    )
    tables: tuple[Literal["hourly_sales", "daily_sales"], ...] = Field(
        default=("hourly_sales", "daily_sales"),
        min_length=1,
        description="which figures it gets",
        examples=[["hourly_sales", "daily_sales"]],
    )
    max_bytes: int = Field(
        default=256_000,
        strict=True,
        ge=10_000,
        le=20_000_000,
        description="longest message; the stores of a day that do not fit go into further ones",
        examples=[256_000],
    )

    @field_validator("tables")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names a table twice; name each once")
        return value
