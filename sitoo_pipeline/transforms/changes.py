"""What moved on dates that were loaded again: the rows of ``meta.reload_diffs``, from the tables before and after.

Both functions take frames by table and give the columns of ``meta.reload_diffs`` but for when and by which run,
sorted by place and then in the order of the measures. ``before`` and ``after`` hold the same whole dates.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sitoo_pipeline.tables import Table, core, marts, meta

Frames = Mapping[Table, pl.DataFrame]

_PLACE = ["business_date", "store_id", "channel", "currency"]
_COLUMNS = [*_PLACE, "measure", "before", "after"]
_AMOUNT = pl.Decimal(18, 2)
FIGURES = tuple(name for name in marts.DAILY_SALES.names if name not in {"account", "store_name", *_PLACE})
"""The measures of ``marts.daily_sales``, in their order."""
ORDERS_MOVED = ("orders_added", "orders_removed", "orders_changed")


def moved_figures(before: Frames, after: Frames) -> pl.DataFrame:
    """Each measure of ``marts.daily_sales`` that differs, before and after, per date, store, channel and currency.

    A place that has no row is null there; against that, a measure of 0 is no difference.
    """
    was, becomes = (_long(frames[marts.DAILY_SALES]) for frames in (before, after))
    both = was.rename({"value": "before"}).join(
        becomes.rename({"value": "after"}), on=[*_PLACE, "measure"], how="full", coalesce=True
    )
    return _sorted(both.filter(pl.col("before").fill_null(0) != pl.col("after").fill_null(0)), FIGURES)


def moved_orders(before: Frames, after: Frames) -> pl.DataFrame:
    """How many orders were added, removed and changed, per date, store, channel and currency; the number is ``after``.

    An order is changed where its row in ``core.orders`` differs, or any of its lines or payments. One that went to
    another place is removed there and added here.
    """
    was, becomes = before[core.ORDERS], after[core.ORDERS]
    of_order = [*_PLACE, "order_id"]
    touched = pl.concat(_differing(before[table], after[table]) for table in after).unique()
    found = {
        "orders_added": becomes.join(was, on=of_order, how="anti"),
        "orders_removed": was.join(becomes, on=of_order, how="anti"),
        "orders_changed": becomes.join(was, on=of_order, how="semi").join(touched, on="order_id", how="semi"),
    }
    counted = pl.concat(
        frame.group_by(_PLACE).agg(measure=pl.lit(measure), before=pl.lit(None, _AMOUNT), after=pl.len().cast(_AMOUNT))
        for measure, frame in found.items()
    )
    return _sorted(counted, ORDERS_MOVED)


def _differing(was: pl.DataFrame, becomes: pl.DataFrame) -> pl.DataFrame:
    """Ids of the orders with a row that only one of the two frames has."""
    only = [
        left.join(right, on=left.columns, how="anti", nulls_equal=True).select("order_id")
        for left, right in ((was, becomes), (becomes, was))
    ]
    return pl.concat(only)


def _long(daily: pl.DataFrame) -> pl.DataFrame:
    values = daily.select(*_PLACE, pl.col(FIGURES).cast(_AMOUNT))
    return values.unpivot(index=_PLACE, on=FIGURES, variable_name="measure", value_name="value")


def _sorted(rows: pl.DataFrame, measures: tuple[str, ...]) -> pl.DataFrame:
    in_order = rows.sort(*_PLACE, pl.col("measure").cast(pl.Enum(measures)))
    return in_order.select(pl.col(name).cast(meta.RELOAD_DIFFS.polars_schema[name]) for name in _COLUMNS)
