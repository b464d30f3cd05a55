"""The schema of every table, once.

From these declarations come the DDL of the warehouse, the validation of every frame before it is written, the Columns
tab of the UI and the data dictionary. What belongs here: names, types, meanings, keys and where a column comes from.
What does not: how a value is computed (``transforms``) or stored (``warehouse``).
"""

from sitoo_pipeline.tables import core, marts, meta, raw
from sitoo_pipeline.tables.schema import Column, Table

ALL_TABLES: tuple[Table, ...] = (
    *(*raw.TABLES, raw.VISITORS),
    *(*core.TABLES, core.VISITORS),
    *marts.TABLES,
    *meta.TABLES,
)
OPTIONAL: tuple[Table, ...] = (raw.VISITORS, core.VISITORS)
"""Tables that only some accounts fill; a date that is in none of them lacks nothing."""

BY_NAME: dict[str, Table] = {table.qualified: table for table in ALL_TABLES}

__all__ = ["ALL_TABLES", "BY_NAME", "OPTIONAL", "Column", "Table", "core", "marts", "meta", "raw"]
