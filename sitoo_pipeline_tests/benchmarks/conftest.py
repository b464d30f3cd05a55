"""One small account, loaded once by the floor and once by the pipeline, for all tests of the benchmark."""

from __future__ import annotations

import pytest

from benchmarks.pipeline import Backfill
from benchmarks.workshop import Script, Sizes, workshop

ORDERS, DAYS = 2500, 3


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Script, Backfill]:
    """What the floor and a backfill with deliveries took, and brought."""
    with workshop(tmp_path_factory.mktemp("benchmark"), Sizes(), None) as place:
        return place.script("floor", ORDERS, DAYS)[-1], place.load(ORDERS, DAYS, sinks=True)[-1]


@pytest.fixture
def floor(both: tuple[Script, Backfill]) -> Script:
    """The floor's."""
    return both[0]


@pytest.fixture
def loaded(both: tuple[Script, Backfill]) -> Backfill:
    """The pipeline's."""
    return both[1]
