"""``core.visitors``, and how visitors get into the figures of sales: the hour they came in, the row they stand in.

What of a count can be believed is decided in ``visitor_counts``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from sitoo_pipeline.tables import core
from sitoo_pipeline.tables.raw_visitors import WHOLE_DAY
from sitoo_pipeline.transforms.frames import UNKNOWN, first_by_order, fit
from sitoo_pipeline.transforms.places import Places

_STORE_DAY = ["store_id", "business_date"]


def visitors(counts: pl.DataFrame, *, orders: pl.DataFrame, places: Places) -> pl.DataFrame:
    """``core.visitors``: the counts added up by hour; that of a whole day only where there is none of an hour.

    A store's clock is that of its tills: the zone of its order with the lowest id on the date, from a till. Without
    one it is the store's zone by the settings, else the account's. A clock time that comes twice in autumn is taken
    for the first, and one that does not exist in spring for the time that a clock shows which was not set yet, so that
    what a counter says of the missing hour falls into the hour after it.

    Args:
        counts: ``raw.visitors`` of whole business dates.
        orders: ``order_id``, ``store_id``, ``business_date``, ``channel`` and ``timezone`` of ``core.orders``.
        places: the account's stores and zones.
    """
    zones = orders.filter(pl.col("channel") == "pos").group_by(_STORE_DAY).agg(first_by_order("timezone"))
    own = {store: places.timezone_of(store) for store in counts["store_id"].unique()}
    zoned = counts.join(zones, on=_STORE_DAY, how="left").with_columns(
        pl.col("timezone").fill_null(pl.col("store_id").replace_strict(own, default=None, return_dtype=pl.String))
    )
    placed = [
        (store, day, "day" if period == WHOLE_DAY else "hour", *_placed(day, period, zone), zone, number)
        for store, day, period, number, zone in zoned.select(*_STORE_DAY, "period", "visitors", "timezone").iter_rows()
    ]
    rows = pl.DataFrame(placed, schema=core.VISITORS.polars_schema, orient="row")
    keyed = rows.group_by(*core.VISITORS.key, "local_hour", "timezone").agg(pl.col("visitors").cast(pl.Int64).sum())
    in_hours = keyed.filter(pl.col("period") == "hour")
    of_days = keyed.filter(pl.col("period") == "day").join(in_hours, on=_STORE_DAY, how="anti")
    return fit(pl.concat([in_hours, of_days]), core.VISITORS)


def _placed(day: date, period: str, timezone: str) -> tuple[datetime, int | None]:
    """When the hour, or the day, starts that a count is of, and the hour's number on the store's clock."""
    zone = ZoneInfo(timezone)
    if period == WHOLE_DAY:
        return datetime.combine(day, time(), zone).astimezone(UTC), None
    if period.endswith("Z"):
        instant = datetime.fromisoformat(period)
    else:
        instant = datetime.combine(day, time.fromisoformat(period), zone).astimezone(UTC)
    local = instant.astimezone(zone)
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC), local.hour


def visitors_by_row(found: pl.DataFrame, *, sold: pl.DataFrame, stores: pl.DataFrame, period: str) -> pl.DataFrame:
    """The counts of one ``period`` with the row of sales that each belongs to: its ``channel`` and ``currency``.

    Who comes in belongs to no currency, and must stand in one row only: that of the store's own currency; where Sitoo
    tells none, the first by the alphabet in which its tills sold on the date, else ``unknown``.

    Args:
        found: ``core.visitors``.
        sold: store, channel, currency and date of what was sold.
        stores: ``core.stores``.
        period: ``hour`` or ``day``.
    """
    home = (
        stores.drop_nulls(["store_id", "currency"])
        .sort("sitoo_store_id")
        .group_by("store_id")
        .agg(pl.col("currency").first().alias("_home"))
    )
    tills = sold.filter(pl.col("channel") == "pos").group_by(_STORE_DAY).agg(pl.col("currency").min().alias("_sold"))
    counted = found.filter(pl.col("period") == period).join(home, on="store_id", how="left")
    return counted.join(tills, on=_STORE_DAY, how="left").select(
        "store_id",
        "business_date",
        "starts_at",
        "local_hour",
        "visitors",
        channel=pl.lit("pos"),
        currency=pl.coalesce("_home", "_sold", pl.lit(UNKNOWN)),
    )
