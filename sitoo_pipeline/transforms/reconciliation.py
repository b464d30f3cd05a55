"""The tills' own totals against the orders of the same register and period.

Which orders a z-report covers is found once, and gives both ``marts.z_report_reconciliation`` and the orders behind it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from sitoo_pipeline.tables import core, marts
from sitoo_pipeline.transforms.frames import first_by_order, fit, sums
from sitoo_pipeline.transforms.places import Places
from sitoo_pipeline.transforms.z_periods import periods
from sitoo_pipeline.transforms.z_report_orders import z_report_orders

Z_FIGURES = {
    "gross_sales": "money_sales_total",
    "net_sales": "money_sales_total_net",
    "goods_sold": "num_sales_items",
    "returns": "money_refund_total",
    "goods_returned": "num_refund_items",
    "discounts": "money_discount",
    "roundoff": "money_roundoff",
    "numsales": "num_sales",
    "numrefund": "num_refund",
}
"""Measure of ours to column of ``core.z_reports``."""

READS = {
    core.Z_REPORTS: (
        "register_id",
        "z_report_id",
        "business_date",
        "store_id",
        "opened_at",
        "closed_at",
        "currency",
        *Z_FIGURES.values(),
    ),
    core.ORDERS: (
        "order_id",
        "receipt_id",
        "ordered_at",
        "register_id",
        "store_id",
        "business_date",
        "currency",
        "counts",
        "money_total_gross_roundoff",
    ),
    core.ORDER_LINES: ("order_id", "side", "goods", "discount_gross", "money_item_total_net", "money_item_total_gross"),
}
"""The columns that are needed of each table; of the z-reports every date is read."""

_OURS = [f"ours_{measure}" for measure in marts.RECONCILED]
_REPORT = ["register_id", "z_report_id"]


@dataclass(frozen=True)
class Reconciliation:
    """The rows of the two marts of these names."""

    z_report_reconciliation: pl.DataFrame
    z_report_orders: pl.DataFrame


def reconcile(
    *,
    account: str,
    z_reports: pl.DataFrame,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    dates: Collection[date],
    loaded_dates: Collection[date],
    start_date: date,
    places: Places,
) -> Reconciliation:
    """The z-reports closed on ``dates`` against their orders, and these dates' orders that no z-report covers.

    An order is covered by each z-report of its register and its currency whose period it falls into (two periods that
    overlap both count it); its figures are those of ``hourly_sales``, but with gift cards in sales, returns and goods.
    What no z-report covers is one row per register, business date and currency, with the store of the lowest order id
    and the status ``missing_z_report``: orders in a currency that the register's z-reports are not in are such orders.
    A figure that a z-report does not give is 0. ``partly_loaded`` comes before the other two statuses of a z-report,
    and its differences are shown as they are.

    Behind each row stand its orders, with figures that add up to ``ours_*``; they bear the row's store and date, which
    can differ from the order's own. A z-report that covers nothing stands there once, without an order.

    Args:
        account: name of the account, the first column.
        z_reports: those of ``core.z_reports`` whose period can touch ``dates``, and the ones before them.
        orders: ``core.orders`` of every loaded date that these periods touch.
        lines: ``core.order_lines`` of these orders.
        dates: the business dates whose rows are wanted.
        loaded_dates: the business dates of which orders are loaded.
        start_date: the account's first business date.
        places: the account's stores and zones.
    """
    sold = _register_orders(orders, lines)
    known = periods(z_reports, places=places, start_date=start_date)
    covered = _covered(sold, known)
    ours = covered.group_by(_REPORT).agg(sums(*_OURS))
    partly = known.select(*_REPORT, "last_date", day=pl.date_ranges("first_date", "last_date")).explode("day")
    partly = partly.filter(~pl.col("day").is_in(sorted(loaded_dates))).select(_REPORT).unique()
    reports = (
        known.filter(pl.col("business_date").is_in(sorted(dates)))
        .join(ours, on=_REPORT, how="left")
        .join(partly.with_columns(is_partly=True), on=_REPORT, how="left")
        .with_columns(pl.col(_OURS).fill_null(0))
        .with_columns(pl.col(figure).fill_null(0).alias(f"z_{measure}") for measure, figure in Z_FIGURES.items())
        .with_columns(
            (pl.col(f"z_{measure}") - pl.col(f"ours_{measure}")).alias(f"diff_{measure}") for measure in Z_FIGURES
        )
        .with_columns(status=_status())
    )
    uncovered = sold.filter(pl.col("business_date").is_in(sorted(dates))).join(covered, on="order_id", how="anti")
    missing = uncovered.group_by("register_id", "business_date", "currency").agg(
        *sums(*_OURS), first_by_order("store_id"), status=pl.lit("missing_z_report")
    )
    rows = pl.concat([_typed(reports), _typed(missing)]).with_columns(account=pl.lit(account))
    reconciled = fit(rows, marts.Z_REPORT_RECONCILIATION)
    return Reconciliation(reconciled, z_report_orders(reconciled, covered=covered, uncovered=uncovered))


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns of the table but ``account``, in its types; columns that ``rows`` has not are null."""
    schema = marts.Z_REPORT_RECONCILIATION.polars_schema
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema.items()
        if name != "account"
    )


def _status() -> pl.Expr:
    balanced = pl.all_horizontal(pl.col(f"diff_{measure}") == 0 for measure in Z_FIGURES)
    return (
        pl.when("is_partly")
        .then(pl.lit("partly_loaded"))
        .when(balanced)
        .then(pl.lit("balanced"))
        .otherwise(pl.lit("unbalanced"))
    )


def _register_orders(orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per order that counts and was sold on a register, with its share of each measure."""
    sale, back = pl.col("side") == "sale", pl.col("side") == "return"
    gross, net = pl.col("money_item_total_gross"), pl.col("money_item_total_net").fill_null(0)
    selling = orders.filter("counts", pl.col("register_id").is_not_null())
    shares = (
        lines.filter(pl.col("side").is_not_null())
        .join(selling, on="order_id", how="semi")
        .select(
            "order_id",
            ours_gross_sales=pl.when(sale).then(gross).otherwise(0),
            ours_net_sales=pl.when(sale).then(net).otherwise(0),
            ours_goods_sold=pl.when(sale).then("goods").otherwise(0),
            ours_returns=pl.when(back).then(-gross).otherwise(0),
            ours_goods_returned=pl.when(back).then("goods").otherwise(0),
            ours_discounts="discount_gross",
            ours_numsales=sale,
            ours_numrefund=back,
        )
    )
    amounts = [name for name in _OURS if name not in {"ours_roundoff", "ours_numsales", "ours_numrefund"}]
    totals = shares.group_by("order_id").agg(
        *sums(*amounts), pl.col("ours_numsales", "ours_numrefund").any().cast(pl.Int64)
    )
    keys = ["order_id", "receipt_id", "ordered_at", "register_id", "store_id", "business_date", "currency"]
    return (
        selling.select(*keys, ours_roundoff="money_total_gross_roundoff")
        .join(totals, on="order_id", how="left")
        .with_columns(pl.col(_OURS).fill_null(0))
    )


def _covered(sold: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The orders with the id of each z-report that covers them.

    Joined by UTC date first: a join by register alone would meet every order with every z-report of the register.
    """
    opening, closing = pl.col("covers_after").dt.date(), pl.col("closed_at").dt.date()
    days = known.filter(pl.col("covers_after") < pl.col("closed_at")).select(
        *_REPORT, "currency", "covers_after", "closed_at", utc_date=pl.date_ranges(opening, closing)
    )
    return (
        sold.with_columns(utc_date=pl.col("ordered_at").dt.date())
        .join(days.explode("utc_date"), on=["register_id", "currency", "utc_date"], how="inner")
        .filter(pl.col("ordered_at") > pl.col("covers_after"), pl.col("ordered_at") <= pl.col("closed_at"))
    )
