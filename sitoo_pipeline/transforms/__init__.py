"""Frame in, frame out: from Sitoo's objects to ``core``, from ``core`` to ``marts``.

Pure functions in Polars: no files, no database, no clock; the same input gives the same output, whatever the order of
its rows. Every output has exactly the columns, order and types of its table, sorted by the table's key.
"""

from sitoo_pipeline.transforms.changes import moved_figures, moved_orders
from sitoo_pipeline.transforms.order_lines import order_lines
from sitoo_pipeline.transforms.orders import orders
from sitoo_pipeline.transforms.places import (
    Places,
    date_in_zone,
    is_time_zone,
    place_movements,
    place_orders,
    place_z_reports,
)
from sitoo_pipeline.transforms.reconciliation import Reconciliation, reconcile
from sitoo_pipeline.transforms.reference import products, registers, stores, warehouses
from sitoo_pipeline.transforms.sales import daily_sales, hourly_sales, register_sales
from sitoo_pipeline.transforms.stock import stock_movements, stock_movements_daily
from sitoo_pipeline.transforms.stock_reconciliation import nearby_dates, stock_days, stock_reconciliation
from sitoo_pipeline.transforms.visitor_counts import believed, counts_of_file, counts_of_metric
from sitoo_pipeline.transforms.visitors import visitors
from sitoo_pipeline.transforms.weekly_balance import weekly_balance_hourly
from sitoo_pipeline.transforms.z_periods import affected_dates

__all__ = [
    "Places",
    "Reconciliation",
    "affected_dates",
    "believed",
    "counts_of_file",
    "counts_of_metric",
    "daily_sales",
    "date_in_zone",
    "hourly_sales",
    "is_time_zone",
    "moved_figures",
    "moved_orders",
    "nearby_dates",
    "order_lines",
    "orders",
    "place_movements",
    "place_orders",
    "place_z_reports",
    "products",
    "reconcile",
    "register_sales",
    "registers",
    "stock_days",
    "stock_movements",
    "stock_movements_daily",
    "stock_reconciliation",
    "stores",
    "visitors",
    "warehouses",
    "weekly_balance_hourly",
]
