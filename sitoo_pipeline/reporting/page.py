"""The report as one HTML page that needs nothing else: style and pictures stand in it, and it has no script.

The same figures make the same page, to the byte; when it was made is not in it, only when its figures were loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sitoo_pipeline.reporting.figures import Figures
from sitoo_pipeline.reporting.layout import CurrencyPart, Figure
from sitoo_pipeline.reporting.sales_pictures import sales_part
from sitoo_pipeline.reporting.standing import DateStanding, Notice, notices
from sitoo_pipeline.reporting.trust_pictures import deliveries, reconciliation
from sitoo_pipeline.reporting.wording import spans

_TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class AccountPart:
    """One account on the page: its figures and how far each date of them can be trusted."""

    figures: Figures
    standings: Sequence[DateStanding]
    timezone: str

    @property
    def name(self) -> str:
        """Name of the account."""
        return self.figures.account

    @property
    def loaded(self) -> str:
        """``19 of 21 dates are loaded``."""
        present, dates = len(self.figures.present), len(self.figures.dates)
        return f"{present} of {dates} {'date is' if dates == 1 else 'dates are'} loaded"

    @property
    def absent(self) -> str:
        """The dates that are in no figure, and for which no notice says so: open ones, and those that failed."""
        told = {one.business_date for one in self.standings if one.state == "missing"}
        return spans([day for day in self.figures.dates if day not in self.figures.loaded and day not in told])

    @property
    def notices(self) -> list[Notice]:
        """What has to be known before the first figure."""
        return notices(self.standings)

    @cached_property
    def currencies(self) -> list[CurrencyPart]:
        """The sales in each currency."""
        return [sales_part(self.figures, currency) for currency in self.figures.currencies]

    @cached_property
    def trust(self) -> list[Figure]:
        """Reconciliation and deliveries."""
        made = [reconciliation(self.figures), deliveries(self.standings)]
        return [one for one in made if one]

    def local(self, instant: datetime | None) -> str:
        """An instant by the account's clock, and in UTC."""
        if instant is None:
            return ""
        there = instant.astimezone(ZoneInfo(self.timezone))
        return f"{there:%Y-%m-%d %H:%M} {self.timezone} ({instant.astimezone(ZoneInfo('UTC')):%H:%M} UTC)"


def render(parts: Sequence[AccountPart]) -> str:
    """The page of one or more accounts, for one period."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    style = Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8"))  # noqa: S704  (ours)
    period = spans(parts[0].figures.dates)
    return environment.get_template("page.html.jinja").render(parts=parts, period=period, style=style)
