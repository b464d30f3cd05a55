"""``marts.stock_reconciliation``: goods sold and taken back against what the stock says, and why they differ.

The warehouses book what leaves by sales and comes back by refunds on their own, so they are a second witness beside the
tills. Orders and movements share no key that is loaded: they meet per store, date, SKU and side. A cause is therefore
what fits the difference, in a fixed order, and not a proof.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import polars as pl

from sitoo_pipeline.tables import core, marts
from sitoo_pipeline.transforms.frames import UNKNOWN, fit
from sitoo_pipeline.transforms.places import Places

DAYS_APART = 3
"""How many days before or after a sale its goods are looked for: a web order of a Friday is sent on Monday."""

SERVICE_GROUP = 20
OPEN = 0
SIDES = {"sold": "sale", "refunded": "return"}
"""The side of an order line that answers to a kind of movement."""

READS = {
    core.ORDERS: (
        "order_id",
        "business_date",
        "store_id",
        "channel",
        "warehouse_id",
        "order_state_id",
        "counts",
        "delivery_ignores_stock",
    ),
    core.ORDER_LINES: (
        "order_id",
        "business_date",
        "sku",
        "product_group_name",
        "quantity",
        "decimal_quantity_total",
        "return_warehouse_id",
        "side",
        "is_gift_card",
        "goods",
    ),
    core.STOCK_MOVEMENTS: (
        "warehouse_transaction_id",
        "business_date",
        "store_id",
        "movement",
        "sku",
        "decimal_quantity",
    ),
}
"""The columns that are needed of each dated table; it reads a week around each date."""

_KEY = ["store_id", "business_date", "sku", "side"]
_ARTICLE_DAY = ["business_date", "sku", "side"]
_SOLD = ["ours_goods", "not_stocked", "not_delivered", "sent_elsewhere"]
_DUE = ["at_once", "later", "from_elsewhere"]
_NONE = pl.lit(0, pl.Decimal(38, 3))


def nearby_dates(dates: Collection[date]) -> set[date]:
    """The dates whose rows follow from ``dates``: these, and those up to ``DAYS_APART`` days before or after them."""
    return {day + timedelta(days=apart) for day in dates for apart in range(-DAYS_APART, DAYS_APART + 1)}


def stock_days(
    *, orders: pl.DataFrame, lines: pl.DataFrame, movements: pl.DataFrame, product_groups: pl.DataFrame, places: Places
) -> pl.DataFrame:
    """What was sold, taken back and moved of each SKU, by store and date: all that a comparison needs, in few rows.

    Goods are those of the product lines of orders that count, gift cards included, in the store that sold them; weighed
    goods by weight. Stock is what moved for sales and refunds in the store whose warehouse it is. Movements of any
    other kind say nothing of sales. Each date stands by itself: frames of several may be put together.

    Args:
        orders: ``core.orders`` of whole business dates.
        lines: ``core.order_lines`` of these orders.
        movements: ``core.stock_movements`` of the same dates.
        product_groups: ``core.product_groups``.
        places: the account's stores and zones.
    """
    goods = _goods(orders, lines, product_groups, places)
    sold = goods.group_by(_KEY).agg(pl.col(*_SOLD).sum(), orders=pl.col("order_id").n_unique())
    due = goods.drop("store_id").rename({"due_in": "store_id"}).group_by(_KEY).agg(pl.col(*_DUE).sum())
    counted = [*_SOLD, *_DUE, "stock_goods", "orders", "transactions"]
    return (
        pl.concat([sold, due, _moved(movements)], how="diagonal").group_by(_KEY).agg(pl.col(counted).fill_null(0).sum())
    )


def stock_reconciliation(
    *, account: str, days: pl.DataFrame, dates: Collection[date], loaded_dates: Collection[date]
) -> pl.DataFrame:
    """``marts.stock_reconciliation`` for ``dates``: a row per store, SKU and side that was sold, taken back or moved.

    A difference is explained piece by piece, each cause taking as much as it can of what those before it left: lines
    that never move stock; open orders; another warehouse named by the order; the same SKU on a date nearby; the
    opposite difference in another store that day, each of its goods used once; more transactions than orders; a date
    nearby that is not loaded. The first that took any is the cause, but for ``unknown`` where something is left.

    Args:
        account: name of the account, the first column.
        days: ``stock_days`` of ``dates`` and of the loaded ones of ``nearby_dates``.
        dates: the business dates whose rows are wanted.
        loaded_dates: the business dates of which both orders and movements are loaded.
    """
    rows = days.with_columns(diff_goods=pl.col("stock_goods") - pl.col("ours_goods")).with_columns(
        unexplained_goods="diff_goods", cause=pl.lit(None, pl.String)
    )
    wanted = rows.filter(
        pl.col("business_date").is_in(sorted(dates)), pl.any_horizontal(pl.col("orders", "transactions") > 0)
    )
    differing = wanted.filter(pl.col("diff_goods") != 0)
    explained = _explained(differing.join(_nearby(rows), on=_KEY, how="left"), set(loaded_dates))
    left = pl.col("unexplained_goods") != 0
    named = explained.with_columns(cause=pl.when(left).then(pl.lit(UNKNOWN)).otherwise("cause"))
    both = pl.concat([wanted.filter(pl.col("diff_goods") == 0), named.select(wanted.columns)])
    return fit(both.with_columns(account=pl.lit(account)), marts.STOCK_RECONCILIATION)


def _goods(orders: pl.DataFrame, lines: pl.DataFrame, product_groups: pl.DataFrame, places: Places) -> pl.DataFrame:
    """The product lines of orders that count: where they were sold, from where they were due, and what to expect.

    ``at_once`` is handed over at a till out of its own store's stock; what is ``later`` may move on another date.
    """
    selling = orders.filter("counts").select(
        "order_id", "store_id", "channel", "warehouse_id", "order_state_id", "delivery_ignores_stock"
    )
    services = product_groups.filter(pl.col("product_group_type") == SERVICE_GROUP).get_column("name").drop_nulls()
    back = pl.when(pl.col("side") == "return").then(pl.col("return_warehouse_id").cast(pl.Int32, strict=False))
    warehouse = pl.coalesce(back, pl.col("warehouse_id"))
    store_of_it = warehouse.replace_strict(places.store_of_warehouse, default=UNKNOWN, return_dtype=pl.String)
    never_moves = (
        pl.col("is_gift_card")
        | pl.col("product_group_name").is_in(services.to_list()).fill_null(value=False)
        | pl.col("delivery_ignores_stock")
    )
    is_open = (pl.col("order_state_id") == OPEN).fill_null(value=False)
    quantity = pl.coalesce(pl.col("decimal_quantity_total"), pl.col("quantity").cast(pl.Decimal(18, 3))).abs()
    placed = (
        lines.filter(pl.col("side").is_not_null(), pl.col("goods") > 0)
        .join(selling, on="order_id", how="inner")
        .with_columns(
            sku=pl.col("sku").fill_null(""),
            ours_goods=quantity.cast(pl.Decimal(38, 3)),
            due_in=pl.when(warehouse.is_null()).then("store_id").otherwise(store_of_it),
            never=never_moves,
            is_open=is_open,
        )
    )
    moves, elsewhere = ~pl.col("never"), pl.col("due_in") != pl.col("store_id")
    at_once = moves & ~pl.col("is_open") & ~elsewhere & (pl.col("channel") == "pos")
    parts = {
        "not_stocked": ~moves,
        "not_delivered": moves & pl.col("is_open"),
        "sent_elsewhere": moves & ~pl.col("is_open") & elsewhere,
        "at_once": at_once,
        "later": moves & ~at_once,
        "from_elsewhere": moves & elsewhere,
    }
    return placed.select(
        "order_id",
        "due_in",
        *_KEY,
        "ours_goods",
        *(pl.when(is_part).then("ours_goods").otherwise(_NONE).alias(name) for name, is_part in parts.items()),
    )


def _moved(movements: pl.DataFrame) -> pl.DataFrame:
    """What left by sales and came back by refunds, as positive quantities."""
    side = pl.col("movement").replace_strict(SIDES, default=None, return_dtype=pl.String)
    quantity = pl.col("decimal_quantity").fill_null(0).cast(pl.Decimal(38, 3))
    return (
        movements.filter(pl.col("movement").is_in(list(SIDES)))
        .with_columns(side=side, sku=pl.col("sku").fill_null(""))
        .group_by(_KEY)
        .agg(
            stock_goods=pl.when(pl.col("side") == "sale").then(-quantity).otherwise(quantity).sum(),
            transactions=pl.col("warehouse_transaction_id").n_unique(),
        )
    )


def _nearby(rows: pl.DataFrame) -> pl.DataFrame:
    """For each row, how much of its SKU and side its store has on the dates nearby to make up for a difference.

    ``moved_nearby`` moved there and was not handed over at a till that day; ``due_nearby`` was sold there and may have
    moved on another date: what is later, and what a till handed over and the stock lacks.
    """
    spare, lacking = pl.col("stock_goods") - pl.col("at_once"), pl.col("at_once") - pl.col("stock_goods")
    there = rows.select(
        *_KEY,
        moved_nearby=pl.max_horizontal(spare, _NONE),
        due_nearby=pl.col("later") + pl.max_horizontal(lacking, _NONE),
    ).filter((pl.col("moved_nearby") > 0) | (pl.col("due_nearby") > 0))
    shifted = [
        there.with_columns(pl.col("business_date") + timedelta(days=apart))
        for apart in range(-DAYS_APART, DAYS_APART + 1)
        if apart
    ]
    return pl.concat(shifted).group_by(_KEY).agg(pl.col("moved_nearby", "due_nearby").sum())


def _explained(differing: pl.DataFrame, loaded: set[date]) -> pl.DataFrame:
    """The rows with what each cause leaves of their difference. Their order is the order of precedence."""
    days = differing.get_column("business_date").unique().to_list()
    ahead = [day for day in days if not {day + timedelta(days=n + 1) for n in range(DAYS_APART)} <= loaded]
    behind = [day for day in days if not {day - timedelta(days=n + 1) for n in range(DAYS_APART)} <= loaded]
    rest = pl.col("unexplained_goods")
    frame = differing.with_columns(pl.col("moved_nearby", "due_nearby").fill_null(0))
    frame = _explain(frame, "not_stocked", lack=pl.col("not_stocked"))
    frame = _explain(frame, "not_delivered", lack=pl.col("not_delivered"))
    frame = _explain(frame, "delivered_elsewhere", lack=pl.col("sent_elsewhere"), excess=pl.col("from_elsewhere"))
    frame = _explain(frame, "delivered_another_day", lack=pl.col("moved_nearby"), excess=pl.col("due_nearby"))
    opposite = _opposite(frame)
    frame = _explain(opposite, "delivered_elsewhere", lack=pl.col("opposite"), excess=pl.col("opposite"))
    repeated = (pl.col("orders") > 0) & (pl.col("transactions") > pl.col("orders"))
    frame = _explain(frame, "several_transactions", excess=pl.when(repeated).then(rest).otherwise(_NONE))
    return _explain(
        frame,
        "date_not_loaded",
        lack=pl.when(pl.col("business_date").is_in(ahead)).then("later").otherwise(_NONE),
        excess=pl.when(pl.col("business_date").is_in(behind)).then(rest).otherwise(_NONE),
    )


def _explain(frame: pl.DataFrame, cause: str, *, lack: pl.Expr = _NONE, excess: pl.Expr = _NONE) -> pl.DataFrame:
    """Let ``cause`` take up to ``lack`` of what the stock lacks, or up to ``excess`` of what it has too much of."""
    rest = pl.col("unexplained_goods")
    part = pl.when(rest < 0).then(pl.max_horizontal(rest, -lack)).otherwise(pl.min_horizontal(rest, excess))
    took = frame.with_columns(part=part)
    return took.with_columns(
        unexplained_goods=rest - pl.col("part"),
        cause=pl.coalesce("cause", pl.when(pl.col("part") != 0).then(pl.lit(cause))),
    ).drop("part")


def _opposite(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with ``opposite``: their share of what other stores lack or have too much of, in order of the stores."""
    rest = pl.col("unexplained_goods")
    side_of_zero = [*_ARTICLE_DAY, pl.col("unexplained_goods") > 0]
    lacking = pl.max_horizontal(-rest, _NONE).sum().over(_ARTICLE_DAY)
    too_much = pl.max_horizontal(rest, _NONE).sum().over(_ARTICLE_DAY)
    before = rest.abs().cum_sum().over(side_of_zero) - rest.abs()
    return frame.sort(_KEY).with_columns(
        opposite=pl.max_horizontal(pl.min_horizontal(lacking, too_much) - before, _NONE)
    )
