"""The benchmark in small: both sides load the same, by ways that share no code, and the page says what was measured."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.comparison import Comparison, DisagreementError, agree, compare
from benchmarks.period import Period
from benchmarks.report import as_markdown


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder: Path = tmp_path_factory.mktemp("benchmark")
    return compare(orders=5000, period=Period.of(5), folder=folder, rehearse=False)


def test_the_floor_and_the_pipeline_load_the_same_orders_and_amounts(found: Comparison) -> None:
    assert 4000 < found.floor.orders < 7000
    assert found.floor.gross > 0
    assert (found.marts.orders, found.marts.gross) == (found.floor.orders, found.floor.gross)
    assert (found.targets.orders, found.targets.gross) == (found.floor.orders, found.floor.gross)


def test_what_is_measured_is_a_whole_backfill(found: Comparison) -> None:
    assert set(found.marts.reconciled) == {"balanced"}
    assert found.targets.stages["deliver"] > 0
    assert found.marts.stages["deliver"] == 0
    assert found.requests["/orders"] >= found.floor.orders / 1000
    assert found.requests["/pos-z-reports"] > 0
    assert found.requests["/sites/1/warehousetransactions"] > 0
    assert sum(found.targets.stages.values()) < found.targets.measured.seconds


def test_figures_of_sides_that_disagree_are_refused(found: Comparison) -> None:
    with pytest.raises(DisagreementError, match="the pipeline 1 and"):
        agree(found.floor, replace(found.marts, orders=1))
    with pytest.raises(DisagreementError):
        agree(found.floor, replace(found.marts, gross=found.marts.gross + Decimal("0.01")))


def test_the_page_has_the_machine_and_the_figures(found: Comparison) -> None:
    page = as_markdown(found)
    assert f"{found.floor.orders:,} orders" in page
    assert "cores" in page
    assert "| transform |" in page
