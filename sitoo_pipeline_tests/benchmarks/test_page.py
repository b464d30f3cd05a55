"""What the benchmark keeps of its parts, and the page and the chart that it makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.chart import draw
from benchmarks.page import part_text, whole_page
from benchmarks.result import Bar, Result, Table

BARS = [Bar("fast", "quite", met=True), Bar("small", "large", met=False), Bar("compared", "alone", met=None)]


def result(part: str = "growth") -> Result:
    return Result(part, "Growth", [Table("Loads:", ("", "seconds"), [("one", "1.00")])], BARS, ["A note."])


def test_a_part_is_kept_and_read_again(tmp_path: Path) -> None:
    result().save(tmp_path)
    kept = Result.load("growth", tmp_path)
    assert kept is not None
    assert part_text(kept) == part_text(result())
    assert (kept.versions, kept.bars) == (result().versions, BARS)
    assert Result.load("stages", tmp_path) is None


def test_a_part_says_what_was_promised_and_found() -> None:
    text = part_text(result())
    assert text.startswith("## Growth\n\nLoads:\n\n|  | seconds |\n|---|---|\n| one | 1.00 |\n")
    assert "| fast | quite | met |" in text
    assert "| small | large | not met |" in text
    assert "| compared | alone | not measured |" in text


def test_the_page_has_the_machine_and_every_part(tmp_path: Path) -> None:
    other = result("stages")
    other.title, other.machine = "Stages", "another machine"
    other.at = "2026-01-01 00:00 UTC"
    page = whole_page([result(), other], chart="results.svg")
    assert result().machine in page
    assert f"polars {result().versions['polars']}" in page
    assert "(results.svg)" in page
    assert page.index("## In short") < page.index("## Growth") < page.index("## Stages")
    assert "On another machine: another machine." in page


def test_the_chart_is_drawn_where_it_can_be(tmp_path: Path) -> None:
    assert draw([result()], tmp_path / "chart.svg") is None
    pytest.importorskip("matplotlib")
    sides = {"floor": {"seconds": 2.0, "orders_per_second": 50.0, "peak_memory": 1e8}}
    found = Result("end_to_end", "End to end", figures={"small": {**sides, "z-reports": {"balanced": 1}}})
    assert draw([found], tmp_path / "chart.svg") == "chart.svg"
    assert (tmp_path / "chart.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_every_part_can_be_asked_for_by_its_name() -> None:
    assert list(PARTS) == ["command_line", "end_to_end", "stages", "growth", "requests", "deliver"]
