"""``marts.hourly_sales``, ``daily_sales`` and ``register_sales``: what each store and till sold, by hour or day.

Orders that do not count never enter; the rules for single lines are in ``order_lines``.
"""

from __future__ import annotations

import polars as pl

from sitoo_pipeline.tables import core, marts
from sitoo_pipeline.transforms.frames import first_by_order, fit, sums
from sitoo_pipeline.transforms.visitors import visitors_by_row

READS = {
    core.ORDERS: (
        "order_id",
        "business_date",
        "hour_start",
        "local_hour",
        "store_id",
        "store_name",
        "channel",
        "register_id",
        "currency",
        "counts",
        "money_total_gross_roundoff",
    ),
    core.ORDER_LINES: (
        "order_id",
        "side",
        "is_gift_card",
        "goods",
        "discount_gross",
        "money_item_total_net",
        "money_item_total_gross",
    ),
}
"""The columns that are needed of orders and lines: few of many, and there are millions of rows."""

_STORE_DAY = ["store_id", "business_date"]
_DAY = ["store_id", "channel", "currency", "business_date"]
_HOUR = [*_DAY, "hour_start"]
_MEASURES = [
    "gross_sales",
    "net_sales",
    "discounts",
    "returns",
    "returns_net",
    "gift_card_sales",
    "roundoff",
    "transactions",
    "return_transactions",
    "goods_sold",
    "goods_returned",
]


def hourly_sales(
    *,
    account: str,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    visitors: pl.DataFrame | None = None,
    stores: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """``marts.hourly_sales``: a row for each hour with an order that counts, also one whose lines count nowhere.

    The hour is an instant, so the doubled autumn hour is two rows. Gift cards are a debt and enter only
    ``gift_card_sales`` and the numbers of transactions. A name or a local hour never splits a row: a store has one name
    on a date and a row one local hour, those of the lowest order id that has one.

    Visitors stand in one row of channel ``pos`` of their store and hour, and an hour in which somebody came and nobody
    bought has a row too. They are null where nobody counted.

    Args:
        account: name of the account, the first column.
        orders: ``core.orders`` of whole business dates.
        lines: ``core.order_lines`` of these orders.
        visitors: ``core.visitors`` of these dates; None where the account has no source of them.
        stores: ``core.stores``, needed for visitors.
    """
    counting = orders.filter("counts")
    with_totals = _with_totals(counting, lines)
    names = counting.group_by(_STORE_DAY).agg(first_by_order("store_name"))
    hours = with_totals.group_by(_HOUR).agg(*sums(*_MEASURES), first_by_order("local_hour"))
    named = hours.join(names, on=_STORE_DAY, how="left").with_columns(account=pl.lit(account))
    if visitors is None or stores is None:
        named = named.with_columns(visitors=None)
    else:
        came = visitors_by_row(visitors, sold=hours, stores=stores, period="hour").rename({"starts_at": "hour_start"})
        named = _with_visitors(named, came, on=_HOUR, account=account, stores=stores)
    return fit(named.with_columns(vat=pl.col("gross_sales") - pl.col("net_sales")), marts.HOURLY_SALES)


def daily_sales(
    hourly: pl.DataFrame, *, account: str = "", visitors: pl.DataFrame | None = None, stores: pl.DataFrame | None = None
) -> pl.DataFrame:
    """``marts.daily_sales``: ``marts.hourly_sales`` summed over its hours; visitors stay null where nobody counted.

    Visitors that were counted for a whole day are in no hour, and stand here: a day is more than the sum of its hours
    there, also a row more where nobody bought.

    Args:
        hourly: ``marts.hourly_sales``.
        account: name of the account; as the next two, needed for visitors.
        visitors: ``core.visitors`` of the same dates.
        stores: ``core.stores``.
    """
    key = list(marts.DAILY_SALES.key)
    counted = pl.when(pl.col("visitors").is_not_null().any()).then(pl.col("visitors").cast(pl.Int64).sum())
    name = pl.col("store_name").sort_by("hour_start").first()
    days = hourly.group_by(key).agg(*sums("vat", *_MEASURES), name, counted)
    if visitors is not None and stores is not None:
        came = visitors_by_row(visitors, sold=days, stores=stores, period="day").drop("starts_at", "local_hour")
        whole = days.rename({"visitors": "_in_hours"})
        days = _with_visitors(whole, came, on=_DAY, account=account, stores=stores)
        days = days.with_columns(visitors=pl.coalesce("visitors", "_in_hours"))
    return fit(days, marts.DAILY_SALES)


def _with_visitors(
    rows: pl.DataFrame, came: pl.DataFrame, *, on: list[str], account: str, stores: pl.DataFrame
) -> pl.DataFrame:
    """``rows`` with ``visitors``, and a row of zeros for those who came where there is none; not for nobody."""
    listed = stores.drop_nulls("store_id").sort("sitoo_store_id").unique("store_id", keep="first", maintain_order=True)
    joined = rows.join(came, on=on, how="full", coalesce=True, suffix="_counted")
    joined = joined.filter(pl.col("account").is_not_null() | (pl.col("visitors") > 0))
    joined = joined.join(listed.select("store_id", _listed="name"), on="store_id", how="left")
    hour = ["local_hour", "local_hour_counted"]
    return joined.with_columns(
        pl.selectors.by_name("vat", *_MEASURES, require_all=False).fill_null(0),
        *([pl.coalesce(hour).alias("local_hour")] if hour[1] in joined.columns else []),
        account=pl.lit(account),
        store_name=pl.coalesce("store_name", "_listed"),
    )


def register_sales(*, account: str, orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """``marts.register_sales``: a row for each register and date with an order that counts. Args as ``hourly_sales``.

    Orders that no register sold are in no row. A register that sold for two stores on a date has a row of each.
    """
    sold = _with_totals(orders.filter(pl.col("counts") & pl.col("register_id").is_not_null()), lines)
    days = sold.group_by("store_id", "register_id", "currency", "business_date").agg(sums(*_MEASURES))
    return fit(
        days.with_columns(account=pl.lit(account), vat=pl.col("gross_sales") - pl.col("net_sales")),
        marts.REGISTER_SALES,
    )


def _with_totals(counting: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The orders, each with its share of every measure; 0 where it has no line."""
    return counting.join(_order_totals(lines), on="order_id", how="left").with_columns(
        pl.selectors.by_name(_MEASURES, require_all=False).fill_null(0),
        roundoff=pl.col("money_total_gross_roundoff").fill_null(0),
    )


def _order_totals(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per order: its share of each measure. Order lines come in the millions, so they are added up once."""
    sale, back, gift = pl.col("side") == "sale", pl.col("side") == "return", pl.col("is_gift_card")
    gross, net = pl.col("money_item_total_gross"), pl.col("money_item_total_net").fill_null(0)

    def where(condition: pl.Expr, value: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(value).otherwise(0)

    shares = lines.filter(pl.col("side").is_not_null()).select(
        "order_id",
        sale.alias("transactions"),
        back.alias("return_transactions"),
        gross_sales=where(sale & ~gift, gross),
        net_sales=where(sale & ~gift, net),
        discounts=where(sale & ~gift, pl.col("discount_gross")),
        returns=where(back & ~gift, -gross),
        returns_net=where(back & ~gift, -net),
        gift_card_sales=where(gift, gross),
        goods_sold=where(sale & ~gift, pl.col("goods")),
        goods_returned=where(back & ~gift, pl.col("goods")),
    )
    amounts = [name for name in shares.columns if name not in {"order_id", "transactions", "return_transactions"}]
    return shares.group_by("order_id").agg(
        *sums(*amounts), pl.col("transactions", "return_transactions").any().cast(pl.Int64)
    )
