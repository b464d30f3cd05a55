"""The benchmark in small: both sides load the same, by ways that share no code, and the clocks see all of the work."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from benchmarks.clocked import STAGES, Place, put_on
from benchmarks.period import Period
from benchmarks.pipeline import Backfill, union
from benchmarks.serving import Server, Wanted, serving
from benchmarks.workshop import DisagreementError, Script, agree
from sitoo_pipeline_tests.benchmarks.conftest import ORDERS


def test_the_floor_and_the_pipeline_load_the_same_orders_and_amounts(floor: Script, loaded: Backfill) -> None:
    assert floor.orders == ORDERS
    assert floor.gross > 0
    assert (loaded.orders, loaded.gross) == (floor.orders, floor.gross)
    agree(floor, loaded)


def test_orders_have_the_documented_shape(floor: Script) -> None:
    assert 2.3 < floor.lines / floor.orders < 2.7
    assert 2500 < int(str(floor.said["bytes"])) / floor.orders < 3000


def test_figures_of_sides_that_disagree_are_refused(floor: Script, loaded: Backfill) -> None:
    with pytest.raises(DisagreementError, match=r"1 and .* there"):
        agree(floor, replace(loaded, orders=1))
    with pytest.raises(DisagreementError):
        agree(floor, replace(loaded, gross=loaded.gross + Decimal("0.01")))


def test_what_is_measured_is_a_whole_backfill(loaded: Backfill) -> None:
    assert set(loaded.reconciled) == {"balanced"}
    assert loaded.watched.requests["/orders"] >= ORDERS / 1000
    assert loaded.watched.requests["/pos-z-reports"] > 0
    assert loaded.watched.requests["/sites/1/warehousetransactions"] > 0
    assert loaded.watched.making == 0  # every page was ready


def test_the_clocks_see_every_stage(loaded: Backfill) -> None:
    assert all(loaded.seconds_of(stage) > 0 for stage in STAGES)
    assert loaded.seconds_of() < loaded.measured.seconds
    assert loaded.seconds_of("extract") >= loaded.watched.orders_in_flight > 0
    assert loaded.steps["raw orders"] > 0


def test_work_that_has_moved_is_told() -> None:
    with pytest.raises(AttributeError, match="compute_nothing"):
        put_on(Place("sitoo_pipeline.assets.computed", "compute_nothing", lambda arguments: ("", "")), [])


def test_time_in_which_several_things_happen_counts_once() -> None:
    assert union([(0, 2), (1, 3), (5, 6), (5.25, 5.5)]) == 4
    assert union([]) == 0


def test_an_account_has_orders_up_to_its_clock_only() -> None:
    period = Period.of(2)
    first, last = period.seconds
    with serving(Wanted.of(200, period, now=first + 86400)) as server:
        one_day = _orders(server, first, last)
        server.set(now=last)
        assert _orders(server, first, last) == 200 > one_day == 100


def _orders(server: Server, first: int, last: int) -> int:
    asked = {"orderdatefrom": first, "orderdateto": last, "num": 1}
    return int(httpx.get(f"{server.url}/orders.json", params=asked, trust_env=False).json()["totalcount"])
