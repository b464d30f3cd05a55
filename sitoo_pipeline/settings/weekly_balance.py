"""The weekly balance in all its ways out: what counts, the table of a database, the files, and the files by e-mail."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from sitoo_pipeline.settings.mail import MAIL_PASSWORD, MailRoute
from sitoo_pipeline.settings.opening_hours import ALWAYS, OpeningHours
from sitoo_pipeline.settings.section import FileSecret, Secret, Section
from sitoo_pipeline.settings.values import Amount, DatabaseUrl, PlainText, PositiveDays


def _mark(value: str) -> str:
    if len(value) != 1 or value.isalnum() or not (value.isprintable() or value == "\t") or value in "-:\"'":
        raise ValueError(f"{value!r} must be one character that no date, hour, number or text is written with")
    return value


def _mark_or_nothing(value: str) -> str:
    return _mark(value) if value else value


Mark = Annotated[str, AfterValidator(_mark)]
MarkOrNothing = Annotated[str, AfterValidator(_mark_or_nothing)]
Basis = Literal["incl_vat", "excl_vat"]
Sign = Literal["positive", "negative"]


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
    """The weekly balance as files, in the layout that SameSystem imports."""

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
    register_column: bool = Field(
        default=True, description="whether there is a column of the register", examples=[True]
    )
    header: bool = Field(default=True, description="whether the first line has the columns' titles", examples=[True])
    gross_sales: Basis = Field(default="incl_vat", description="what Gross Sales means", examples=["incl_vat"])
    net_sales: Basis = Field(default="excl_vat", description="what Net Sales means", examples=["excl_vat"])
    returns: Sign = Field(default="positive", description="how goods taken back are written", examples=["positive"])
    discounts: Sign = Field(default="positive", description="how discounts are written", examples=["positive"])
    opening_hours: OpeningHours = Field(
        default=ALWAYS, description="the hours that are written", examples=["Mo-Sa 10:00-20:00; Su 11:00-17:00"]
    )
    one_file_per: Literal["day", "store"] = Field(
        default="day", description="a file per day, or per day and store", examples=["day"]
    )
    encoding: Literal["utf-8", "utf-8-sig", "iso-8859-1", "windows-1252"] = Field(
        default="utf-8",
        description="encoding of the files; utf-8-sig begins with a byte order mark",
        examples=["utf-8"],
    )

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


class WeeklyBalanceMail(MailRoute):
    """The files of the weekly balance as an e-mail per day, handed to a mail server by SMTP."""

    password: Annotated[SecretStr | None, FileSecret("WEEKLY_BALANCE_MAIL_PASSWORD")] = MAIL_PASSWORD
    subject: PlainText = Field(
        default="Weekly balance {date}",
        description="subject; {date} and {account} are filled in",
        examples=["Weekly balance {date}"],
    )
    correction_subject: PlainText = Field(
        default="Correction: {subject}",
        description="subject where a day is sent again because figures changed; {subject} is that of the first e-mail",
        examples=["Correction: {subject}"],
    )
    max_age_days: PositiveDays = Field(
        default=7, description="a day that is older is not sent unless it was sent before", examples=[7]
    )

    @field_validator("subject", "correction_subject")
    @classmethod
    def _can_be_filled_in(cls, value: str, info: ValidationInfo) -> str:
        known = ("date", "account") if info.field_name == "subject" else ("date", "account", "subject")
        try:
            value.format_map(dict.fromkeys(known, ""))
        except (LookupError, ValueError, AttributeError):
            names = " and ".join(f"{{{name}}}" for name in known)
            raise ValueError(f"{value!r} cannot be filled in; {names} are what can stand in it") from None
        return value
