"""What a report is made from, read from the marts of one account: the period, and each date's weekday a week before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import polars as pl

from sitoo_pipeline.tables import marts
from sitoo_pipeline.warehouse.ledger import loaded_dates

WEEK = timedelta(days=7)
MEASURES = (
    "gross_sales", "net_sales", "returns", "discounts", "transactions", "return_transactions", "goods_sold",
    "goods_returned", "visitors",
)  # fmt: skip
DIFFERENCES = ("gross_sales", "returns", "discounts", "goods_sold")
"""What of a z-report's differences the report shows; the mart has more."""


@dataclass(frozen=True)
class Figures:
    """The figures of one account.

    Attributes:
        account: Name of the account.
        dates: The business dates of the period, in order.
        loaded: Which dates are loaded, those of the week before included.
        days: ``marts.daily_sales`` of the period and the week before it.
        hours: Gross sales per store, channel, currency, date and local hour of the same dates; the doubled hour of
            autumn is one.
        z_reports: ``marts.z_report_reconciliation`` of the period.
        names: The newest name of each store.
        loaded_at: When the newest content of the period came into the warehouse; None where nothing is loaded.
        as_of: When the read copy was published, where that was read.
    """

    account: str
    dates: tuple[date, ...]
    loaded: frozenset[date]
    days: pl.DataFrame
    hours: pl.DataFrame
    z_reports: pl.DataFrame
    names: dict[str, str]
    loaded_at: datetime | None = None
    as_of: datetime | None = None

    @property
    def present(self) -> list[date]:
        """The dates of the period that are loaded."""
        return [day for day in self.dates if day in self.loaded]

    @property
    def comparable(self) -> list[date]:
        """The dates of the period that are loaded, and whose weekday a week before is too."""
        return [day for day in self.present if day - WEEK in self.loaded]

    @property
    def currencies(self) -> list[str]:
        """The currencies of the period, the one of most transactions first."""
        of_period = self.days.filter(pl.col("business_date").is_in(self.dates))
        return (
            of_period.group_by("currency")
            .agg(pl.col("transactions").sum())
            .sort(["transactions", "currency"], descending=[True, False])["currency"]
            .to_list()
        )

    def bought_where_counted(self, currency: str) -> int:
        """Transactions of the stores' tills on the dates of the period whose visitors stand in this currency.

        In all currencies: visitors stand in one, whatever those who came paid with.
        """
        at_tills = self.days.filter(pl.col("business_date").is_in(self.present), pl.col("channel") == "pos")
        counted = at_tills.filter(pl.col("currency") == currency, pl.col("visitors").is_not_null())
        return int(at_tills.join(counted, on=["store_id", "business_date"], how="semi")["transactions"].sum())

    def totals(self) -> list[dict[str, str | int | None]]:
        """The period's sums per currency, amounts as texts, exact; visitors are None where nobody counted any."""
        chosen = self.days.filter(pl.col("business_date").is_in(self.present))
        rows = chosen.group_by("currency").agg(*added(MEASURES)).sort("currency").to_dicts()
        return [{name: str(at) if isinstance(at, Decimal) else at for name, at in row.items()} for row in rows]


def added(measures: Sequence[str]) -> list[pl.Expr]:
    """The sum of each measure; that of visitors is null where nobody counted any."""
    sums = {name: pl.col(name).sum() for name in measures}
    counted = pl.when(pl.col("visitors").count() > 0).then(sums["visitors"])
    return [counted.alias("visitors") if name == "visitors" else total for name, total in sums.items()]


def read_figures(
    con: duckdb.DuckDBPyConnection, account: str, dates: Sequence[date], *, as_of: datetime | None = None
) -> Figures:
    """The figures of ``dates`` of one account, from a connection to its warehouse or its read copy."""
    wanted = tuple(sorted(dates))
    listed = dates_listed({*wanted, *(day - WEEK for day in wanted)})
    of_period = dates_listed(wanted)
    [(loaded_at,)] = con.execute(
        f"SELECT max(finished_at) FROM meta.loads WHERE status = 'loaded' AND business_date IN ({of_period})"
    ).fetchall()
    return Figures(
        account=account,
        dates=wanted,
        loaded=frozenset(loaded_dates(con, marts.HOURLY_SALES) & loaded_dates(con, marts.DAILY_SALES)),
        days=con.sql(
            f"SELECT store_id, channel, currency, business_date, {', '.join(MEASURES)} FROM marts.daily_sales "
            f"WHERE business_date IN ({listed}) ORDER BY ALL"
        ).pl(),
        hours=con.sql(
            "SELECT store_id, channel, currency, business_date, local_hour, sum(gross_sales) AS gross_sales "
            f"FROM marts.hourly_sales WHERE business_date IN ({listed}) GROUP BY ALL ORDER BY ALL"
        ).pl(),
        z_reports=con.sql(
            "SELECT business_date, store_id, register_id, z_report_id, currency, status, "
            + ", ".join(f"diff_{measure}" for measure in DIFFERENCES)
            + f", ours_gross_sales FROM marts.z_report_reconciliation WHERE business_date IN ({of_period}) ORDER BY ALL"
        ).pl(),
        names=dict(
            con.execute(
                "SELECT store_id, arg_max(store_name, business_date) AS name FROM marts.daily_sales "
                f"WHERE business_date IN ({listed}) GROUP BY store_id HAVING name IS NOT NULL ORDER BY store_id"
            ).fetchall()
        ),
        loaded_at=loaded_at,
        as_of=as_of,
    )


def dates_listed(dates: Iterable[date]) -> str:
    """``DATE '2026-03-01', DATE '2026-03-02'``, for the SQL: DuckDB copies the result of a query with parameters."""
    return ", ".join(f"DATE '{day}'" for day in sorted(dates)) or "NULL"
