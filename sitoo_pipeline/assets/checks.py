"""Asset checks: the queries of ``check_queries`` as checks in Dagster.

A check says what it expects, what it found, up to twenty examples, and the query that shows them all. A check that
blocks keeps later assets from being made on a wrong table; z-reports that do not balance block nothing.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sitoo_pipeline.assets.check import Check
from sitoo_pipeline.assets.check_history import log_results_of_dates, newest_of
from sitoo_pipeline.assets.check_queries import CHECKS, VISITOR_CHECKS
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import key
from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.keys import all_differ

EXAMPLES = 20


def query(check: Check, dates: Iterable[date], *, hold_back_above: Decimal | None = None) -> str:
    """The query as it can be run by hand."""
    listed = ", ".join(f"DATE '{day}'" for day in sorted(dates)) or "NULL"
    above = "NULL" if hold_back_above is None else f"{hold_back_above:f}"
    return " ".join(check.sql.replace("{dates}", listed).replace("{hold_back_above}", above).split())


def exceptions(
    con: duckdb.DuckDBPyConnection, check: Check, dates: Iterable[date], *, hold_back_above: Decimal | None
) -> pl.DataFrame:
    """The rows that must not be."""
    if check.unique and all_differ(con, check.table, check.unique):
        return pl.DataFrame()
    return con.sql(query(check, dates, hold_back_above=hold_back_above)).pl()


def asset_checks(
    runtime: Runtime, table: Table, partitions_def: dg.PartitionsDefinition[str]
) -> list[dg.AssetChecksDefinition]:
    """The checks of one table, in one step."""
    known = (*CHECKS, *VISITOR_CHECKS) if runtime.account.visitors else CHECKS
    checks = [check for check in known if check.table is table]
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
        above = runtime.account.targets.weekly_balance.hold_back_above
        dates = [date.fromisoformat(day) for day in context.partition_keys] if is_dated else []
        of_each = any(check.is_dated for check in checks) and len(dates) > 1
        looked_at = newest_of(context.instance, asset, dates) if of_each else {}
        with runtime.warehouse.connect() as con:
            for check in checks:
                found = exceptions(con, check, dates, hold_back_above=above)
                if check.is_dated and len(dates) > 1:
                    # Dagster files the result of a range run under no date; so that each date has its own, say it here.
                    results = {
                        day: _result(
                            check,
                            asset,
                            found.filter(pl.col("business_date") == day),
                            query(check, [day], hold_back_above=above),
                        )
                        for day in dates
                    }
                    log_results_of_dates(context, results, looked_at=looked_at, is_blocking=check.blocking)
                yield _result(check, asset, found, query(check, dates, hold_back_above=above))

    return [run_checks]


def _result(check: Check, asset: dg.AssetKey, found: pl.DataFrame, sql: str) -> dg.AssetCheckResult:
    number, told = _exceptions(check, found)
    actual = "as expected" if found.is_empty() else number
    is_error = check.error_if is not None and bool(found[check.error_if].any())
    metadata: dict[str, Any] = {"expected": check.expected, "actual": actual, "query": sql}
    if not found.is_empty():
        shown = found if check.error_if is None or is_error else found.drop(check.error_if)
        metadata |= {"examples": examples(shown), "what_to_do": check.remedy}
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=asset,
        passed=found.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR if is_error else check.severity,
        metadata=metadata,
        # The UI shows it above everything else, as Markdown.
        description=actual if found.is_empty() else f"{actual}. {check.remedy}\n\n{_listed(told)}".strip(),
    )


def _exceptions(check: Check, found: pl.DataFrame) -> tuple[str, list[str]]:
    """How many rows must not be, and the first of them in words."""
    number = f"{found.height} exception{'s' if found.height > 1 else ''}"
    if found.is_empty() or not check.in_words:
        return number, []
    told = check.in_words(found.head(EXAMPLES).to_dicts())
    return number, [*told, "and more"] if found.height > EXAMPLES else told


def _listed(told: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in told)


def examples(found: pl.DataFrame) -> dg.TableMetadataValue:
    """Up to twenty of the rows, as a table of texts (money keeps its two decimals so)."""
    rows = [
        dg.TableRecord({name: "" if value is None else str(value) for name, value in row.items()})
        for row in found.head(EXAMPLES).iter_rows(named=True)
    ]
    columns = [dg.TableColumn(name=name) for name in found.columns]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns=columns))
