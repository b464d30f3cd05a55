"""The kinds of single values that settings hold, each with the check that makes it safe to use.

A check raises `ValueError` with the rest of a sentence that begins with the key: what is wrong and what would be
right. It shows the wrong value only where that cannot be a secret. Rules between several settings are in the models.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

_ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ACCOUNT_PATH = re.compile(r".*/accounts/[0-9]+")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATABASE_SCHEME = re.compile(r"([a-z][a-z0-9]*)(\+[a-z0-9_]+)?://")
_EARLIEST = date(2000, 1, 1)
_LEDGERS = ("sqlite", "postgresql")
_DATABASES = (*_LEDGERS, "mysql", "mariadb", "mssql")
_SAMPLE_DATABASE = "postgresql+psycopg://user:password@host/database"


def _account_name(value: str) -> str:
    if not _ACCOUNT_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is no account name; it must be a small letter, then small letters, digits and underscores"
        )
    return value


def _split(value: str, *, with_query: bool = False) -> SplitResult:
    """The parts of an address that may be used and shown: no user, no query, no space, a readable host and port."""
    if re.search(r"\s", value):
        raise ValueError("has a space in it or around it; take it out")
    try:
        parts = urlsplit(value)
        readable = parts.port is None or parts.port > 0
    except ValueError:
        parts, readable = SplitResult("", "", "", "", ""), False
    if not readable or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a whole address that begins with https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password before the host; they have settings of their own")
    if with_query and (parts.fragment or value.endswith("#")):
        raise ValueError("must not have a part after #")
    if not with_query and (parts.query or parts.fragment or value.endswith(("?", "#"))):
        raise ValueError("must end with its path, without ? or #")
    return parts


def _web_address(value: str) -> str:
    _split(value)
    return value.rstrip("/")


def web_address_with_query(value: str) -> str:
    """The address itself; ValueError where it is none."""
    _split(value, with_query=True)
    return value


def _host_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]+", value) or "//" in value:
        raise ValueError(f"{value!r} must be the name or IP address of a computer, such as smtp.example.com")
    return value


def _sitoo_base_url(value: str) -> str:
    parts = _split(value)
    if not _ACCOUNT_PATH.fullmatch(parts.path.rstrip("/")):
        raise ValueError(
            f"{value!r} must end with /accounts/<number>, as in https://api.mysitoo.com/v2/accounts/1500; "
            "the Sitoo Backoffice shows it under Settings > Sitoo REST API"
        )
    return value.rstrip("/")


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        names = {name.lower(): name for name in available_timezones()}
        close = get_close_matches(value.lower(), names, n=1, cutoff=0.8)
        right = f"did you mean {names[close[0]]}?" if close else "take an IANA name such as Europe/Stockholm"
        raise ValueError(f"{value!r} is no known time zone; {right}") from None
    return value


def _calendar_date(value: Any) -> date:
    # Stricter than pydantic, which would take "20240101" for a number of seconds since 1970.
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is not in the calendar") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{str(value)!r} is no date; write it as 2024-01-31")
    if value < _EARLIEST:
        raise ValueError(f"{value} is before {_EARLIEST}, the earliest date that is taken")
    return value


def not_in_future(value: date, *, timezone: str | None) -> date:
    """Refuse a date after today, as today is in `timezone` (UTC where that is unknown)."""
    today = datetime.now(ZoneInfo(timezone) if timezone else UTC).date()
    if value > today:
        raise ValueError(f"{value} is in the future; the first business date must be {today} or earlier")
    return value


def _database_url(value: SecretStr, *, kinds: tuple[str, ...] = _DATABASES) -> SecretStr:
    text = value.get_secret_value()
    if not text:
        return value  # Left out: the account fills in a file of its own.
    scheme = _DATABASE_SCHEME.match(text)
    if not scheme:
        raise ValueError(f"must be a SQLAlchemy URL such as {_SAMPLE_DATABASE}")
    if scheme[1] == "postgres":
        raise ValueError("must begin with postgresql+psycopg://, not with postgres://, which SQLAlchemy does not know")
    if scheme[1] not in kinds:
        raise ValueError(f"names a database of the kind {scheme[1]}; those that can be used are {', '.join(kinds)}")
    return value


def _ledger_url(value: SecretStr) -> SecretStr:
    return _database_url(value, kinds=_LEDGERS)


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError("must be one e-mail address")
    return value


def _plain_text(value: str) -> str:
    if not value or not value.isprintable() or value != value.strip():
        raise ValueError(f"{value!r} must be text without spaces or line ends around it, and not empty")
    return value


def _amount(value: Any) -> Decimal:
    # A number of TOML is read as a float, whose text is what was written, as far as two decimals go.
    if isinstance(value, bool) or not _AMOUNT.fullmatch(str(value)):
        raise ValueError(f"must be an amount of 0 or more with at most two decimals, such as 10.50, not {value!r}")
    return Decimal(str(value))


AccountName = Annotated[str, AfterValidator(_account_name)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
WebAddressWithQuery = Annotated[str, AfterValidator(web_address_with_query)]
HostName = Annotated[str, AfterValidator(_host_name)]
SitooBaseUrl = Annotated[str, AfterValidator(_sitoo_base_url)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
CalendarDate = Annotated[date, BeforeValidator(_calendar_date)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
LedgerUrl = Annotated[SecretStr, AfterValidator(_ledger_url)]
Email = Annotated[str, AfterValidator(_email)]
PlainText = Annotated[str, AfterValidator(_plain_text)]
# Strict: `true` is no number, and "7" in the file is a slip that should be seen.
Days = Annotated[int, Field(strict=True, ge=0, le=3660)]
PositiveDays = Annotated[int, Field(strict=True, ge=1, le=3660)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=3600, allow_inf_nan=False)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]


def _time_of_day(value: Any) -> str:
    if isinstance(value, time):
        value = f"{value:%H:%M}"  # TOML has times without quotes
    try:
        if not isinstance(value, str) or len(value) != len("02:00"):
            raise ValueError
        time.fromisoformat(value)
    except ValueError:
        raise ValueError('must be a time such as "02:00"') from None
    return value


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
