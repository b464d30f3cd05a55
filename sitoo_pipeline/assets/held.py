"""Stores whose day is held back from the weekly balance, because a z-report of it is too far from its orders.

What is held is what a setting says; it is off unless set. How a target leaves a store out is the target's. No dagster
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb
import polars as pl

from sitoo_pipeline.sinks import Prepared
from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.transforms.frames import UNKNOWN

READS: tuple[Table, ...] = (marts.Z_REPORT_RECONCILIATION, marts.Z_REPORT_ORDERS, core.ORDERS, core.REGISTERS)
"""What decides which stores are held."""

_SCHEMA = pl.Schema({"business_date": pl.Date, "store_id": pl.String, "reason": pl.String})
_DIFFERENCES = ", ".join(f"diff_{measure}" for measure in marts.RECONCILED_MONEY)

_HELD = f"""
    WITH differences AS (
        UNPIVOT (
            SELECT business_date, store_id, register_id, z_report_id, currency, {_DIFFERENCES}
            FROM marts.z_report_reconciliation WHERE business_date IN ({{dates}}) AND status = 'unbalanced'
        ) ON {_DIFFERENCES} INTO NAME measure VALUE difference
    ), reports AS (
        SELECT business_date, store_id, register_id, z_report_id,
            'z-report ' || z_report_id || ' of register ' || register_id || ' differs by '
            || string_agg(difference || ' ' || currency || ' in ' || substr(measure, 6), ', ' ORDER BY measure)
                FILTER (difference != 0) AS reason
        FROM differences GROUP BY business_date, store_id, register_id, z_report_id
        HAVING max(abs(difference)) > {{above}}
    ), stores_of_orders AS (
        SELECT z.register_id, z.z_report_id, list(DISTINCT o.store_id) AS store_ids
        FROM reports JOIN marts.z_report_orders AS z USING (register_id, z_report_id)
        JOIN core.orders AS o USING (order_id) GROUP BY ALL
    ), placed AS (
        SELECT r.business_date, r.register_id, r.z_report_id, r.reason, unnest(
            CASE WHEN r.store_id != '{UNKNOWN}' THEN [r.store_id]
            ELSE coalesce(s.store_ids, [coalesce(g.store_id, r.store_id)]) END
        ) AS store_id
        FROM reports AS r
        LEFT JOIN stores_of_orders AS s USING (register_id, z_report_id)
        LEFT JOIN core.registers AS g ON g.register_id = r.register_id
    )
    SELECT business_date, store_id, string_agg(reason, '; ' ORDER BY register_id, z_report_id) AS reason
    FROM placed GROUP BY ALL ORDER BY business_date, store_id
"""


def held_stores(con: duckdb.DuckDBPyConnection, dates: Sequence[date], above: Decimal | None) -> pl.DataFrame:
    """The stores held back on ``dates``: ``business_date``, ``store_id`` and ``reason``, a row per store and date.

    A store's date is held where a z-report closed on it is ``unbalanced`` and differs by more than ``above``, in its
    own currency, in any money measure. Orders without a z-report hold nothing back: there is nothing that they
    contradict. A z-report that names no store holds those of its orders, else its register's.

    Args:
        con: the warehouse.
        dates: business dates of which the reconciliation is loaded.
        above: the setting ``targets.weekly_balance.hold_back_above``; None holds nothing.
    """
    if above is None or not dates:
        return _SCHEMA.to_frame()
    listed = ", ".join(f"DATE '{day}'" for day in dates)
    return con.sql(_HELD.format(dates=listed, above=f"{above:f}")).pl()


@dataclass(frozen=True)
class Held:
    """The stores held back, for the targets: by date, and as sentences for the person who looks at the delivery."""

    stores: Mapping[date, frozenset[str]]
    messages: tuple[str, ...]

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, dates: Sequence[date], above: Decimal | None) -> Held:
        """What ``held_stores`` says of ``dates``."""
        frame = held_stores(con, dates, above)
        stores: dict[date, frozenset[str]] = {}
        for day, store, _ in frame.iter_rows():
            stores[day] = stores.get(day, frozenset()) | {store}
        return cls(
            stores, tuple(f"{day} store {store} is held back: {reason}" for day, store, reason in frame.iter_rows())
        )

    def noted_in(self, prepared: Prepared) -> Prepared:
        """``prepared`` with these sentences first, and the number of stores held as its count ``stores_held_back``."""
        number = sum(len(stores) for stores in self.stores.values())
        return Prepared(
            prepared.records, self.messages + prepared.messages, {**prepared.counts, "stores_held_back": number}
        )
