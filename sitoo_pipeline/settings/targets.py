"""What each target system has to be told. How a target is served is in `sitoo_pipeline/sinks/`."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from sitoo_pipeline.settings.ometria import Ometria
from sitoo_pipeline.settings.samesystem import SameSystem
from sitoo_pipeline.settings.section import Section
from sitoo_pipeline.settings.webhook import Webhook
from sitoo_pipeline.settings.weekly_balance import WeeklyBalance, WeeklyBalanceCsv, WeeklyBalanceMail, WeeklyBalanceSql


class Targets(Section):
    """The targets of one account. E-mail, Ometria, SameSystem and webhooks are off unless they are named."""

    weekly_balance: WeeklyBalance = Field(default=WeeklyBalance(), description="what the weekly balance counts")
    weekly_balance_sql: WeeklyBalanceSql = Field(default=WeeklyBalanceSql(), description="its table in a database")
    weekly_balance_csv: WeeklyBalanceCsv = Field(default=WeeklyBalanceCsv(), description="its files")
    weekly_balance_mail: WeeklyBalanceMail | None = Field(default=None, description="its files, by e-mail")
    ometria: Ometria | None = Field(default=None, description="Ometria, the CRM")
    samesystem: SameSystem | None = Field(default=None, description="SameSystem's API")
    webhooks: dict[str, Webhook] = Field(default={}, description="other systems, by names of your own")

    @field_validator("webhooks")
    @classmethod
    def _names_make_assets(cls, value: dict[str, Webhook]) -> dict[str, Webhook]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(
                    f"{name!r} is no name; it must be a small letter, then small letters, digits and underscores"
                )
        return value
