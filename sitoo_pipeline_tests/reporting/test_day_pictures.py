"""The pictures of single dates, drawn from a warehouse's marts: what stands in them, and what they leave out."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from xml.etree import ElementTree as ET

import duckdb
import pytest

from sitoo_pipeline.assets.previews import PICTURE_BYTES
from sitoo_pipeline.reporting.day_pictures import PLACES, pictures_of_dates, pictures_of_hours
from sitoo_pipeline.tables import marts

DAY = date(2026, 10, 25)
BEFORE = DAY - timedelta(days=7)
BOTH = frozenset({DAY, BEFORE})
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("CREATE SCHEMA marts")
        for table in (marts.HOURLY_SALES, marts.DAILY_SALES):
            made.execute(table.ddl)
            for column in table.all_columns:
                if not column.nullable:
                    made.execute(f"ALTER TABLE {table.qualified} ALTER {column.name} DROP NOT NULL")
        yield made


def sold(
    con: duckdb.DuckDBPyConnection, day: date, hour: int, gross: str, *, store: str = "0101", currency: str = "SEK",
    channel: str = "pos", name: str | None = "Göteborg <Nordstan> & Co",
) -> None:  # fmt: skip
    row = [store, name, channel, currency, day, hour, Decimal(gross)]
    con.execute(
        "INSERT INTO marts.hourly_sales BY NAME SELECT ? AS store_id, ? AS store_name, ? AS channel, ? AS currency, "
        "? AS business_date, ? AS local_hour, ? AS gross_sales",
        row,
    )
    con.execute(
        "INSERT INTO marts.daily_sales BY NAME SELECT ? AS store_id, ? AS store_name, ? AS channel, ? AS currency, "
        "? AS business_date, ? AS gross_sales",
        [*row[:5], row[6]],
    )


def texts(svg: str) -> list[str]:
    return [text for text in ET.fromstring(svg).itertext() if text.strip() and "{" not in text]


def charts(svg: str) -> list[tuple[str, str]]:
    """Of each chart, the paths of its bars and of its line."""
    groups = ET.fromstring(svg).findall(f"{SVG}g")
    return [tuple(path.get("d", "") for path in group.findall(f"{SVG}path")[1:]) for group in groups]  # type: ignore[misc]


def test_a_place_shows_what_it_sold_and_how_much_more_that_is_than_a_week_before(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for channel, gross in (("pos", "1000.40"), ("online", "200.00")):
        sold(con, DAY, 12, gross, channel=channel)
    sold(con, DAY, 14, "299.60")
    sold(con, BEFORE, 13, "1000.00")
    picture = pictures_of_hours(con, [DAY], loaded=BOTH)[DAY]
    said = texts(picture)
    assert said[:3] == ["Gross sales per hour and store, Sun 2026-10-25", "Sun 2026-10-25", "Sun 2026-10-18"]
    assert said[3:6] == ["0101 Göteborg <Nordstan> & Co", "1\u202f500 SEK, +50.0\u202f%", "top 1\u202f200"]
    assert said[6:] == ["12", "13", "14"]
    [(bars, line)] = charts(picture)
    assert len(re.findall("M", bars)) == 2
    tops = re.findall(r"[ML]\d+ (\d+)", line)
    assert len(tops) == 3
    assert min(tops, key=int) == tops[1] == "43"  # 1000 of 1200, from the ground at 95 up to 33


def test_a_week_before_that_is_not_loaded_is_no_week_without_sales(con: duckdb.DuckDBPyConnection) -> None:
    sold(con, DAY, 12, "100.00")
    unknown = pictures_of_hours(con, [DAY], loaded=frozenset({DAY}))[DAY]
    assert "Sun 2026-10-18 (not loaded)" in texts(unknown)
    assert [line for _, line in charts(unknown)] == [""]
    assert "100 SEK" in texts(unknown)
    nothing = pictures_of_hours(con, [DAY], loaded=BOTH)[DAY]
    assert "100 SEK, \N{EN DASH}" in texts(nothing)
    assert [line for _, line in charts(nothing)] == ["M134 95"]


def test_currencies_are_never_added_and_both_doubled_hours_are(con: duckdb.DuckDBPyConnection) -> None:
    sold(con, DAY, 2, "10.00")
    sold(con, DAY, 2, "15.00")
    sold(con, DAY, 2, "7.00", currency="EUR")
    sold(con, DAY, 2, "3.00", store="unknown", channel="online", name=None)
    said = texts(pictures_of_hours(con, [DAY], loaded=BOTH)[DAY])
    assert [text for text in said if "EUR" in text or "SEK" in text] == [
        "7 EUR, \N{EN DASH}",
        "25 SEK, \N{EN DASH}",
        "3 SEK, \N{EN DASH}",
    ]
    assert "Web shop, no store" in said


def test_the_smaller_stores_of_a_large_chain_are_added_up_and_the_picture_stays_small(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "INSERT INTO marts.hourly_sales BY NAME SELECT printf('%04d', store) AS store_id, repeat('Å&', 30) AS "
        "store_name, 'pos' AS channel, 'SEK' AS currency, business_date, hour AS local_hour, "
        "1000 * (60 - store) + hour AS gross_sales FROM range(60) AS stores(store), range(24) AS hours(hour), "
        "(VALUES (?::DATE), (?::DATE)) AS dates(business_date)",
        [DAY, BEFORE],
    )
    for day, currency in product((DAY, BEFORE), ("NOK", "DKK", "EUR", "GBP")):
        for hour in range(24):
            sold(con, day, hour, "77.00", store="unknown", currency=currency)
    picture = pictures_of_hours(con, [DAY], loaded=BOTH)[DAY]
    said = texts(picture)
    assert len(charts(picture)) == PLACES
    assert [f"1\u202f848 {currency}, 0.0\u202f%" in said for currency in ("NOK", "DKK", "EUR", "GBP")] == [True] * 4
    assert len(b64encode(picture.encode())) < PICTURE_BYTES
    assert any(text.startswith("0006 ") for text in said)
    assert "53 more stores" in said
    rest = sum(24 * 1000 * (60 - store) + sum(range(24)) for store in range(7, 60))
    assert f"{rest:,} SEK, 0.0\u202f%".replace(",", "\u202f", 2).replace("SEK\u202f", "SEK,") in said


def test_a_date_is_seen_in_its_week(con: duckdb.DuckDBPyConnection) -> None:
    fortnight = [DAY - timedelta(days=back) for back in reversed(range(14))]
    for number, day in enumerate(fortnight):
        sold(con, day, 12, f"{100 if number < 7 else 200}.00")
    said = texts(pictures_of_dates(con, [DAY], loaded=frozenset(fortnight))[DAY])
    assert "1\u202f400 SEK, +100.0\u202f%" in said
    assert said[-7:] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    gap = pictures_of_dates(con, [DAY], loaded=frozenset(fortnight) - {fortnight[3]})[DAY]
    assert "the seven days before (not all loaded)" in texts(gap)
    assert "1\u202f400 SEK" in texts(gap)
    [(_, line)] = charts(gap)
    assert line.count("M") == 2


def test_the_same_figures_make_the_same_picture_and_a_date_without_sales_none(con: duckdb.DuckDBPyConnection) -> None:
    sold(con, DAY, 12, "0.00")
    first = pictures_of_hours(con, [DAY, BEFORE], loaded=BOTH)
    assert first == pictures_of_hours(con, [BEFORE, DAY], loaded=BOTH)
    assert first.keys() == {DAY}
