"""``marts.z_report_orders``: the orders behind each row of ``marts.z_report_reconciliation``.

Which orders these are is decided in ``reconciliation``.
"""

from __future__ import annotations

import polars as pl

from sitoo_pipeline.tables import marts
from sitoo_pipeline.transforms.frames import fit

_OF_THE_ROW = [name for name in marts.Z_REPORT_ORDERS.names if name in marts.Z_REPORT_RECONCILIATION.names]
_OF_THE_ORDER = ["order_id", "receipt_id", "ordered_at"]
_SHARES = [f"order_{measure}" for measure in marts.RECONCILED]
_REPORT = ["register_id", "z_report_id"]
_WITHOUT_REPORT = ["register_id", "business_date", "currency"]


def z_report_orders(reconciled: pl.DataFrame, *, covered: pl.DataFrame, uncovered: pl.DataFrame) -> pl.DataFrame:
    """``marts.z_report_orders`` for the rows of ``reconciled``.

    Args:
        reconciled: rows of ``marts.z_report_reconciliation``.
        covered: orders with their figures (``ours_*``) and the z-report that covers them; a row for each such z-report.
        uncovered: the orders that no z-report covers, of the business dates of ``reconciled``.
    """
    rows = reconciled.select(_OF_THE_ROW)
    has_report = pl.col("z_report_id").is_not_null()
    of_reports = rows.filter(has_report).join(_shares(covered, _REPORT), on=_REPORT, how="left")
    of_none = rows.filter(~has_report).join(_shares(uncovered, _WITHOUT_REPORT), on=_WITHOUT_REPORT, how="inner")
    both = pl.concat([of_reports, of_none.select(of_reports.columns)])
    return fit(both.with_columns(pl.col(_SHARES).fill_null(0)), marts.Z_REPORT_ORDERS)


def _shares(orders: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The orders with what joins them to a row, and their figures under the names that they have here."""
    return orders.select(
        *keys, *_OF_THE_ORDER, *(pl.col(f"ours_{measure}").alias(f"order_{measure}") for measure in marts.RECONCILED)
    )
