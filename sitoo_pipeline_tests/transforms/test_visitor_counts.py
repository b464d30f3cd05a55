"""What was counted at the doors: what can be read of metrics and files, and every rule that a count can break."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.transforms import Places, counts_of_file, counts_of_metric
from sitoo_pipeline.transforms.visitor_counts import Count
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import Json
from sitoo_pipeline_tests.transforms.build import places

DAY = date(2026, 3, 2)
KEY = "cm_visitors"
BODIES = {KEY: "m.gz", "a.csv": "a.gz", "b.csv": "b.gz"}


@pytest.fixture(scope="module")
def shops() -> Places:
    return places(
        stores=scenario.STORES,
        warehouses=scenario.WAREHOUSES,
        registers=scenario.REGISTERS,
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    )


def believed(shops: Places, *counts: Count, dates: tuple[date, ...] = (DAY,)) -> tuple[list[Any], list[Any]]:
    """Store, date, period, visitors and source of the rows; date, rule, path and place of the others."""
    rows, refused = transforms.believed(counts, places=shops, dates=dates, bodies=BODIES)
    assert rows["_landing_file"].to_list() == [BODIES[source] for source in rows["source"]]
    return rows.drop("_landing_file").rows(), [(one.day, one.rule, one.path, one.where) for one in refused]


def value(store: Any = "0101", day: Any = "2026-03-02", **more: Any) -> Json:
    return {"key": KEY, "date": day, "store_id": store, **more}


def series(*entries: tuple[Any, Any]) -> Json:
    listed = [{"label": label, "value": number} for label, number in entries]
    return {"value_series": {"total_count": len(listed), "total_value": 0, "series": listed}}


def test_a_series_is_the_hours_and_a_scalar_the_whole_day(shops: Places) -> None:
    values = [value(**series(("9", 4), ("10:00", 7), ("10:30", 2.0))), value("0102", value_scalar=120)]
    values.append({**value("0103", value_scalar=9), "key": "cm_revenue"})  # another metric, which nobody asked for
    values.append(value("0104", value_series={"series": {"label": "23", "value": 1}}))
    values.append(value("0106", value_scalar=3, **series()))  # an empty series beside the scalar says nothing
    assert believed(shops, *counts_of_metric(values, metric=KEY)) == (
        [
            ("0101", DAY, "09:00", 4, KEY),
            ("0101", DAY, "10:00", 7, KEY),
            ("0101", DAY, "10:30", 2, KEY),
            ("0102", DAY, "day", 120, KEY),
            ("0104", DAY, "23:00", 1, KEY),
            ("0106", DAY, "day", 3, KEY),
        ],
        [],
    )


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (value("0999", value_scalar=1), (DAY, "store_unknown", "store_id")),
        (value(None, value_scalar=1), (DAY, "store_missing", "store_id")),
        (value(3, value_scalar=1), (DAY, "store_missing", "store_id")),
        (value(day="02/03/2026", value_scalar=1), (None, "date", "date")),
        (value(day=None, value_scalar=1), (None, "date", "date")),
        (value(), (DAY, "no_count", "")),
        (value(value_scalar=1.5), (DAY, "whole_number", "value_scalar")),
        (value(value_scalar=True), (DAY, "whole_number", "value_scalar")),
        (value(value_scalar=-1), (DAY, "not_negative", "value_scalar")),
        (value(**series(("24", 1))), (DAY, "hour_of_day", "value_series.series.label")),
        (value(**series((None, 1))), (DAY, "hour_of_day", "value_series.series.label")),
        (value(**series(("09", None))), (DAY, "whole_number", "value_series.series.value")),
        (value(value_series=[1]), (DAY, "shape", "value_series.series")),
        (value(value_series={"series": "9"}), (DAY, "shape", "value_series.series")),
        ("no object", (None, "object", "")),
    ],
)
def test_what_a_metric_can_break(shops: Places, broken: Any, fault: tuple[Any, ...]) -> None:
    good = value("0102", value_scalar=5)
    rows, [refused] = believed(shops, *counts_of_metric([broken, good], metric=KEY))
    assert (rows, refused[:3]) == ([("0102", DAY, "day", 5, KEY)], fault)
    _, [kept] = transforms.believed(counts_of_metric([broken], metric=KEY), places=shops, dates=[DAY], bodies=BODIES)
    given = json.loads(kept.given)
    assert given == broken or given["text"] == broken  # what is refused is kept as it came


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_file_with_hours_in_any_order_of_columns(shops: Places, mark: str) -> None:
    lines = ["visitors,store_id,date,hour", "7,0101,2026-03-02,9", "", " 3 , 0102 ,2026-03-02,09:30", ",,,"]
    text = "\r\n".join(line.replace(",", mark) for line in lines)
    assert believed(shops, *counts_of_file(text, name="a.csv")) == (
        [("0101", DAY, "09:00", 7, "a.csv"), ("0102", DAY, "09:30", 3, "a.csv")],
        [],
    )


def test_an_instant_is_of_the_date_in_the_store(shops: Places) -> None:
    """23:30 in Stockholm is the next date in Helsinki (store 0102) and the same in London."""
    late = "2026-03-01T23:30:00+01:00"
    text = f"store_id,instant,visitors\n0101,{late},1\n0102,{late},2\n0101,2026-03-02T10:00:00Z,3\n"
    assert believed(shops, *counts_of_file(text, name="a.csv")) == (
        [("0101", DAY, "2026-03-02T10:00:00Z", 3, "a.csv"), ("0102", DAY, "2026-03-01T22:30:00Z", 2, "a.csv")],
        [],
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ("titles", "store_id", "a.csv:1")),
        ("store,date,visitors\n", ("titles", "store", "a.csv:1")),
        ("store_id,visitors\n0101,1", ("titles", "date", "a.csv:1")),
        ("store_id,date,instant,visitors\n", ("titles", "date", "a.csv:1")),
        ("store_id,instant,hour,visitors\n", ("titles", "hour", "a.csv:1")),
        ("store_id,date,date,visitors\n", ("titles", "date", "a.csv:1")),
        ("store_id,date,visitors\n0101,2026-03-02,1,2", ("columns", "", "a.csv:2")),
        ('store_id,date,visitors\n0101,2026-03-02,"1', ("quotes", "", "a.csv:2")),
        ("store_id,date,visitors\n0101,2026-02-30,1", ("date", "date", "a.csv:2")),
        ("store_id,date,hour,visitors\n0101,2026-03-02,,1", ("hour_of_day", "hour", "a.csv:2")),
        ("store_id,date,hour,visitors\n0101,2026-03-02,9:60,1", ("hour_of_day", "hour", "a.csv:2")),
        ("store_id,date,visitors\n0101,2026-03-02,1 000", ("whole_number", "visitors", "a.csv:2")),
        ("store_id,date,visitors\n,2026-03-02,1", ("store_missing", "store_id", "a.csv:2")),
        ("store_id,instant,visitors\n0101,2026-03-02T10:00:00,1", ("date", "instant", "a.csv:2")),
    ],
)
def test_what_a_file_can_break(shops: Places, text: str, fault: tuple[str, ...]) -> None:
    rows, [refused] = believed(shops, *counts_of_file(text, name="a.csv"))
    assert (rows, refused[1:]) == ([], fault)


def test_a_later_line_stands_and_what_it_overrules_is_refused(shops: Places) -> None:
    titles = "store_id,date,hour,visitors\n"
    first = counts_of_file(f"{titles}0101,2026-03-02,9,5\n0101,2026-03-02,10,6\n", name="a.csv")
    later = counts_of_file(f"{titles}0101,2026-03-02,09:00,8\n0101,2026-03-02,10,6\n", name="b.csv")
    rows, refused = believed(shops, *first, *later)
    assert rows == [("0101", DAY, "09:00", 8, "b.csv"), ("0101", DAY, "10:00", 6, "b.csv")]
    assert refused == [(DAY, "counted_again", "visitors", "a.csv:2")]


def test_counts_of_other_dates_are_left_alone_also_where_they_are_wrong(shops: Places) -> None:
    text = "store_id,date,visitors\n0101,2026-03-03,-1\n0101,2026-03-02,1\n"
    assert believed(shops, *counts_of_file(text, name="a.csv")) == ([("0101", DAY, "day", 1, "a.csv")], [])
