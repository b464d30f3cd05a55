"""What SameSystem's API has to be told."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from sitoo_pipeline.settings.section import Secret, Section, Variable
from sitoo_pipeline.settings.values import Email, TimeOfDay, WebAddress

_CTX_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


def _field(value: Any) -> str | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ValueError('must be a field\'s code or name in quotes, its id as a number, or "" to send nothing')
    return value.strip() if isinstance(value, str) else value


def _departments(value: Any) -> dict[str, str]:
    is_table = isinstance(value, dict)
    if not is_table or not all(isinstance(each, str) and _CTX_TOKEN.fullmatch(each) for each in value.values()):
        raise ValueError('must be a table of texts of letters and digits, such as { "0101" = "c1500d10" }')
    of_token: dict[str, str] = {}
    for store, token in value.items():
        if of_token.setdefault(token, store) != store:
            raise ValueError(f"gives {token} to the stores {of_token[token]} and {store}; a department is one store's")
    return dict(value)


def _numbers(value: Any) -> dict[str, int]:
    is_table = isinstance(value, dict)
    if not is_table or not all(type(number) is int and 1 <= number <= 99 for number in value.values()):
        raise ValueError('must be a table of numbers from 1 to 99, such as { "{3CCB9848-...}" = 2 }')
    return dict(value)


FieldName = Annotated[str | int | None, BeforeValidator(_field)]


class SameSystemFields(Section):
    """Which field of SameSystem's weekly balance takes which measure, where its name does not tell."""

    gross_sales: FieldName = Field(default=None, description="sales including VAT", examples=["A1"])
    net_sales: FieldName = Field(default=None, description="the same excluding VAT", examples=["A1.1"])
    discounts: FieldName = Field(default=None, description="discounts given, positive", examples=["A2"])
    returns: FieldName = Field(default=None, description="goods taken back, positive", examples=["A3"])
    transactions: FieldName = Field(default=None, description="receipts with a sale", examples=["C1"])
    goods_sold: FieldName = Field(default=None, description="pieces sold", examples=["C2"])
    goods_returned: FieldName = Field(default=None, description="pieces taken back", examples=["C3"])
    visitors: FieldName = Field(default=None, description="visitors; 0 without a source", examples=[""])

    @field_validator("*")
    @classmethod
    def _each_its_own(cls, value: str | int | None, info: ValidationInfo) -> str | int | None:
        for measure, other in info.data.items():
            if value not in (None, "") and str(value).casefold() == str(other).casefold():
                raise ValueError(f"{value!r} takes {measure} already; each measure has a field of its own")
        return value


class SameSystem(Section):
    """Day totals to SameSystem's API."""

    base_url: Annotated[WebAddress, Variable("SAMESYSTEM_BASE_URL")] = Field(
        description="address of the API", examples=["https://in.samesystem.com/api/v1"]
    )
    email: Annotated[Email, Variable("SAMESYSTEM_EMAIL")] = Field(
        description="the API user", examples=["pos-api@example.com"]
    )
    password: Annotated[SecretStr, Secret("SAMESYSTEM_PASSWORD")] = Field(description="the API user's password")
    confirm: Annotated[bool, Variable("SAMESYSTEM_CONFIRM")] = Field(
        default=True, description="confirm saved days: SameSystem leaves others out of its sums", examples=[True]
    )
    overwrite_approved: Annotated[bool, Variable("SAMESYSTEM_OVERWRITE_APPROVED")] = Field(
        default=True, description="reopen confirmed days and approved weeks, and restore them", examples=[True]
    )
    login: Literal["user", "department"] = Field(
        default="user", description="one token for all departments, or (OAuth) one for each", examples=["user"]
    )
    ctx_tokens: Annotated[dict[str, str], BeforeValidator(_departments)] = Field(
        default={}, description="departments by store, where their numbers (dpt_no) do not tell"
    )
    registers: Annotated[dict[str, int], BeforeValidator(_numbers)] = Field(
        default={}, description="numbers of tills, where another than the next one is wanted"
    )
    confirm_from: TimeOfDay = Field(
        default="02:00", description="time of the next day from which a day is confirmed", examples=["02:00"]
    )
    auto_confirm_at: TimeOfDay = Field(
        default="05:00",
        validate_default=True,
        description="time of the next day at which SameSystem confirms by itself",
        examples=["05:00"],
    )
    fields: SameSystemFields = Field(default=SameSystemFields(), description="fields that have other names")

    @field_validator("auto_confirm_at")
    @classmethod
    def _times_in_order(cls, value: str, info: ValidationInfo) -> str:
        if value <= info.data.get("confirm_from", ""):
            raise ValueError(f"{value} is not after confirm_from ({info.data['confirm_from']})")
        return value
