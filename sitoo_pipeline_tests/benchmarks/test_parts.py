"""What the parts make of loads: the loads are real and the same small one for every size, the arithmetic is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import growth
from benchmarks.end_to_end import end_to_end
from benchmarks.measure import Measured
from benchmarks.period import Period
from benchmarks.pipeline import Backfill
from benchmarks.result import Bar, Result
from benchmarks.stages import stages
from benchmarks.workshop import Script, Sizes, Workshop

SIZES = Sizes(small=2500, large=2500, least=2500, days=3, per_day=100, year=12, repeats=1)


DLT: dict[str, Any] = {"stages": {"load": 1.5}, "said": {"dlt": "1.2", "duckdb": "3.4", "bytes": 7_000_000}}


def taking(seconds: float, memory: int = 500_000_000) -> Measured:
    return Measured(seconds, 2 * seconds, memory, "")


class Prepared(Workshop):
    """A workshop whose loads are there already: ``backfills`` and ``scripts`` say what a load of some days took."""

    def prepare(self, backfills: Callable[[int], Backfill], scripts: Callable[[str], Script]) -> Prepared:
        self._backfills, self._made = backfills, scripts
        return self

    def load(self, orders: int, days: int, *, sinks: bool = False, times: int = 1) -> list[Backfill]:
        return [self._backfills(days)] * times

    def script(self, way: str, orders: int, days: int, *, times: int = 1) -> list[Script]:
        return [self._made(way)] * times


@pytest.fixture
def place(tmp_path: Path, floor: Script, loaded: Backfill) -> Prepared:
    seconds = {"floor": 10.0, "tuned": 100.0, "default": 300.0}
    return Prepared(tmp_path, SIZES, "python").prepare(
        lambda days: replace(loaded, measured=taking(5.0 if days == 3 else 8.0)),
        lambda way: replace(floor, measured=taking(seconds[way]), **({} if way == "floor" else DLT)),
    )


def bar(result: Result, words: str) -> Bar:
    [found] = [one for one in result.bars if words in one.promise]
    return found


def test_sides_are_compared_by_their_wall_time(place: Prepared) -> None:
    result = end_to_end(place)
    rows = {row[0]: row for row in result.tables[0].rows}
    assert list(rows) == ["pipeline, to the marts", "pipeline, to SQL and CSV", "dlt, tuned", "dlt, default", "floor"]
    assert rows["pipeline, to the marts"][1:6] == ("5.00", "500", "20.0", "2.00", "10.0")
    assert rows["dlt, tuned"][3:5] == ("1.0", "0.10")
    assert [bar(result, "8 times").found, bar(result, "8 times").met] == ["20.0 times", True]
    assert bar(result, "12 times").met
    assert bar(result, "peak memory").met
    assert "dlt, default" not in [row[0] for row in result.tables[1].rows]
    assert "2,500 orders by dlt, tuned (1.2, DuckDB 3.4): load 1.5 s." in result.notes


def test_bars_that_are_missed_say_so(place: Prepared, loaded: Backfill) -> None:
    slow = place.prepare(lambda _: replace(loaded, measured=taking(9.0, 1_200_000_000)), place._made)
    result = end_to_end(slow)
    assert bar(result, "8 times").met
    assert not bar(result, "12 times").met
    assert (bar(result, "peak memory").found, bar(result, "peak memory").met) == ("1.20 GB", False)


def test_without_dlt_nothing_is_said_of_it(place: Prepared) -> None:
    place.dlt_python = None
    result = end_to_end(place)
    assert bar(result, "8 times").met is None
    assert not any("dlt" in row[0] for table in result.tables for row in table.rows)
    assert any("not installed" in note for note in result.notes)


def test_orchestration_is_what_no_work_was_done_in(place: Prepared, loaded: Backfill) -> None:
    worked: list[tuple[str, str, float, float]] = [
        ("extract", "raw orders", 0.0, 3.0),
        ("transform", "core orders", 3.0, 5.0),
        ("transform", "core orders", 4.0, 6.0),
        ("check", "checks", 6.0, 6.5),
    ]
    place.prepare(lambda _: replace(loaded, measured=taking(8.0), worked=worked, materializations=150), place._made)
    result = stages(place)
    rows = {row[0].strip(): row[1] for row in result.tables[0].rows}
    asked = ("extract", "transform", "check", "orchestration")
    assert [rows[name] for name in asked] == ["3.00", "3.00", "0.50", "1.50"]
    assert (rows["share"], rows["ms per date and asset"]) == ("19%", "10.0")
    assert [(one.found, one.met) for one in result.bars] == [("0.60 times (6.0 s against 10.0 s)", True), ("19%", True)]
    assert result.tables[1].rows[0][:2] == ("core orders", "4.00")


def test_growth_compares_times_per_order_and_memory(
    place: Prepared, loaded: Backfill, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, Period]] = []

    def backfill(*, server: int, dates: Period, **_: object) -> Backfill:
        asked.append((server, dates))
        return replace(loaded, measured=taking(0.1))

    monkeypatch.setattr(place, "server", lambda orders, period: orders)
    monkeypatch.setattr(growth, "backfill", backfill)
    result = growth.growth(place)
    assert [(server, dates.days) for server, dates in asked] == [(1200, 1), (2500, 1)]
    again = [bar(result, f"one day of {days} again") for days in (12, 3)]
    assert [one.found.split(",")[0] for one in again] == ["1.2%", "2.0%"]
    assert [one.met for one in again] == [True, False]
    assert (bar(result, "peak memory").found, bar(result, "peak memory").met) == ("1.00 times", True)
    flat = [one for one in result.bars if one.promise.startswith("time per order")]
    assert [(one.found, one.met) for one in flat] == [("1.00 times", True), ("1.60 times", False)]
