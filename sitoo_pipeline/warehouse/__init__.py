"""The warehouse: one DuckDB file per account.

Connections are short and wait for the file's lock; a partition is replaced in one transaction; what breaks a rule
goes to quarantine; readers get a copy. What a figure means is not decided here (``transforms``), nor when anything
runs (``assets``).
"""

from sitoo_pipeline.warehouse.connection import Warehouse, WarehouseLockedError
from sitoo_pipeline.warehouse.counts import counts_that_differ, keep_counts, load_counts
from sitoo_pipeline.warehouse.differences import Differences, differences
from sitoo_pipeline.warehouse.frames import replace_whole
from sitoo_pipeline.warehouse.ledger import Loaded, failed_load, last_asked, loaded_dates, loaded_dates_of
from sitoo_pipeline.warehouse.merging import last_merge, merge_site
from sitoo_pipeline.warehouse.migrations import SCHEMA_VERSION, WarehouseVersionError
from sitoo_pipeline.warehouse.partitions import replace_partitions
from sitoo_pipeline.warehouse.polls import Found, loaded_up_to, polled_up_to, record_poll
from sitoo_pipeline.warehouse.raw import load_dated, load_reference

__all__ = [
    "SCHEMA_VERSION",
    "Differences",
    "Found",
    "Loaded",
    "Warehouse",
    "WarehouseLockedError",
    "WarehouseVersionError",
    "counts_that_differ",
    "differences",
    "failed_load",
    "keep_counts",
    "last_asked",
    "last_merge",
    "load_counts",
    "load_dated",
    "load_reference",
    "loaded_dates",
    "loaded_dates_of",
    "loaded_up_to",
    "merge_site",
    "polled_up_to",
    "record_poll",
    "replace_partitions",
    "replace_whole",
]
