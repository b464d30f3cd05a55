"""The periods of the z-reports: from when to when each covers its register's orders, and which dates that touches.

The comparison of the figures is in ``reconciliation``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from sitoo_pipeline.transforms.frames import UNKNOWN
from sitoo_pipeline.transforms.places import Places, dates_in_store

TICK = pl.duration(seconds=1)
"""Sitoo's instants are whole seconds: what follows an instant without including it begins one later."""


def periods(z_reports: pl.DataFrame, *, places: Places, start_date: date) -> pl.DataFrame:
    """The z-reports with ``covers_after`` (not included), ``first_date`` and ``last_date`` (both included).

    A z-report covers its register's orders after its opening up to and with its closing. Where it has no opening, from
    the closing of the register's previous z-report; where there is none either, from the first moment of the account's
    start date in the store's zone. The dates are those of the period's first second and of the closing in the zone of
    the store by the settings, else the account's; a period that ends before it begins has only the date of its closing.

    Args:
        z_reports: ``core.z_reports``, for each register with the one before the first that matters.
        places: the account's stores and zones.
        start_date: the account's first business date.
    """
    beginnings = {
        store: _first_moment(start_date, places.timezone_of(store)) for store in {UNKNOWN, *z_reports["store_id"]}
    }
    start = pl.col("store_id").replace_strict(beginnings, return_dtype=pl.Datetime("us", "UTC")) - TICK
    ordered = z_reports.sort("register_id", "closed_at", "z_report_id").with_columns(
        previous=pl.coalesce(pl.col("closed_at").shift(1).over("register_id"), start)
    )
    covering = ordered.with_columns(covers_after=pl.coalesce("opened_at", "previous"))
    dated = covering.with_columns(first_date=pl.col("covers_after") + TICK, last_date="closed_at")
    return dates_in_store(dated, ["first_date", "last_date"], places=places).with_columns(
        first_date=pl.min_horizontal("first_date", "last_date")
    )


def _first_moment(day: date, timezone: str) -> datetime:
    """The instant in UTC at which ``day`` begins in an IANA zone."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def affected_dates(*, z_reports: pl.DataFrame, dates: Collection[date], places: Places, start_date: date) -> set[date]:
    """The dates whose reconciliation must be made again when ``dates`` were loaded.

    These are: the dates themselves; the dates that a z-report closed on one of them reaches back into, since their
    orders are covered now; and the dates of z-reports whose period reaches into one of them. A z-report also ends the
    period of the register's next one where that has no opening, so that the next one's date is affected, and every date
    back to the closing before.

    Args:
        z_reports: ``core.z_reports`` of all dates.
        dates: business dates of which orders or z-reports were loaded.
        places: the account's stores and zones.
        start_date: the account's first business date; no date before it is returned beyond ``dates``.
    """
    known = periods(z_reports, places=places, start_date=start_date)
    follower_unopened = pl.col("opened_at").is_null().shift(-1).over("register_id").fill_null(value=False)
    widest = pl.when(follower_unopened).then(pl.min_horizontal("covers_after", "previous")).otherwise("covers_after")
    reached = dates_in_store(known.with_columns(reaches=widest + TICK), ["reaches"], places=places).with_columns(
        reaches=pl.min_horizontal("reaches", "first_date")
    )
    loaded = pl.Series("loaded", sorted(dates), dtype=pl.Date)
    closed_then = pl.col("business_date").is_in(loaded.to_list())
    follows = pl.col("opened_at").is_null() & closed_then.shift(1).over("register_id").fill_null(value=False)
    touches = pl.date_ranges("first_date", "last_date").list.eval(pl.element().is_in(loaded.to_list())).list.any()
    reports = reached.filter(touches | follows).get_column("business_date")
    behind = reached.filter(closed_then).select(pl.date_ranges("reaches", "last_date").explode()).to_series()
    return set(dates) | {day for day in {*reports, *behind} if day is not None and day >= start_date}
