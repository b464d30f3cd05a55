"""The parts of the report that say whether to trust it: z-reports against orders, and what the targets have."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sitoo_pipeline.reporting import charts
from sitoo_pipeline.reporting.figures import DIFFERENCES, Figures
from sitoo_pipeline.reporting.layout import DataTable, Figure
from sitoo_pipeline.reporting.standing import DateStanding, delivered
from sitoo_pipeline.reporting.wording import NONE, money, signed, weekday, whole

_STATUSES = {
    "balanced": "var(--good)", "partly_loaded": "var(--quiet)", "missing_z_report": "var(--warn)",
    "unbalanced": "var(--bad)",
}  # fmt: skip
_STATES = {
    "delivered": "var(--good)", "held": "var(--quiet)", "retry": "var(--warn)", "unknown": "var(--warn2)",
    "pending": "var(--warn3)", "rejected": "var(--bad)",
}  # fmt: skip


def reconciliation(figures: Figures) -> Figure:
    """How many z-reports balance on each date, and by how much the others are off."""
    counted = {
        (row["business_date"], row["status"]): row["len"]
        for row in figures.z_reports.group_by("business_date", "status").len().to_dicts()
    }
    drawn, rows = [], []
    for day in figures.dates:
        numbers = [counted.get((day, status), 0) for status in _STATUSES]
        if day not in figures.loaded:
            drawn.append({"day": f"{day:%a %d %b}", "part": _said("balanced"), "value": 0})  # keeps its place free
            rows.append([weekday(day), "not loaded", *[NONE] * len(numbers)])
            continue
        drawn += [
            {"day": f"{day:%a %d %b}", "part": _said(status), "value": number}
            for status, number in zip(_STATUSES, numbers, strict=True)
        ]
        rows.append([weekday(day), *map(whole, numbers), whole(sum(numbers))])
    totals = [sum(counted.get((day, status), 0) for day in figures.dates) for status in _STATUSES]
    table = DataTable(
        "Z-reports, and registers without one, per business date.",
        ["Date", *(_said(status).capitalize() for status in _STATUSES), "All"],
        rows,
        total=["All", *map(whole, totals), whole(sum(totals))],
    )
    colours = {_said(status): colour for status, colour in _STATUSES.items()}
    bars = charts.stacked(drawn, colours, along="day", title="z-reports", by_date=True)
    label = "Bars of z-reports per date and status; the table below has the figures"
    says = (
        "Whether what the tills reported when they were closed is what their orders say. "
        "Partly loaded: the till was opened or closed on a date that is not loaded, so nothing can be said yet."
    )
    picture = charts.draw(bars, label=label) if sum(totals) else None
    return Figure("Reconciliation", says, table, picture, [_differences(figures)])


def _said(status: str) -> str:
    return status.replace("_", " ").replace("z report", "z-report")


def _differences(figures: Figures) -> DataTable:
    others = figures.z_reports.filter(pl.col("status").is_in(["unbalanced", "missing_z_report"]))
    rows = [
        [
            weekday(row["business_date"]), f"{row['store_id']} {figures.names.get(row['store_id'], '')}".strip(),
            NONE if row["z_report_id"] is None else str(row["z_report_id"]), _said(row["status"]), row["currency"],
            *(signed(row[f"diff_{measure}"], places=0 if measure == "goods_sold" else 2) for measure in DIFFERENCES),
            money(row["ours_gross_sales"]), row["register_id"],
        ]
        for row in others.sort("business_date", "store_id", "register_id", "z_report_id").to_dicts()
    ]  # fmt: skip
    titles = ["Date", "Store", "Z-report", "Status", "Currency"]
    said = (
        "Z-reports that differ from their orders, and registers whose orders have none. Amounts: z-report less orders."
    )
    return DataTable(
        said if rows else "No z-report differs from its orders, and no register lacks one.",
        [*titles, "Gross sales", "Returns", "Discounts", "Goods", "Orders' gross sales", "Register"] if rows else [],
        rows,
        titles=len(titles),
    )


def deliveries(standings: Sequence[DateStanding]) -> Figure | None:
    """What each target has of the period; None where there is no target."""
    added = delivered(standings)
    if not added:
        return None
    drawn, rows = [], []
    for target, counts in added.items():
        numbers = [counts.get(state, 0) for state in _STATES]
        drawn += [
            {"target": target, "part": state, "value": number}
            for state, number in zip(_STATES, numbers, strict=True)
            if number
        ]
        days = sum(target in one.whole for one in standings)
        rows.append([target, *map(whole, numbers), f"{days} of {len(standings)}"])
    table = DataTable(
        "Records per target and state, and the dates of the period of which the target has all.",
        ["Target", *(state.capitalize() for state in _STATES), "Whole dates"],
        rows,
    )
    says = (
        "What was handed over of the period's dates. Rejected: the target refuses it and said why. Held: a setting or "
        "the target says not to touch it. Retry, unknown and pending are sent again by the next run."
    )
    colours = {state: colour for state, colour in _STATES.items() if any(state in counts for counts in added.values())}
    bars = charts.stacked(drawn, colours, along="target", title="share of the records")
    label = "Bars of records per target and state; the table below has the figures"
    return Figure("Deliveries", says, table, charts.draw(bars, label=label) if drawn else None)
