"""``core``: visitors."""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import DATE, INSTANT, INTEGER, TEXT

VISITORS = Table(
    "core",
    "visitors",
    "Visitors per store, by hour where the counter tells hours, else for the whole day.",
    (
        Column("store_id", TEXT, "External id of the store", nullable=False),
        Column("business_date", DATE, "Date in the store's local time", nullable=False),
        Column("period", TEXT, "'hour', or 'day' for a count that tells no hours", nullable=False),
        Column("starts_at", INSTANT, "Start of the hour or of the day, an instant", nullable=False),
        Column("local_hour", INTEGER, "Hour of the day in the store's zone, 0 to 23; null for a whole day"),
        Column("timezone", TEXT, "Zone of the store's clock: its tills', else by the settings", nullable=False),
        Column(
            "visitors", INTEGER, "Visitors counted", nullable=False, formula="sum of the counts that fall into the hour"
        ),
    ),
    key=("store_id", "business_date", "period", "starts_at"),
)
