"""``raw.visitors``: what was counted at the doors, as it was given.

Counts come from outside: from a custom metric of Sitoo's dashboard, or from files. So the rows are counts, and not
objects of one resource; what was received stays in the landing folder.
"""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import DATE, INTEGER, TEXT

WHOLE_DAY = "day"
"""The period of a count that is of no hour."""

VISITORS = Table(
    "raw",
    "visitors",
    "Visitors counted per store, as they were given: by hour, or for a whole day.",
    (
        Column("store_id", TEXT, "External id of the store", nullable=False),
        Column("business_date", DATE, "Date in the store's local time", nullable=False),
        Column(
            "period",
            TEXT,
            "When it was counted: from HH:MM of the store's clock on, from an instant on, or 'day' for all of it",
            nullable=False,
        ),
        Column("visitors", INTEGER, "Visitors counted", nullable=False),
        Column("source", TEXT, "The custom metric, or the file", nullable=False),
        Column(
            "_landing_file", TEXT, "The landed body it came from, below the account's landing folder", nullable=False
        ),
    ),
    key=("store_id", "business_date", "period"),
    documentation="https://developer.sitoo.com/api-reference/dashboard-custom-metrics",
)
