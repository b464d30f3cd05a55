"""Columns that several marts have in common, with one meaning everywhere."""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import TEXT

ACCOUNT = Column("account", TEXT, "Name of the Sitoo account in the settings", nullable=False)
STORE = Column("store_id", TEXT, "External id of the store; 'unknown' where an order tells nothing", nullable=False)
CURRENCY = Column("currency", TEXT, "ISO 4217 code; amounts of two currencies are never added", nullable=False)
