"""Asset checks: few per table, each a query that finds what must not be.

A check says what it expects, what it found, up to twenty examples, and the query that shows them all. A check that
blocks keeps later assets from being made on a wrong table; the reconciliation warns and blocks nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sitoo_pipeline.assets.check_history import log_result_of_date
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import key
from sitoo_pipeline.tables import Table, core, marts, meta, raw

EXAMPLES = 20


@dataclass(frozen=True)
class Check:
    """A query that returns the rows which must not be; ``{dates}`` in it is replaced by the dates of the run."""

    name: str
    table: Table
    expected: str
    sql: str
    blocking: bool = False
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    remedy: str = ""

    @property
    def is_dated(self) -> bool:
        """Whether it looks at single dates; the others look at the whole table."""
        return "{dates}" in self.sql


def _keys(table: Table) -> Check:
    names = ", ".join(table.key)
    return Check(
        "unique_key",
        table,
        f"{names} occurs once",
        f"SELECT {names}, count(*) AS rows FROM {table.qualified} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL",
        blocking=True,
        remedy="Materialize the dates again; if it stays, the source sent the same object twice.",
    )


def _shape(table: Table) -> Check:
    declared = ", ".join(f"('{column.name}', {number})" for number, column in enumerate(table.all_columns))
    return Check(
        "shape",
        table,
        "the columns are those declared, in their order",
        f"SELECT coalesce(d.name, t.column_name) AS column_name, d.number AS declared, t.column_index AS found "
        f"FROM (VALUES {declared}) AS d(name, number) FULL JOIN (SELECT column_name, column_index - 1 AS column_index "
        f"FROM duckdb_columns() WHERE schema_name = '{table.layer}' AND table_name = '{table.name}') AS t "
        "ON t.column_name = d.name WHERE d.number IS DISTINCT FROM t.column_index ORDER BY ALL",
        blocking=True,
        remedy="The file was made by another version of the pipeline: move it away and load the dates again.",
    )


_ADDS_UP = Check(
    "adds_up_to_order_lines",
    marts.HOURLY_SALES,
    "sales and returns of the day are the sums of its order lines, gift cards apart",
    """
    WITH ours AS (
        SELECT business_date, currency, sum(gross_sales) AS gross_sales, sum(returns) AS returns,
            sum(gift_card_sales) AS gift_cards
        FROM marts.hourly_sales WHERE business_date IN ({dates}) GROUP BY ALL
    ), lines AS (
        SELECT o.business_date, o.currency,
            coalesce(sum(l.money_item_total_gross) FILTER (l.side = 'sale' AND NOT l.is_gift_card), 0) AS gross_sales,
            -coalesce(sum(l.money_item_total_gross) FILTER (l.side = 'return' AND NOT l.is_gift_card), 0) AS returns,
            coalesce(sum(l.money_item_total_gross) FILTER (l.side IS NOT NULL AND l.is_gift_card), 0) AS gift_cards
        FROM core.orders AS o LEFT JOIN core.order_lines AS l USING (order_id)
        WHERE o.counts AND o.business_date IN ({dates}) GROUP BY ALL
    )
    SELECT business_date, currency, ours.*, lines.* FROM ours FULL JOIN lines USING (business_date, currency)
    WHERE (ours.gross_sales, ours.returns, ours.gift_cards)
        IS DISTINCT FROM (lines.gross_sales, lines.returns, lines.gift_cards)
    ORDER BY ALL
    """,
    blocking=True,
    remedy="Materialize core.orders and marts.hourly_sales of the date again.",
)

_HOURS_ADD_UP = Check(
    "adds_up_to_hours",
    marts.DAILY_SALES,
    "the day is the sum of its hours",
    """
    SELECT business_date, store_id, channel, currency, d.gross_sales, h.gross_sales AS of_hours
    FROM (FROM marts.daily_sales WHERE business_date IN ({dates})) AS d
    FULL JOIN (
        SELECT business_date, store_id, channel, currency, sum(gross_sales) AS gross_sales,
            sum(transactions) AS transactions
        FROM marts.hourly_sales WHERE business_date IN ({dates}) GROUP BY ALL
    ) AS h USING (business_date, store_id, channel, currency)
    WHERE (d.gross_sales, d.transactions) IS DISTINCT FROM (h.gross_sales, h.transactions) ORDER BY ALL
    """,
    remedy="Materialize marts.daily_sales of the date again.",
)

_ALL_HOURS = Check(
    "all_hours_present",
    marts.WEEKLY_BALANCE_HOURLY,
    "every store has the hours 0 to 23",
    "SELECT business_date, store_id, currency, count(DISTINCT hour) AS hours FROM marts.weekly_balance_hourly "
    "WHERE business_date IN ({dates}) GROUP BY ALL HAVING count(DISTINCT hour) != 24 ORDER BY ALL",
    blocking=True,
    remedy="Materialize marts.weekly_balance_hourly of the date again.",
)

_RECONCILED = Check(
    "z_reports_balance",
    marts.Z_REPORT_RECONCILIATION,
    "every z-report equals the orders of its register and period",
    """
    SELECT business_date, store_id, register_id, z_report_id, currency, status, measure, difference
    FROM (
        UNPIVOT (
            SELECT business_date, store_id, register_id, z_report_id, currency, status,
                COLUMNS('diff_.*')::DECIMAL(18,2)
            FROM marts.z_report_reconciliation WHERE business_date IN ({dates}) AND status = 'unbalanced'
        ) ON COLUMNS('diff_.*') INTO NAME measure VALUE difference
    ) WHERE difference != 0
    UNION ALL
    SELECT business_date, store_id, register_id, z_report_id, currency, status, 'sales without a z-report',
        ours_gross_sales
    FROM marts.z_report_reconciliation WHERE business_date IN ({dates}) AND status = 'missing_z_report'
    ORDER BY ALL
    """,
    severity=dg.AssetCheckSeverity.WARN,
    remedy="Look for orders or z-reports that have not reached Sitoo yet (a till was offline); load the date again.",
)

_QUARANTINE = tuple(
    Check(
        "nothing_refused",
        table,
        "no object broke a rule",
        f"SELECT business_date, rule, path, object_key, _landing_file FROM {meta.QUARANTINE.qualified} "
        f"WHERE table_name = '{table.qualified}' AND business_date IN ({{dates}}) ORDER BY ALL",
        severity=dg.AssetCheckSeverity.WARN,
        remedy="Correct the object in Sitoo and materialize the date again; meta.quarantine has what was sent.",
    )
    for table in raw.DATED
)

_KEYED = (core.ORDERS, core.ORDER_LINES, core.Z_REPORTS, core.STOCK_MOVEMENTS, *marts.TABLES)
CHECKS: tuple[Check, ...] = (
    *_QUARANTINE,
    *(_keys(table) for table in _KEYED),
    *(_shape(table) for table in _KEYED),
    _ADDS_UP,
    _HOURS_ADD_UP,
    _ALL_HOURS,
    _RECONCILED,
)


def find(con: duckdb.DuckDBPyConnection, check: Check, dates: Iterable[date]) -> pl.DataFrame:
    """The rows that must not be."""
    return con.sql(query(check, dates)).pl()


def query(check: Check, dates: Iterable[date]) -> str:
    """The query as it can be run by hand."""
    listed = ", ".join(f"DATE '{day}'" for day in sorted(dates))
    return " ".join(check.sql.replace("{dates}", listed or "NULL").split())


def asset_checks(
    runtime: Runtime, table: Table, partitions_def: dg.PartitionsDefinition[str]
) -> list[dg.AssetChecksDefinition]:
    """The checks of one table, in one step."""
    checks = [check for check in CHECKS if check.table is table]
    if not checks:
        return []
    asset = key(runtime.account.name, table)

    @dg.multi_asset_check(
        name=f"{runtime.account.name}__{table.layer}__{table.name}__checks",
        specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=asset,
                description=f"Expected: {check.expected}.",
                blocking=check.blocking,
                partitions_def=partitions_def if check.is_dated else None,
            )
            for check in checks
        ],
    )
    def run_checks(context: dg.AssetCheckExecutionContext) -> Iterable[dg.AssetCheckResult]:
        is_dated = context.has_partition_key or context.has_partition_key_range
        dates = [date.fromisoformat(day) for day in context.partition_keys] if is_dated else []
        with runtime.warehouse.connect() as con:
            for check in checks:
                found = find(con, check, dates)
                if check.is_dated and len(dates) > 1:
                    # Dagster files the result of a range run under no date; so that each date has its own, say it here.
                    for day in dates:
                        result = _result(check, asset, found.filter(pl.col("business_date") == day), [day])
                        log_result_of_date(context, result, day, is_blocking=check.blocking)
                yield _result(check, asset, found, dates)

    return [run_checks]


def _result(check: Check, asset: dg.AssetKey, found: pl.DataFrame, dates: Sequence[date]) -> dg.AssetCheckResult:
    actual = "as expected" if found.is_empty() else f"{found.height} exceptions"
    metadata: dict[str, Any] = {"expected": check.expected, "actual": actual, "query": query(check, dates)}
    if not found.is_empty():
        metadata |= {"examples": examples(found), "what_to_do": check.remedy}
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=asset,
        passed=found.is_empty(),
        severity=check.severity,
        metadata=metadata,
        description=actual,
    )


def examples(found: pl.DataFrame) -> dg.TableMetadataValue:
    """Up to twenty of the rows, as a table of texts (money keeps its two decimals so)."""
    rows = [
        dg.TableRecord({name: "" if value is None else str(value) for name, value in row.items()})
        for row in found.head(EXAMPLES).iter_rows(named=True)
    ]
    columns = [dg.TableColumn(name=name) for name in found.columns]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns=columns))
