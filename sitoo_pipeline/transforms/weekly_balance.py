"""``marts.weekly_balance_hourly``: 24 hours for every store and day, as a weekly balance takes them.

How a target wants them written belongs to its sink.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from sitoo_pipeline.tables import marts
from sitoo_pipeline.transforms.frames import UNKNOWN, fit, sums

_DAY = ["store_id", "currency", "business_date"]
_MEASURES = [c.name for c in marts.WEEKLY_BALANCE_HOURLY.columns if c.name not in marts.WEEKLY_BALANCE_HOURLY.key]


def weekly_balance_hourly(
    *,
    account: str,
    hourly: pl.DataFrame,
    stores: pl.DataFrame,
    dates: Collection[date],
    channels: Collection[str] = ("pos",),
) -> pl.DataFrame:
    """``marts.weekly_balance_hourly``: all 24 local hours per store, currency and date, zeros where nothing was sold.

    The doubled autumn hour is one row, the missing spring hour a row of zeros. There is a set of rows for each currency
    in which a store has figures on the date, listed by Sitoo or not, ``unknown`` included. A listed store without any
    has one set of zeros in its own currency (``core.stores.currency``). Where it has none that is ``unknown``: the
    store is seen to be there, and no currency is made up.

    Args:
        account: name of the account, the first column.
        hourly: ``marts.hourly_sales``; only ``dates`` and ``channels`` of it are used.
        stores: ``core.stores``; those without an external id are left out.
        dates: the business dates wanted.
        channels: the channels that are added up, ``pos`` or ``online``.
    """
    wanted = pl.DataFrame({"business_date": sorted(set(dates))}, schema={"business_date": pl.Date})
    chosen = hourly.filter(pl.col("channel").is_in(list(channels))).join(wanted, on="business_date", how="semi")
    figures = chosen.group_by(*_DAY, hour=pl.col("local_hour")).agg(sums(*_MEASURES))
    sold = chosen.select(_DAY).unique()
    listed = stores.drop_nulls("store_id").select("store_id", pl.col("currency").fill_null(UNKNOWN)).unique("store_id")
    idle = listed.join(wanted, how="cross")
    idle = idle.join(sold, on=["store_id", "business_date"], how="anti").select(_DAY)
    hours = pl.DataFrame({"hour": range(24)}, schema={"hour": pl.Int32})
    rows = pl.concat([sold, idle]).join(hours, how="cross").join(figures, on=[*_DAY, "hour"], how="left")
    return fit(rows.with_columns(pl.col(_MEASURES).fill_null(0), account=pl.lit(account)), marts.WEEKLY_BALANCE_HOURLY)
