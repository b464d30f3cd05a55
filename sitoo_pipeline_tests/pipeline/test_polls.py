"""What each poll asks for and finds, over HTTP: its bound, what it remembers, and how few requests it takes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sitoo_pipeline.assets.polls import POLLS
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.pipeline.test_late import sale, web_order
from sitoo_pipeline_tests.scenario.objects import movement, transaction, z_report
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG
from sitoo_pipeline_tests.sitoo.server import Server

ZONE = ZoneInfo("Europe/Stockholm")
TODAY = datetime.now(ZONE).date()
FIRST, SECOND, YESTERDAY = LOADED = [TODAY - timedelta(days=back) for back in (3, 2, 1)]
NEVER_LOADED = TODAY - timedelta(days=9)


def moved(number: int, day: date) -> Json:
    at = datetime.combine(day, time(12), tzinfo=ZONE).isoformat()
    return transaction(number, 1, at, 30, movement("A1", "-1.000"))


@dataclass
class Shop:
    """A Sitoo that can be changed, and a project that has loaded some dates of it."""

    project: Project
    orders: list[Json]
    z_reports: list[Json]
    transactions: list[Json]
    server: Server

    def load(self, *dates: date) -> None:
        """As far as polls look."""
        self.project.load_plainly([dates], as_far_as="core")

    def asked(self, parameter: str) -> list[str]:
        return [request.query[parameter] for request in self.server.seen if parameter in request.query]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, list[Json]]]:
    """The project that each test has a copy of, and what Sitoo had when it was loaded."""
    objects = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "orders": [sale(1001, FIRST), sale(1002, SECOND), web_order(1003, SECOND, orderstateid=0, paymentstateid=10)],
        "z_reports": [closing(FIRST, 1)],
        "warehouse_transactions": [moved(501, FIRST)],
    }
    with Server(Script(objects)) as server:
        more = "late_ids_margin = 0\nreread_days = 2\ndeep_reread_days = 20\n"
        folder = tmp_path_factory.mktemp("polls")
        project = Project.make(folder, server, start_date=TODAY - timedelta(days=30), users=1, more=more)
        project.load_plainly([LOADED])
    return project, objects


@pytest.fixture
def shop(loaded: tuple[Project, dict[str, list[Json]]], tmp_path: Path) -> Iterator[Shop]:
    project, objects = loaded[0], deepcopy(loaded[1])
    with Server(Script(objects)) as server:
        mine = project.copy(tmp_path, server)
        yield Shop(mine, objects["orders"], objects["z_reports"], objects["warehouse_transactions"], server)


def closing(day: date, number: int, **more: Any) -> Json:
    at = datetime.combine(day, time(20), tzinfo=ZONE)
    return z_report(number, GOTHENBURG, at.isoformat(), store="0101", opened=None) | more


def load_today(shop: Shop) -> None:
    """So that today is not found for never having been loaded."""
    shop.load(TODAY)
    shop.server.seen.clear()


def test_a_late_order_is_found_although_a_later_date_was_loaded_since(shop: Shop) -> None:
    shop.orders += [sale(9000, SECOND), sale(9500, TODAY)]
    load_today(shop)
    assert shop.project.poll("new_orders").dates == {SECOND}
    # Found again until its date is loaded, and then never again.
    assert shop.project.poll("new_orders").dates == {SECOND}
    shop.load(SECOND)
    assert shop.project.poll("new_orders").dates == set()


def test_today_is_found_until_it_is_loaded_and_then_when_something_is_sold(shop: Shop) -> None:
    assert shop.project.poll("new_orders").dates == {TODAY}
    load_today(shop)
    assert shop.project.poll("new_orders").dates == set()
    shop.orders.append(sale(9000, TODAY))
    assert shop.project.poll("new_orders").dates == {TODAY}


def test_orders_of_dates_that_were_never_loaded_are_left_to_a_backfill(shop: Shop) -> None:
    load_today(shop)
    shop.orders.append(sale(9000, NEVER_LOADED))
    assert shop.project.poll("new_orders").dates == set()


def test_a_poll_begins_where_the_last_one_ended_whose_dates_are_loaded(shop: Shop) -> None:
    """Otherwise a shop that never stops selling would be asked for more orders each hour."""
    load_today(shop)
    bounds = []
    for hour, number in enumerate((9000, 9100, 9200)):
        shop.orders.append(sale(number, TODAY, 9 + hour))
        shop.server.seen.clear()
        assert shop.project.poll("new_orders").dates == {TODAY}
        bounds.append(shop.asked("orderidfrom")[0])
        if number != 9100:  # the second hour's run fails, so the third poll must not rely on the second one
            shop.load(TODAY)
    assert bounds == ["1003", "9000", "9000"]
    shop.server.seen.clear()
    assert shop.project.poll("new_orders").dates == set()
    assert shop.asked("orderidfrom")[0] == "9200"


def test_ids_below_the_watermark_are_read_again_within_the_margin(shop: Shop) -> None:
    shop.orders += [sale(9000, TODAY), sale(9400, TODAY)]
    load_today(shop)
    assert shop.project.poll("new_orders").dates == set()
    shop.orders.append(sale(8950, SECOND))  # became visible after higher ids
    assert shop.project.poll("new_orders").dates == set()
    settings = shop.project.folder / "sitoo_pipeline.toml"
    settings.write_text(settings.read_text().replace("late_ids_margin = 0", "late_ids_margin = 500"))
    assert Project.read(shop.project.folder, shop.project.environ).poll("new_orders").dates == {SECOND}


def test_an_hour_without_news_takes_three_requests(shop: Shop) -> None:
    load_today(shop)
    for _ in range(2):  # the first of each reads on from what the loads saw, the second from the first
        shop.server.seen.clear()
        found = [shop.project.poll(name) for name in ("new_orders", "new_transactions", "late_z_reports")]
        assert [poll.dates for poll in found] == [frozenset()] * 3
    assert [request.path for request in shop.server.seen] == [
        "/orders.json",
        "/sites/1/warehousetransactions.json",
        "/pos-z-reports",
    ]
    assert [poll.requests for poll in found] == [1, 1, 1]


def test_a_late_transaction_is_found(shop: Shop) -> None:
    assert shop.project.poll("new_transactions").dates == set()
    shop.transactions += [moved(502, SECOND), moved(503, NEVER_LOADED)]
    assert shop.project.poll("new_transactions").dates == {SECOND}
    shop.load(SECOND)
    assert shop.project.poll("new_transactions").dates == set()


def test_a_z_report_that_was_added_weeks_late_is_found_by_the_second_it_was_added(shop: Shop) -> None:
    assert shop.project.poll("late_z_reports").dates == set()
    now = int(datetime.now(UTC).timestamp())
    shop.z_reports.append(closing(SECOND, 2, dateadded=now))
    assert shop.project.poll("late_z_reports").dates == {SECOND}
    # Another in the same second: its bound is inclusive.
    shop.load(SECOND)
    shop.z_reports.append(closing(FIRST, 3, dateadded=now))
    assert shop.project.poll("late_z_reports").dates == {FIRST}
    shop.load(FIRST)
    assert shop.project.poll("late_z_reports").dates == set()
    assert shop.asked("dateaddedfrom")[-1] == str(now)


def test_open_orders_are_asked_for_by_id_until_they_close(shop: Shop) -> None:
    assert shop.project.poll("open_orders").dates == set()
    assert shop.asked("orderid") == ["1003"]
    for closes in ({"paymentstateid": 20}, {"orderstateid": 10}):  # paid, it is still open
        shop.orders[2] |= closes
        assert shop.project.poll("open_orders").dates == {SECOND}
        shop.load(SECOND)
    shop.server.seen.clear()
    assert shop.project.poll("open_orders").dates == set()
    assert shop.server.seen == []


def test_the_last_days_are_compared_whole(shop: Shop) -> None:
    """A closed order that was edited has no new id and is not open: only reading the days again tells."""
    for poll in ("new_orders", "open_orders", "recent_days", "many_days"):
        assert shop.project.poll(poll).dates <= {TODAY}
    shop.orders[1]["namefirst"] = "Åsa"
    shop.orders[0]["namefirst"] = "Åsa"
    assert shop.project.poll("new_orders").dates == {TODAY}
    assert shop.project.poll("open_orders").dates == set()
    assert shop.project.poll("recent_days").dates == {SECOND}, "the days of the setting reread_days and no others"
    assert shop.project.poll("many_days").dates == {FIRST, SECOND}
    gone = shop.orders.pop(1)
    shop.load(FIRST, SECOND)
    assert shop.project.poll("many_days").dates == set()
    shop.orders.append(gone)
    assert shop.project.poll("recent_days").dates == {SECOND}


def test_a_late_order_that_breaks_a_rule_is_found_until_it_is_refused(shop: Shop) -> None:
    """Nothing else would bring its date back, and nobody would hear of it."""
    load_today(shop)
    broken = sale(9000, FIRST)
    broken["orderitems"][0]["moneyitemtotal_net"] = "100.005"
    shop.orders.append(broken)
    assert shop.project.poll("new_orders").dates == {FIRST}
    shop.load(FIRST)
    assert shop.project.query("SELECT business_date, object_key FROM meta.quarantine") == [
        {"business_date": FIRST, "object_key": "9000"}
    ]
    assert shop.project.poll("new_orders").dates == set()
    broken["orderitems"][0]["moneyitemtotal_net"] = "100.05"
    assert shop.project.poll("new_orders").dates == {FIRST}


def test_a_date_that_was_read_before_it_was_over_is_read_again_however_old(shop: Shop) -> None:
    [poll] = [poll for poll in POLLS if poll.name == "recent_days"]
    load_today(shop)
    over = shop.project.runtime.over_at(TODAY)
    assert poll.find(shop.project.runtime, over - timedelta(seconds=1)).dates == set()
    assert poll.find(shop.project.runtime, over).dates == {TODAY}
    with shop.project.runtime.warehouse.connect() as con:
        early = shop.project.runtime.over_at(FIRST) - timedelta(seconds=1)
        con.execute(
            "UPDATE meta.loads SET started_at = ? WHERE business_date = ? AND table_name = 'raw.z_reports'",
            [early, FIRST],
        )
    assert shop.project.poll("recent_days").dates == {FIRST}, "it is older than reread_days"
    shop.load(FIRST)
    assert shop.project.poll("recent_days").dates == set()


def test_loaded_dates_before_a_start_that_was_moved_are_left_alone(shop: Shop) -> None:
    load_today(shop)
    settings = shop.project.folder / "sitoo_pipeline.toml"
    settings.write_text(settings.read_text().replace(str(TODAY - timedelta(days=30)), str(SECOND)))
    moved_start = Project.read(shop.project.folder, shop.project.environ)
    shop.orders += [sale(9000, FIRST), sale(9001, SECOND)]
    shop.transactions += [moved(502, FIRST), moved(503, SECOND)]
    shop.z_reports += [closing(day, 9, dateadded=int(datetime.now(UTC).timestamp())) for day in (FIRST, SECOND)]
    for poll in ("new_orders", "new_transactions", "late_z_reports", "many_days"):
        assert moved_start.poll(poll).dates == {SECOND}, poll


def test_a_poll_leaves_no_bodies_behind(shop: Shop) -> None:
    before = sorted(shop.project.account.landing_folder.rglob("*"))
    for poll in ("new_orders", "recent_days"):
        shop.project.poll(poll)
    assert [path for path in sorted(shop.project.account.landing_folder.rglob("*.gz")) if path not in before] == []


def test_an_account_without_a_load_is_not_asked_for_its_past(tmp_path: Path) -> None:
    with Server(Script({"orders": [sale(1, FIRST)]})) as server:
        project = Project.make(tmp_path, server, start_date=FIRST, users=1)
        assert project.poll("new_orders").dates == {TODAY}
        assert project.poll("many_days").dates == set()
        assert server.seen == []
