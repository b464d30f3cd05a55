"""The benchmark in small: both sides load the same, by ways that share no code, and the page says what was measured."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from benchmarks.comparison import Comparison, DisagreementError, agree, compare
from benchmarks.period import Period
from benchmarks.report import as_markdown

TARGETS = "to SQL and CSV"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("benchmark")
    return compare(orders=5000, period=Period.of(5), folder=folder, ways=[TARGETS], rehearse=False)


def test_the_floor_and_the_pipeline_load_the_same_orders_and_amounts(found: Comparison) -> None:
    loaded = found.backfills[TARGETS]
    assert 4000 < found.floor.orders < 7000
    assert found.floor.gross > 0
    assert (loaded.orders, loaded.gross) == (found.floor.orders, found.floor.gross)


def test_what_is_measured_is_a_whole_backfill(found: Comparison) -> None:
    loaded = found.backfills[TARGETS]
    assert set(loaded.reconciled) == {"balanced"}
    assert all(seconds > 0 for seconds in loaded.stages.values())
    assert sum(loaded.stages.values()) < loaded.measured.seconds
    assert loaded.requests["/orders"] >= found.floor.orders / 1000
    assert loaded.requests["/pos-z-reports"] > 0
    assert loaded.requests["/sites/1/warehousetransactions"] > 0


def test_figures_of_sides_that_disagree_are_refused(found: Comparison) -> None:
    loaded = found.backfills[TARGETS]
    with pytest.raises(DisagreementError, match="the pipeline 1 and"):
        agree(found.floor, replace(loaded, orders=1))
    with pytest.raises(DisagreementError):
        agree(found.floor, replace(loaded, gross=loaded.gross + Decimal("0.01")))


def test_the_page_has_the_machine_and_the_figures(found: Comparison) -> None:
    page = as_markdown(found)
    assert f"{found.floor.orders:,} orders" in page
    assert "cores" in page
    assert "| transform |" in page
