"""One account: how to reach its Sitoo system, from when to load, and where everything of it is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from sitoo_pipeline.settings.alerts import Alerts
from sitoo_pipeline.settings.opening_hours import OpeningHours
from sitoo_pipeline.settings.section import Secret, Section, Variable
from sitoo_pipeline.settings.targets import Targets
from sitoo_pipeline.settings.values import (
    AccountName,
    CalendarDate,
    Days,
    LedgerUrl,
    PositiveDays,
    Seconds,
    SitooBaseUrl,
    TimeOfDay,
    TimeZone,
    not_in_future,
)
from sitoo_pipeline.settings.visitors import Visitors


class ApiUserSettings(Section):
    """One API user of Sitoo. Each may have one request in flight, so more users load faster."""

    api_id: str
    password: SecretStr


class StoreSettings(Section):
    """What has to be said of one store; most stores need no table."""

    timezone: TimeZone | None = Field(
        default=None, description="the store's zone where it is not the account's", examples=["Europe/Helsinki"]
    )
    opening_hours: OpeningHours | None = Field(
        default=None,
        description="the hours that the CSV of the weekly balance has, where they are not those of its table",
        examples=["Mo-Sa 10:00-20:00; Su off"],
    )


class Http(Section):
    """How patiently Sitoo and the targets are called. Waits and time limits are in seconds."""

    attempts: int = Field(default=7, strict=True, ge=1, le=50, description="tries of one request", examples=[7])
    wait_initial: Seconds = Field(
        default=0.5, description="wait before the second try; then it doubles", examples=[0.5]
    )
    wait_max: Seconds = Field(
        default=30.0, validate_default=True, description="longest wait between two tries", examples=[30]
    )
    connect_timeout: Seconds = Field(default=10.0, description="longest wait for a connection", examples=[10])
    read_timeout: Seconds = Field(default=60.0, description="longest silence during an answer", examples=[60])

    @field_validator("wait_max")
    @classmethod
    def _waits_in_order(cls, value: float, info: ValidationInfo) -> float:
        initial = info.data.get("wait_initial", 0)
        if value < initial:
            raise ValueError(f"{value:g} is less than wait_initial ({initial:g}); it must be as long or longer")
        return value


_EARLIEST_READY, _LATEST_READY = "02:15", "23:00"


def _sqlite(path: Path) -> SecretStr:
    return SecretStr(f"sqlite:///{path.as_posix()}")


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(","))


class Account(Section):
    """One Sitoo system: one base URL, its API users, its stores and its targets."""

    given_by_loader: ClassVar[frozenset[str]] = frozenset({"name", "folder"})

    name: Annotated[AccountName, Variable("SITOO_ACCOUNT")]
    folder: Path
    base_url: Annotated[SitooBaseUrl, Variable("SITOO_BASE_URL")] = Field(
        description="the whole base URL", examples=["https://api.mysitoo.com/v2/accounts/1500"]
    )
    api_id: Annotated[str, Secret("SITOO_API_ID")] = Field(description="API ids, separated by commas")
    api_password: Annotated[SecretStr, Secret("SITOO_API_PASSWORD")] = Field(
        description="their passwords, in the same order"
    )
    timezone: Annotated[TimeZone, Variable("SITOO_TIMEZONE")] = Field(
        default="Europe/Stockholm",
        description="zone of the partitions, and of stores without their own",
        examples=["Europe/Stockholm"],
    )
    start_date: Annotated[CalendarDate, Variable("SITOO_START_DATE")] = Field(
        description="first business date", examples=[date(2024, 1, 1)]
    )
    ready_by: TimeOfDay = Field(
        default="05:00",
        description="time by which yesterday is to be loaded, reconciled and delivered",
        examples=["05:00"],
    )
    reread_days: Days = Field(default=7, description="recent days that are read again each night", examples=[7])
    deep_reread_days: Days = Field(default=60, description="days that are read again each week", examples=[60])
    open_orders_max_age_days: Days = Field(
        default=60, description="age at which an open order is no longer looked at", examples=[60]
    )
    late_ids_margin: int = Field(
        default=500, strict=True, ge=0, le=1_000_000, description="ids read again before the newest", examples=[500]
    )
    landing_retention_days: PositiveDays = Field(
        default=90, description="how long response bodies are kept", examples=[90]
    )
    rejected_retention_days: PositiveDays = Field(
        default=30, description="how long the content of a rejected record is kept", examples=[30]
    )
    history_retention_days: PositiveDays = Field(
        default=400, description="how long loads, polls and moved figures are remembered", examples=[400]
    )
    deliveries_retention_days: PositiveDays = Field(
        default=1826, description="how long the ledger remembers a date's deliveries", examples=[1826]
    )
    runs_retention_days: PositiveDays = Field(
        default=90, description="how long runs are kept that nothing is shown of any more", examples=[90]
    )
    chunk_days: int = Field(
        default=7, strict=True, ge=1, le=31, description="most days asked for at once in a backfill", examples=[7]
    )
    lock_timeout: Seconds = Field(
        default=60.0, description="longest wait for a warehouse that is open in another program", examples=[60]
    )
    read_copy_personal_data: bool = Field(
        default=False,
        strict=True,
        description="whether the copy for readers has customers' names and addresses as they are",
        examples=[False],
    )
    http: Http = Field(default=Http(), description="retries and time limits")
    stores: dict[str, StoreSettings] = Field(default={}, description="by Sitoo's external id of the store")
    visitors: Visitors | None = Field(default=None, description="who counts the visitors of the stores")
    targets: Targets = Field(default=Targets(), validate_default=True, description="who is served")
    alerts: Alerts | None = Field(default=None, description="who is told of failures, and each morning")
    deliveries_url: Annotated[LedgerUrl, Secret("DELIVERIES_URL")] = Field(
        default=SecretStr(""),
        validate_default=True,
        description="SQLAlchemy URL of the ledger of deliveries; left out, a SQLite file in the account's folder",
    )

    @field_validator("api_id")
    @classmethod
    def _api_ids_are_usable(cls, value: str) -> str:
        ids = _entries(value)
        if not all(ids):
            raise ValueError("has an empty entry in its list; take out the comma too many")
        if any(":" in each for each in ids):
            raise ValueError("must not hold a colon; an API id looks like 1500-12")
        if len(set(ids)) != len(ids):
            raise ValueError("names an API id twice; Sitoo takes one request at a time from each")
        return value

    @field_validator("api_password")
    @classmethod
    def _one_password_per_id(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        passwords = _entries(value.get_secret_value())
        if not all(passwords):
            raise ValueError("has an empty entry in its list; take out the comma too many")
        ids = _entries(info.data["api_id"]) if "api_id" in info.data else passwords
        if len(passwords) != len(ids):
            raise ValueError(
                f"lists {len(passwords)} passwords, but there are {len(ids)} API ids; "
                "both are separated by commas and must have the same length and order"
            )
        return value

    @field_validator("start_date")
    @classmethod
    def _start_date_has_come(cls, value: date, info: ValidationInfo) -> date:
        return not_in_future(value, timezone=info.data.get("timezone"))

    @field_validator("ready_by")
    @classmethod
    def _ready_after_the_load(cls, value: str) -> str:
        if not _EARLIEST_READY <= value <= _LATEST_READY:
            raise ValueError(
                f"{value} is not between {_EARLIEST_READY} and {_LATEST_READY}; the night's load begins at 02:00"
            )
        return value

    @field_validator("targets")
    @classmethod
    def _weekly_balance_has_a_database(cls, value: Targets, info: ValidationInfo) -> Targets:
        sql = value.weekly_balance_sql
        if sql.url.get_secret_value() or "folder" not in info.data:
            return value
        url = _sqlite(info.data["folder"] / "weekly_balance.db")
        return value.model_copy(update={"weekly_balance_sql": sql.model_copy(update={"url": url})})

    @field_validator("deliveries_url")
    @classmethod
    def _ledger_has_a_database(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if value.get_secret_value() or "folder" not in info.data:
            return value
        return _sqlite(info.data["folder"] / "deliveries.db")

    @property
    def users(self) -> tuple[ApiUserSettings, ...]:
        """The API users, in the order of the settings."""
        pairs = zip(_entries(self.api_id), _entries(self.api_password.get_secret_value()), strict=True)
        return tuple(ApiUserSettings(api_id=api_id, password=SecretStr(password)) for api_id, password in pairs)

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that loads write."""
        return self.folder / "warehouse.duckdb"

    @property
    def read_copy_path(self) -> Path:
        """The DuckDB file that readers open."""
        return self.folder / "warehouse_read.duckdb"

    @property
    def landing_folder(self) -> Path:
        """Where response bodies are kept as received."""
        return self.folder / "landing"

    @property
    def visitors_folder(self) -> Path | None:
        """Where the files of visitors are; None where they are not counted in files."""
        if self.visitors is None or self.visitors.folder is None:
            return None
        return self.folder / Path(self.visitors.folder).expanduser()

    @property
    def exports_folder(self) -> Path:
        """Where files for other systems are written."""
        return self.folder / "exports"
