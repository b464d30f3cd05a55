"""What is checked of the reconciliation: whether z-reports balance, and whether the orders behind them add up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import dagster as dg

from sitoo_pipeline.assets.check import Check, Rows
from sitoo_pipeline.tables import marts

_WITHOUT_Z_REPORT = "sales without a z-report"
_MONEY = ", ".join(f"'{measure}'" for measure in marts.RECONCILED_MONEY)
_OURS = ", ".join(f"ours_{measure}" for measure in marts.RECONCILED)
_ORDERS = ", ".join(f"coalesce(sum(order_{measure}), 0) AS ours_{measure}" for measure in marts.RECONCILED)


def _in_words(rows: Rows) -> list[str]:
    """A line for each z-report, with all of its measures that differ; with the date where there are several."""
    has_many = len({row["business_date"] for row in rows}) > 1
    reports = groupby(rows, key=itemgetter("business_date", "store_id", "register_id", "z_report_id"))
    return [
        f"{f'{day}, ' if has_many else ''}store {store}, register {register}"
        f"{'' if number is None else f', z-report {number}'}: {', '.join(map(_difference, of_report))}"
        for (day, store, register, number), of_report in reports
    ]


def _difference(row: Mapping[str, Any]) -> str:
    measure, difference = row["measure"], row["difference"]
    is_count = measure in marts.RECONCILED_COUNTS
    return f"{measure} {difference:.0f}" if is_count else f"{measure} {difference} {row['currency']}"


_BALANCE = Check(
    "z_reports_balance",
    marts.Z_REPORT_RECONCILIATION,
    "every z-report equals the orders of its register and period",
    f"""
    SELECT business_date, store_id, register_id, z_report_id, measure, difference, currency,
        measure IN ({_MONEY}) AND coalesce(abs(difference) > {{hold_back_above}}, false) AS holds_back
    FROM (
        SELECT * REPLACE (substr(measure, 6) AS measure) FROM (
            UNPIVOT (
                SELECT business_date, store_id, register_id, z_report_id, currency,
                    COLUMNS('diff_.*')::DECIMAL(18,2)
                FROM marts.z_report_reconciliation WHERE business_date IN ({{dates}}) AND status = 'unbalanced'
            ) ON COLUMNS('diff_.*') INTO NAME measure VALUE difference
        )
    ) WHERE difference != 0
    UNION ALL
    SELECT business_date, store_id, register_id, z_report_id, '{_WITHOUT_Z_REPORT}', ours_gross_sales, currency, false
    FROM marts.z_report_reconciliation WHERE business_date IN ({{dates}}) AND status = 'missing_z_report'
    ORDER BY ALL
    """,
    severity=dg.AssetCheckSeverity.WARN,
    error_if="holds_back",
    in_words=_in_words,
    remedy="Look for orders or z-reports that have not reached Sitoo yet (a till was offline) and load the date again; "
    "marts.z_report_orders has the orders behind each z-report. Where holds_back is true, the store is left out of "
    "the date's weekly balance until the difference is gone.",
)

_ORDERS_ADD_UP = Check(
    "adds_up_to_reconciliation",
    marts.Z_REPORT_ORDERS,
    "the orders behind each row of z_report_reconciliation add up to its figures",
    f"""
    WITH rows AS (
        SELECT register_id, z_report_id, business_date, currency, store_id, status, {_OURS}
        FROM marts.z_report_reconciliation WHERE business_date IN ({{dates}})
    ), orders AS (
        SELECT register_id, z_report_id, business_date, currency, store_id, status, {_ORDERS}
        FROM marts.z_report_orders WHERE business_date IN ({{dates}}) GROUP BY ALL
    )
    SELECT 'z_report_reconciliation' AS only_in, * FROM (FROM rows EXCEPT FROM orders)
    UNION ALL
    SELECT 'z_report_orders', * FROM (FROM orders EXCEPT FROM rows)
    ORDER BY ALL
    """,
    blocking=True,
    remedy="Materialize marts.z_report_reconciliation and marts.z_report_orders of the date again.",
)

RECONCILIATION_CHECKS = (_BALANCE, _ORDERS_ADD_UP)
