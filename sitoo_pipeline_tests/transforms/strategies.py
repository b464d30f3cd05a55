"""Any orders, lines and z-reports, small and odd, for the properties; and frames from the few columns that matter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import core
from sitoo_pipeline.tables.z_reports import Z_REPORTS
from sitoo_pipeline.transforms import Places

STOCKHOLM, LORD_HOWE = "Europe/Stockholm", "Australia/Lord_Howe"
ZONES = [STOCKHOLM, "America/New_York", "Asia/Kathmandu", LORD_HOWE, "Pacific/Apia", "America/Sao_Paulo", "UTC"]
PLACES = Places(
    account_timezone=STOCKHOLM,
    stores=core.STORES.empty(),
    warehouses=core.WAREHOUSES.empty(),
    registers=core.REGISTERS.empty(),
    store_timezones={"2": "Asia/Kathmandu"},
)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def frame(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Rows with nulls for what they do not name."""
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


NOTHING = Decimal(0)
cents = st.integers(-100_000, 100_000).map(lambda n: Decimal(n).scaleb(-2))
LINE_SOURCE = pl.Schema(
    {c.name: core.ORDER_LINES.polars_schema[c.name] for c in core.ORDER_LINES.columns if c.source is not None}
)


@st.composite
def order_lines(draw: st.DrawFn, orders: int = 6) -> list[dict[str, Any]]:
    """Lines of a few orders, with what is common and what is odd."""
    return [
        {
            "order_id": order_id,
            "line_no": line_no,
            "business_date": date(2026, 10, 25),
            "order_item_type": draw(st.sampled_from([10, 10, 10, 20, 30, None])),
            "quantity": draw(st.sampled_from([1, 2, -1, -3, 0, None])),
            "decimal_quantity_total": draw(st.none() | st.integers(1, 9_999).map(lambda n: Decimal(n).scaleb(-3))),
            "vat_percent": draw(st.sampled_from([None, Decimal(25), Decimal(12), Decimal(6), Decimal("8.8750")])),
            "money_discount": draw(st.none() | cents),
            "money_row_discount": draw(st.none() | cents),
            "money_item_total_net": draw(st.none() | cents),
            "money_item_total_vat": draw(st.none() | cents),
            "has_gift_card_number": draw(st.sampled_from([False, False, True])),
        }
        for order_id in range(1, orders + 1)
        for line_no in range(draw(st.integers(0, 4)))
    ]


def lines_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return transforms.order_lines(frame(rows, LINE_SOURCE), product_groups=core.PRODUCT_GROUPS.empty())


@st.composite
def orders(draw: st.DrawFn, count: int = 6) -> pl.DataFrame:
    """``core.orders`` around the doubled hour, in two stores, channels and currencies."""
    rows = []
    for order_id in range(1, count + 1):
        at = datetime(2026, 10, 24, 12, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 2 * 24 * 60)))
        local = at.astimezone(ZoneInfo(STOCKHOLM))
        register = draw(st.sampled_from([None, "{A}", "{B}"]))
        rows.append(
            {
                "order_id": order_id,
                "ordered_at": at,
                "timezone": STOCKHOLM,
                "business_date": local.date(),
                "hour_start": at.replace(minute=0),
                "local_hour": local.hour,
                "store_id": draw(st.sampled_from(["1", "unknown"])),
                "store_name": draw(st.sampled_from([None, "Å", "B"])),
                "channel": "pos" if register else "online",
                "register_id": register,
                "currency": draw(st.sampled_from(["SEK", "EUR"])),
                "counts": draw(st.sampled_from([True, True, True, False])),
                "money_total_gross_roundoff": draw(st.none() | cents),
            }
        )
    return frame(rows, core.ORDERS.polars_schema)


@st.composite
def z_reports(draw: st.DrawFn, count: int = 5) -> pl.DataFrame:
    """``core.z_reports`` of two registers with openings that are right, absent or odd."""
    rows = []
    for number in range(1, draw(st.integers(1, count)) + 1):
        closed = datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 4 * 24)))
        opened = closed - timedelta(hours=draw(st.integers(-5, 50)))
        rows.append(
            {
                "register_id": draw(st.sampled_from(["{A}", "{B}"])),
                "z_report_id": number,
                "store_id": draw(st.sampled_from(["1", "2", "unknown"])),
                "opened_at": draw(st.sampled_from([None, opened])),
                "closed_at": closed,
                "currency": draw(st.sampled_from(["SEK", "SEK", "EUR"])),
            }
        )
    table = frame(rows, pl.Schema({k: v for k, v in Z_REPORTS.polars_schema.items() if k != "business_date"}))
    return transforms.place_z_reports(table, places=PLACES).select(Z_REPORTS.names)
