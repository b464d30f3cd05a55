"""What each target system has to be told. How a target is served is in `sitoo_pipeline/sinks/`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from sitoo_pipeline.settings.ometria import Ometria
from sitoo_pipeline.settings.samesystem import SameSystem
from sitoo_pipeline.settings.section import Secret, Section
from sitoo_pipeline.settings.values import Amount, DatabaseUrl


def _mark(value: str) -> str:
    if len(value) != 1 or value.isalnum() or not (value.isprintable() or value == "\t") or value in "-:\"'":
        raise ValueError(f"{value!r} must be one character that no date, hour, number or text is written with")
    return value


def _mark_or_nothing(value: str) -> str:
    return _mark(value) if value else value


Mark = Annotated[str, AfterValidator(_mark)]
MarkOrNothing = Annotated[str, AfterValidator(_mark_or_nothing)]


class WeeklyBalance(Section):
    """What goes into the weekly balance, whichever way it is delivered."""

    channels: tuple[Literal["pos", "online"], ...] = Field(
        default=("pos",), min_length=1, description="the channels whose orders count", examples=[["pos"]]
    )
    hold_back_above: Amount | None = Field(
        default=None,
        description="a store's day waits where a z-report of it is off by more than this amount of money",
        examples=[Decimal("10.00")],
    )

    @field_validator("channels")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names a channel twice; name each once")
        return value


class WeeklyBalanceSql(Section):
    """The weekly balance as a table of a SQL database."""

    enabled: bool = Field(default=True, description="whether it is delivered", examples=[True])
    url: Annotated[DatabaseUrl, Secret("WEEKLY_BALANCE_URL")] = Field(
        default=SecretStr(""), description="SQLAlchemy URL; left out, a SQLite file in the account's folder"
    )


class WeeklyBalanceCsv(Section):
    """The weekly balance as one file per day, in the layout that SameSystem imports."""

    enabled: bool = Field(default=True, description="whether it is written", examples=[True])
    separator: Mark = Field(default=";", description="between columns", examples=[";"])
    # Defaults are validated too: another separator may meet a mark that was not set.
    decimal_mark: Mark = Field(
        default=",", validate_default=True, description="between whole and hundredths", examples=[","]
    )
    thousands_mark: MarkOrNothing = Field(
        default=".", validate_default=True, description="between thousands; may be empty", examples=["."]
    )
    date_format: str = Field(
        default="%Y-%m-%d", validate_default=True, description="how dates are written", examples=["%Y-%m-%d"]
    )
    register_id: int = Field(default=1, strict=True, ge=1, le=9999, description="the register's number", examples=[1])

    @field_validator("decimal_mark", "thousands_mark")
    @classmethod
    def _marks_differ(cls, value: str, info: ValidationInfo) -> str:
        for other in ("separator", "decimal_mark"):
            if value and value == info.data.get(other):
                raise ValueError(f"{value!r} is the {other} already; the two must differ")
        return value

    @field_validator("date_format")
    @classmethod
    def _date_format_is_whole(cls, value: str, info: ValidationInfo) -> str:
        day = date(2023, 11, 30)
        try:
            written = day.strftime(value)
            read = datetime.strptime(written, value).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            read = None
        if read != day:
            raise ValueError(f"{value!r} does not write a whole date; take year, month and day, as in %Y-%m-%d")
        if info.data.get("separator", "\n") in written:
            raise ValueError(f"{value!r} writes the separator into the date")
        return value


class Targets(Section):
    """The targets of one account. Ometria and SameSystem are off unless they are named."""

    weekly_balance: WeeklyBalance = Field(default=WeeklyBalance(), description="what the weekly balance counts")
    weekly_balance_sql: WeeklyBalanceSql = Field(default=WeeklyBalanceSql(), description="its table in a database")
    weekly_balance_csv: WeeklyBalanceCsv = Field(default=WeeklyBalanceCsv(), description="its files")
    ometria: Ometria | None = Field(default=None, description="Ometria, the CRM")
    samesystem: SameSystem | None = Field(default=None, description="SameSystem's API")
