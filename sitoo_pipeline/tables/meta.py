"""``meta``: what the pipeline knows of its own work: loads, polls, refused objects, undocumented fields, reloads."""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import BIGINT, DATE, DATE_LIST, INSTANT, INTEGER, MONEY, TEXT

LOADS = Table(
    "meta",
    "loads",
    "One row per load of a table's partition: when, how many rows, whether anything changed.",
    (
        Column("table_name", TEXT, "Table that was loaded, schema.table", nullable=False),
        Column("business_date", DATE, "The partition; null for a table that is replaced whole"),
        Column(
            "status",
            TEXT,
            "loaded, unchanged (the content was the same: nothing was rewritten) or failed",
            nullable=False,
        ),
        Column("row_count", BIGINT, "Rows of the partition after the load; null where it failed"),
        Column("quarantined", INTEGER, "Rows refused; see meta.quarantine", nullable=False),
        Column("content_hash", TEXT, "Hash of the partition's content, audit columns left out"),
        Column("landing_folder", TEXT, "Folder of the bodies it came from, below the account's landing folder"),
        Column("requests", INTEGER, "Requests that the fetch took, for all its dates together"),
        Column("started_at", INSTANT, "Start of the load", nullable=False),
        Column("finished_at", INSTANT, "End of the load", nullable=False),
        Column("run_id", TEXT, "The Dagster run", nullable=False),
        Column("message", TEXT, "Why it failed"),
        Column("newest_id", BIGINT, "Highest id that Sitoo had when the fetch began; what has a higher one came later"),
    ),
    partition=None,
    audited=False,
)

QUARANTINE = Table(
    "meta",
    "quarantine",
    "Objects that were refused: which rule, where, and what Sitoo sent.",
    (
        Column("table_name", TEXT, "Table that refused it", nullable=False),
        Column(
            "business_date",
            DATE,
            "Its date; where it tells none, that of the load that met it first; null for reference data",
        ),
        Column("rule", TEXT, "Name of the rule it broke", nullable=False),
        Column("path", TEXT, "Field that broke it, e.g. orderitems.moneyitemtotal_net", nullable=False),
        Column("object_key", TEXT, "Key of the object, as far as it has one"),
        Column("payload", TEXT, "The object as JSON, as received", nullable=False, personal=True),
        Column("_landing_file", TEXT, "The landed body it came from", nullable=False),
    ),
    key=(),
)

DRIFT = Table(
    "meta",
    "drift",
    "Fields that Sitoo sent and nobody documented.",
    (
        Column("table_name", TEXT, "Table whose objects carry it", nullable=False),
        Column("path", TEXT, "Dotted path of the field", nullable=False),
        Column("first_seen_at", INSTANT, "When it was first seen", nullable=False),
        Column("first_run_id", TEXT, "The run that first saw it", nullable=False),
    ),
    key=("table_name", "path"),
    partition=None,
    audited=False,
)

RELOAD_DIFFS = Table(
    "meta",
    "reload_diffs",
    "What moved when a date was loaded again: orders, and the measures of daily_sales that differ.",
    (
        Column("business_date", DATE, "The date that was loaded again", nullable=False),
        Column("store_id", TEXT, "External id of the store, or 'unknown'", nullable=False),
        Column("channel", TEXT, "'pos' or 'online'", nullable=False),
        Column("currency", TEXT, "ISO 4217 code", nullable=False),
        Column(
            "measure", TEXT, "Measure of daily_sales, or orders_added, orders_removed, orders_changed", nullable=False
        ),
        Column("before", MONEY, "Before the reload, numbers too; null where the store had no row, and for orders_..."),
        Column("after", MONEY, "After it; null where the store has no row any more; for orders_... how many"),
        Column("seen_at", INSTANT, "When it was loaded again", nullable=False),
        Column("run_id", TEXT, "The run that did", nullable=False),
    ),
    partition=None,
    audited=False,
)

POLLS = Table(
    "meta",
    "polls",
    "One row per poll for what came late or changed: what was asked for, and the dates that have to be loaded again.",
    (
        Column("poll", TEXT, "Name of the poll, as the asset under changes", nullable=False),
        Column("asked_from", BIGINT, "First id that was asked for, or first second since 1970; null without a bound"),
        Column("watermark", BIGINT, "Up to which id, or which second since 1970, everything was seen"),
        Column("records", INTEGER, "Objects that Sitoo gave, copies included", nullable=False),
        Column("requests", INTEGER, "Requests that it took", nullable=False),
        Column("found_dates", DATE_LIST, "Dates of which something is not as it was loaded", nullable=False),
        Column("started_at", INSTANT, "Start of the poll", nullable=False),
        Column("finished_at", INSTANT, "End of the poll", nullable=False),
        Column("run_id", TEXT, "The Dagster run", nullable=False),
    ),
    partition=None,
    audited=False,
)

SCHEMA_VERSION = Table(
    "meta",
    "schema_version",
    "One row per version of the schema that the file has had; the highest is the one that it has.",
    (
        Column("version", INTEGER, "The version", nullable=False),
        Column("applied_at", INSTANT, "When the file was brought to it", nullable=False),
        Column("changes", TEXT, "What was done for it, in words", nullable=False),
    ),
    key=("version",),
    partition=None,
    audited=False,
)

TABLES = (LOADS, POLLS, QUARANTINE, DRIFT, RELOAD_DIFFS, SCHEMA_VERSION)
