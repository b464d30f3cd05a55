"""Dates that are loaded again: what moved stands in a table, on the pages in the UI and on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.scenario.objects import line, order, z_report
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG, HELSINKI
from sitoo_pipeline_tests.sitoo.server import Server

FIRST, SECOND, THIRD = DATES = [date(2026, 11, 3), date(2026, 11, 4), date(2026, 11, 5)]
AGAIN = [FIRST, SECOND]


def sale(number: int, day: date, hour: int = 12, *, net: str = "100.00", vat: str = "25.00") -> Json:
    at = datetime.combine(day, time(hour), tzinfo=ZoneInfo("Europe/Stockholm")).isoformat()
    return order(number, at, line(net, vat), register=GOTHENBURG, warehouse=1, store="0101")


def elsewhere(number: int, day: date) -> Json:
    at = datetime.combine(day, time(12), tzinfo=ZoneInfo("Europe/Helsinki")).isoformat()
    return order(number, at, line("10.00", "2.40"), register=HELSINKI, store="0102", zone="Europe/Helsinki")


OVERNIGHT = z_report(
    1, GOTHENBURG, f"{THIRD}T01:00+01:00", opened=f"{SECOND}T08:00+01:00", store="0101", moneysalestotal="250.00"
)
"""Its date is the third, the orders that it covers are the second's."""


@dataclass
class Loads:
    """The first load of all dates, that of two of them after orders had changed, and the same again."""

    project: Project
    outcomes: list[Outcome] = field(default_factory=list)
    events: list[dict[tuple[str, date], Mapping[str, Any]]] = field(default_factory=list)
    moved: list[list[tuple[Any, ...]]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def load(self, dates: list[date]) -> None:
        outcome = self.project.run(dates, sinks=False)
        assert (outcome.done, outcome.failed) == (dates, {})
        self.outcomes.append(outcome)
        self.events.append(self._new_events())
        self.moved.append(
            [
                tuple(row.values())
                for row in self.project.query(
                    'SELECT business_date, store_id, measure, "before", "after" FROM meta.reload_diffs '
                    "WHERE channel = 'pos' AND currency = 'SEK' ORDER BY ALL"
                )
            ]
        )

    def _new_events(self) -> dict[tuple[str, date], Mapping[str, Any]]:
        """Metadata of the dates of the tables that were materialized by runs since the last look."""
        found: dict[tuple[str, date], Mapping[str, Any]] = {}
        with self.project.instance() as instance:
            for run in instance.get_runs():
                if run.run_id in self.seen:
                    continue
                self.seen.add(run.run_id)
                kind = dg.DagsterEventType.ASSET_MATERIALIZATION
                for record in instance.get_records_for_run(run.run_id, of_type=kind).records:
                    if record.partition_key and (made := record.asset_materialization):
                        at = ".".join(made.asset_key.path[1:]), date.fromisoformat(record.partition_key)
                        assert at not in found
                        found[at] = made.metadata
        return found


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loads]:
    objects: dict[str, list[Json]] = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "warehouse_transactions": [],
        "z_reports": [OVERNIGHT],
        "orders": [sale(201, FIRST), sale(202, FIRST), elsewhere(203, FIRST), sale(204, SECOND), sale(205, THIRD)],
    }
    with Server(Script(objects)) as server:
        made = Loads(Project.make(tmp_path_factory.mktemp("moved"), server, start_date=FIRST, users=1))
        made.load(DATES)
        objects["orders"][:] = [
            sale(201, FIRST, net="150.00", vat="37.50"),
            sale(202, SECOND, 13),
            sale(204, SECOND),
            sale(205, THIRD),
            sale(206, SECOND, 17),
        ]
        made.load(AGAIN)
        made.load(AGAIN)
        yield made


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def expected(day: date, store: str, *rows: tuple[str, str | None, str | None]) -> list[tuple[Any, ...]]:
    return [(day, store, measure, amount(before), amount(after)) for measure, before, after in rows]


MOVED = [
    *expected(
        FIRST,
        "0101",
        ("goods_sold", "2", "1"),
        ("gross_sales", "250.00", "187.50"),
        ("net_sales", "200.00", "150.00"),
        ("orders_changed", None, "1"),
        ("orders_removed", None, "1"),
        ("transactions", "2", "1"),
        ("vat", "50.00", "37.50"),
    ),
    *expected(
        FIRST,
        "0102",
        ("goods_sold", "1", None),
        ("gross_sales", "12.40", None),
        ("net_sales", "10.00", None),
        ("orders_removed", None, "1"),
        ("transactions", "1", None),
        ("vat", "2.40", None),
    ),
    *expected(
        SECOND,
        "0101",
        ("goods_sold", "1", "3"),
        ("gross_sales", "125.00", "375.00"),
        ("net_sales", "100.00", "300.00"),
        ("orders_added", None, "2"),
        ("transactions", "1", "3"),
        ("vat", "25.00", "75.00"),
    ),
]


def test_a_first_load_moves_nothing_and_neither_does_the_same_again(loads: Loads) -> None:
    assert loads.moved == [[], MOVED, MOVED]
    numbers = [load["core.orders", FIRST] for load in loads.events]
    assert {"orders_added", "orders_removed", "orders_changed"}.isdisjoint(numbers[0])
    assert [numbers[2][f"orders_{what}"].value for what in ("added", "removed", "changed")] == [0, 0, 0]
    assert ["moved" in load["marts.daily_sales", FIRST] for load in loads.events] == [False, True, False]
    assert [loads.outcomes[0].notes, loads.outcomes[2].notes] == [[], []]


def test_the_rows_name_the_run_that_wrote_the_figures(loads: Loads) -> None:
    runs = {
        table: loads.project.query(
            f"SELECT DISTINCT d.run_id = f._run_id AS same, d.seen_at BETWEEN started_at AND finished_at AS within "
            f"FROM meta.reload_diffs AS d JOIN {table} AS f USING (business_date) JOIN meta.loads AS l "
            f"ON l.run_id = d.run_id AND l.table_name = '{table}' AND l.business_date = d.business_date "
            f"WHERE measure LIKE 'orders%' = ('{table}' = 'core.orders')"
        )
        for table in ("core.orders", "marts.daily_sales")
    }
    assert runs == {table: [{"same": True, "within": True}] for table in runs}


def test_the_pages_show_what_moved(loads: Loads) -> None:
    pages = loads.events[1]
    numbers = {
        day: [pages["core.orders", day][f"orders_{what}"].value for what in ("added", "removed", "changed")]
        for day in AGAIN
    }
    assert numbers == {FIRST: [0, 2, 1], SECOND: [2, 0, 0]}
    shown = [record.data for record in pages["marts.daily_sales", FIRST]["moved"].records]
    assert shown[0] == {
        "store_id": "0101",
        "channel": "pos",
        "currency": "SEK",
        "measure": "gross_sales",
        "before": "250.00",
        "after": "187.50",
    }
    assert len(shown) == sum(day == FIRST and not measure.startswith("orders") for day, _, measure, *_ in MOVED)


def test_the_command_line_says_that_figures_moved(loads: Loads) -> None:
    assert loads.outcomes[1].notes == [
        f"{FIRST} marts.daily_sales: figures moved: store 0101 gross_sales 250.00 -> 187.50 SEK, "
        "store 0102 gross_sales 12.40 -> none SEK, and 8 more; see meta.reload_diffs",
        f"{SECOND} marts.daily_sales: figures moved: store 0101 gross_sales 125.00 -> 375.00 SEK, and 4 more; "
        "see meta.reload_diffs",
    ]


def test_a_date_tied_to_those_of_the_run_is_touched_only_where_it_changed(loads: Loads) -> None:
    """What was sold late on the second is in the till's report of the third."""
    touched = [{table for table, day in load if day == THIRD} for load in loads.events[1:]]
    assert touched == [{"marts.z_report_reconciliation", "marts.z_report_orders"}, set()]
    assert loads.events[1]["marts.z_report_reconciliation", THIRD]["changed"].value is True
    [row] = loads.project.query("SELECT * FROM marts.z_report_reconciliation WHERE z_report_id = 1")
    assert (row["business_date"], row["ours_gross_sales"]) == (THIRD, Decimal("375.00"))
