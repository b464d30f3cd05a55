"""What holds for any z-reports: which dates they change, and that no order of a register is left out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests.transforms.strategies import PLACES, QUICK, lines_of, order_lines, orders, z_reports


@QUICK
@given(orders(), order_lines(), z_reports(), st.dates(date(2026, 10, 24), date(2026, 10, 28)))
def test_only_affected_dates_change_when_a_date_is_loaded(
    heads: pl.DataFrame, rows: list[dict[str, Any]], reports: pl.DataFrame, day: date
) -> None:
    lines, start = lines_of(rows), date(2026, 10, 23)
    days = {start + timedelta(days=n) for n in range(7)}
    is_late = pl.col("business_date") == day

    def reconciled(loaded: set[date], orders: pl.DataFrame, closed: pl.DataFrame) -> transforms.Reconciliation:
        return transforms.reconcile(
            account="a",
            z_reports=closed,
            orders=orders,
            lines=lines,
            dates=days,
            loaded_dates=loaded,
            start_date=start,
            places=PLACES,
        )

    before = reconciled(days - {day}, heads.filter(~is_late), reports.filter(~is_late))
    after = reconciled(days, heads, reports)
    affected = transforms.affected_dates(z_reports=reports, dates={day}, places=PLACES, start_date=start)
    for other in days - affected:
        there = pl.col("business_date") == other
        for table in ("z_report_reconciliation", "z_report_orders"):
            assert getattr(before, table).filter(there).equals(getattr(after, table).filter(there)), (table, other)


@QUICK
@given(orders(), order_lines(), z_reports())
def test_every_order_of_a_register_is_reconciled(
    heads: pl.DataFrame, rows: list[dict[str, Any]], reports: pl.DataFrame
) -> None:
    days = set(heads["business_date"]) | set(reports["business_date"])
    both = transforms.reconcile(
        account="a",
        z_reports=reports,
        orders=heads,
        lines=lines_of(rows),
        dates=days,
        loaded_dates=days,
        start_date=min(days),
        places=PLACES,
    )
    made, behind = both.z_report_reconciliation, both.z_report_orders
    assert made.filter(pl.col("z_report_id").is_not_null()).height == reports.height
    numbers = made.filter(pl.col("z_report_id").is_null()).select("register_id", "business_date", "currency")
    assert numbers.unique().height == numbers.height
    at_registers = heads.filter("counts", pl.col("register_id").is_not_null())
    if reports.height == 1:  # several may overlap, and then count an order twice
        assert made["ours_roundoff"].sum() == at_registers["money_total_gross_roundoff"].sum()
    assert set(behind["order_id"]) - {None} == set(at_registers["order_id"])
    for frame, table in ((made, marts.Z_REPORT_RECONCILIATION), (behind, marts.Z_REPORT_ORDERS)):
        assert frame.select(table.key).unique().height == frame.height
    of_row = [*marts.Z_REPORT_RECONCILIATION.key, "store_id", "status"]
    added_up = behind.group_by(of_row).agg(pl.col(f"order_{m}").sum().alias(f"ours_{m}") for m in marts.RECONCILED)
    ours = [f"ours_{measure}" for measure in marts.RECONCILED]
    assert_frame_equal(
        added_up.select(*of_row, *ours), made.select(*of_row, *ours), check_row_order=False, check_dtypes=False
    )
