"""The tail: a late order is found whatever was loaded since, and only for dates that are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from sitoo_pipeline.operations.late import touched_dates
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.project import Project, days
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.pipeline.test_late import sale
from sitoo_pipeline_tests.sitoo.server import Server

LOADED = days("2026-03-02", "2026-03-03")
NEXT, NEVER_LOADED = date(2026, 3, 4), date(2026, 3, 5)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Project, list[Json], Server]]:
    orders = [sale(1001, LOADED[0]), sale(1002, LOADED[1])]
    objects = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "orders": orders,
    }
    with Server(Script(objects)) as server:
        project = Project.make(tmp_path, server, start_date=LOADED[0], users=1, more="late_ids_margin = 0\n")
        project.load_plainly([LOADED])
        yield project, orders, server


def test_a_late_order_is_found_although_a_later_date_was_loaded_since(shop: tuple[Project, list[Json], Server]) -> None:
    project, orders, _ = shop
    orders += [sale(9000, LOADED[1]), sale(9500, NEXT)]
    project.load_plainly([[NEXT]])
    assert touched_dates(project.runtime) == {LOADED[1]}
    # Found again until its date is loaded, and then never again.
    assert touched_dates(project.runtime) == {LOADED[1]}
    project.load_plainly([[LOADED[1]]])
    assert touched_dates(project.runtime) == set()


def test_orders_of_dates_that_were_never_loaded_are_left_to_a_backfill(
    shop: tuple[Project, list[Json], Server],
) -> None:
    project, orders, _ = shop
    orders.append(sale(9000, NEVER_LOADED))
    assert touched_dates(project.runtime) == set()


def test_a_look_that_found_nothing_is_where_the_next_one_begins(shop: tuple[Project, list[Json], Server]) -> None:
    project, orders, server = shop
    orders.append(sale(9000, NEVER_LOADED))
    assert touched_dates(project.runtime) == set()
    server.seen.clear()
    orders.append(sale(9001, LOADED[0]))
    assert touched_dates(project.runtime) == {LOADED[0]}
    asked = [request.query["orderidfrom"] for request in server.seen if "orderidfrom" in request.query]
    assert asked[0] == "9000"
