"""What Ometria has to be told: orders and contacts, how their way is watched, and digital receipts."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from sitoo_pipeline.settings.section import Secret, Section, Variable
from sitoo_pipeline.settings.values import CalendarDate, Email, PlainText, PositiveDays, Seconds, WebAddress


def _id_prefix(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.:-]*", value):
        raise ValueError(f"{value!r} must be letters, digits and the characters _ . : - only")
    return value


def _stream(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]+", value):
        raise ValueError(f"{value!r} must be small letters, digits, _ and - only, without spaces")
    return value


IdPrefix = Annotated[str, AfterValidator(_id_prefix)]
Stream = Annotated[str, AfterValidator(_stream)]
PerSecond = Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)]
Wait = Annotated[float, Field(strict=True, ge=0, le=600, allow_inf_nan=False)]


class OmetriaReceipts(Section):
    """Digital receipts through Ometria's transactional e-mail."""

    enabled: bool = Field(default=True, description="whether receipts are sent", examples=[True])
    sandbox: bool = Field(
        default=True, description="Ometria's sandbox mode: everything happens, and no e-mail is sent", examples=[False]
    )
    from_name: PlainText = Field(description="name of the sender", examples=["Lindo"])
    from_email: Email = Field(description="address of the sender", examples=["receipts@example.com"])
    subject: PlainText = Field(description="subject of the e-mail", examples=["Your receipt"])
    stream: Stream = Field(description="Ometria's stream of the e-mails", examples=["receipts"])
    template_id: int = Field(strict=True, ge=1, description="number of the template in Ometria", examples=[3])
    max_age_days: PositiveDays = Field(
        default=1, description="a sale of longer ago gets no receipt any more", examples=[1]
    )


class Ometria(Section):
    """Orders and contacts to Ometria's push API."""

    base_url: Annotated[WebAddress, Variable("OMETRIA_BASE_URL")] = Field(
        default="https://api.ometria.com/v2", description="address of the API", examples=["https://api.ometria.com/v2"]
    )
    api_key: Annotated[SecretStr, Secret("OMETRIA_API_KEY")] = Field(description="key with the right to push")
    start_date: CalendarDate | None = Field(
        default=None, description="first business date whose orders are handed over", examples=["2024-01-01"]
    )
    id_prefix: IdPrefix = Field(
        default="",
        description="put before Sitoo's order id, so that it cannot meet the id of another shop's order",
        examples=["sitoo-"],
    )
    product_id: Literal["sku", "product_id"] = Field(
        default="sku", description="what Ometria's catalogue knows a product by", examples=["sku"]
    )
    collection: PlainText = Field(default="sitoo", description="collection of the contacts", examples=["sitoo"])
    opt_in: bool = Field(
        default=False, description="whether contacts say anything about marketing consent", examples=[False]
    )
    store_channel: PlainText = Field(default="store", description="channel of orders from tills", examples=["store"])
    unlinked_returns: Literal["hold_out", "negative_order"] = Field(
        default="hold_out", description="a return whose purchase is not known", examples=["hold_out"]
    )
    requests_per_second: PerSecond = Field(default=8.0, description="limit of pushes", examples=[8.0])
    reads_per_second: PerSecond = Field(default=4.0, description="limit of reads", examples=[4.0])
    errors_wait: Wait = Field(
        default=5.0, description="seconds for which errors are watched after a push", examples=[5.0]
    )
    errors_every: Seconds = Field(default=1.0, description="seconds between two looks at the errors", examples=[1.0])
    verify: Literal["none", "sample", "all"] = Field(
        default="none", description="how many accepted records are read back", examples=["sample"]
    )
    receipts: OmetriaReceipts | None = Field(default=None, description="digital receipts")
